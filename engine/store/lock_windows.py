"""The lock on an open file where there is no `fcntl`: seven times as slow, and long to import."""

import contextlib
from typing import IO, Any

import portalocker

_FLAGS = portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING


def take(file: IO[Any]) -> bool:
    """Whether the lock is ours now; nobody is waited for."""
    try:
        portalocker.lock(file, _FLAGS)
    except (portalocker.exceptions.LockException, OSError):
        return False
    return True


def give(file: IO[Any]) -> None:
    """Give it back. What was committed must not be reported as failed because of this."""
    with contextlib.suppress(portalocker.exceptions.LockException, OSError):
        portalocker.unlock(file)

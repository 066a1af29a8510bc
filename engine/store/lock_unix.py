"""The lock on an open file, by Python's own call of the system; Windows has none."""

import contextlib
import fcntl
from typing import IO, Any


def take(file: IO[Any]) -> bool:
    """Whether the lock is ours now; nobody is waited for."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def give(file: IO[Any]) -> None:
    """Give it back. What was committed must not be reported as failed because of this."""
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)

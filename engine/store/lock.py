"""Locks on files that the operating system takes back when their owner dies.

One of them goes round every write transaction of a database, so that several processes share
it without starving each other; a worker holds one of its own for as long as it lives. They are
held on open files, not by the presence of files, and work on Linux, macOS and Windows.
"""

import contextlib
import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

import portalocker

from engine.store.errors import trouble

_FLAGS = portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0002, 0.004


class Lock:
    """A lock that is held until it is released."""

    def __init__(self, file: IO[Any], path: Path) -> None:
        self._file = file
        self._path = path

    def release(self, *, remove: bool = False) -> None:
        """Let go; `remove` takes the file away too, while it is still ours.

        Windows removes no open file: there it goes afterwards, unless somebody has it by then.
        """
        if remove and os.name != "nt":
            self._remove()
        self._file.close()
        if remove and os.name == "nt":
            self._remove()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()


def try_lock(path: Path | str) -> Lock | None:
    """The lock on `path`, or None when somebody holds it."""
    file = _opened(Path(path))
    if _locked(file):
        return Lock(file, Path(path))
    file.close()
    return None


class Turn:
    """The lock round the write transactions of one database, taken again and again."""

    def __init__(self, path: Path, patience: float) -> None:
        self._file = _opened(path)
        self.patience = patience

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Wait for the turn, for `patience` seconds at most; raises `database_locked`."""
        self._take()
        try:
            yield
        finally:
            # What was committed must not be reported as failed because of this.
            with contextlib.suppress(portalocker.exceptions.LockException, OSError):
                portalocker.unlock(self._file)

    def _take(self) -> None:
        pause, end = _FIRST_PAUSE, time.monotonic() + self.patience
        while not _locked(self._file):
            if time.monotonic() >= end:
                raise trouble("database_locked", "its turn did not come")
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _locked(file: IO[Any]) -> bool:
    try:
        portalocker.lock(file, _FLAGS)
    except (portalocker.exceptions.LockException, OSError):
        return False
    return True


def _opened(path: Path) -> IO[Any]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")

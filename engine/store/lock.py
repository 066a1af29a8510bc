"""Locks on files that the operating system takes back when their owner dies.

One of them goes round every write transaction of a database, so that several processes share
it without starving each other; a worker holds one of its own for as long as it lives. They are
held on open files, not by the presence of files, and work on Linux, macOS and Windows.
"""

import contextlib
import mmap
import os
import struct
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

from engine.store.errors import trouble

try:
    from engine.store.lock_unix import give, take
except ImportError:
    from engine.store.lock_windows import give, take

_FIRST_PAUSE, _LONGEST_PAUSE = 0.0002, 0.002

_POLITE = 20_000_000
"""Nanoseconds of waiting after which one says so."""

_SILENT = 30_000_000
"""Nanoseconds after which somebody who said that it comes next is passed over."""

_PLACE = struct.Struct("=qq")


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
    if take(file):
        return Lock(file, Path(path))
    file.close()
    return None


class Turn:
    """The lock round the write transactions of one database, taken again and again.

    Whoever finds it free takes it, so a process that has much to write may take it several times
    in a row, which costs less than passing it on each time. Whoever has waited for a while says so
    in a few bytes that all processes share, and comes next: the others stand back, the longest
    waiter first. Who says so and then falls silent (it was stopped, or it died) is passed over
    soon. The bytes decide who is polite to whom and nothing else; the lock is the lock.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._file = _opened(path)
        self._line = _Line(self._file)
        self.patience = patience

    @property
    def wanted(self) -> bool:
        """Whether somebody who has waited for a while is to come next."""
        return self._line.taken()

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Wait for the turn, for `patience` seconds at most; raises `database_locked`."""
        if self.wanted or not take(self._file):
            self._wait()
        try:
            yield
        finally:
            give(self._file)

    def _wait(self) -> None:
        line, since, pause = self._line, time.perf_counter_ns(), _FIRST_PAUSE
        end = since + int(self.patience * 1e9)
        while True:
            now = time.perf_counter_ns()
            next_is_me = now - since > _POLITE and line.stand(since, now)
            if (next_is_me or not line.taken()) and take(self._file):
                break
            if now >= end:
                line.leave(since)
                raise trouble("database_locked", "its turn did not come")
            time.sleep(_FIRST_PAUSE if next_is_me else pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        line.leave(since)

    def close(self) -> None:
        """Give the file back."""
        self._line.close()
        self._file.close()


class _Line:
    """Who comes next: since when it waits and when it last said so, in shared memory.

    Two who write at once may overwrite each other; then one of them waits a little longer.
    """

    def __init__(self, file: IO[Any]) -> None:
        self._bytes: mmap.mmap | bytearray
        try:
            if os.fstat(file.fileno()).st_size < _PLACE.size:
                # Written, not only made longer: memory over a hole in a full disk kills its user.
                file.write(bytes(_PLACE.size))
                file.flush()
            self._bytes = mmap.mmap(file.fileno(), _PLACE.size)
        except (OSError, ValueError):
            self._bytes = bytearray(_PLACE.size)  # where memory cannot be shared nobody is polite

    def taken(self) -> bool:
        """Whether somebody says that it comes next."""
        said = _PLACE.unpack_from(self._bytes)[1]
        return bool(said) and abs(time.perf_counter_ns() - said) < _SILENT

    def stand(self, since: int, now: int) -> bool:
        """Say that one comes next, unless somebody says so who has waited longer."""
        first, said = _PLACE.unpack_from(self._bytes)
        if first < since and abs(now - said) < _SILENT:
            return False
        _PLACE.pack_into(self._bytes, 0, since, now)
        return True

    def leave(self, since: int) -> None:
        """Say so no more."""
        if _PLACE.unpack_from(self._bytes)[0] == since:
            _PLACE.pack_into(self._bytes, 0, 0, 0)

    def close(self) -> None:
        """Share it no more."""
        if isinstance(self._bytes, mmap.mmap):
            self._bytes.close()


def _opened(path: Path) -> IO[Any]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")

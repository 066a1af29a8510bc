"""The write-ahead log of a SQLite file as the operating system sees it: how far it is used, and
room made in it beforehand.

A sync costs about half when the file does not grow by it. So the log is not cut off when it has
been folded back, as SQLite would start at its beginning again anyway, and while it is young it
is made longer by zeros, which SQLite takes for the end of the log: a frame counts only when its
salts and checksums are those of the log's header (sqlite.org/fileformat2.html, section 4).

Only bytes after the end of the file are ever written, by who holds SQLite's own write lock.
SQLite keeps its locks on other files, so that opening and closing this one breaks none.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

HEADER, FRAME = 32, 24
"""Bytes before the first frame, and before the page in each."""

ROOM = 1024 * 1024
"""Bytes that are to be free in the file."""

STEP = 2 * 1024 * 1024
"""Bytes by which it is made longer."""


class Log:
    """The log file beside a database."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + "-wal")
        self._file: BinaryIO | None = None
        self._salts, self._frame, self._frames = b"", 0, 0

    def used(self) -> int:
        """Bytes from its beginning to the end of its last frame; 0 when there is no log."""
        header = self._read(0, HEADER)
        if len(header) < HEADER:
            return 0
        if header[16:24] != self._salts:
            # It began anew. Another number of bytes in a page would be another database.
            self._salts, self._frames = header[16:24], 0
            self._frame = FRAME + struct.unpack(">I", header[8:12])[0]
        self._gallop()
        return HEADER + self._frames * self._frame

    def size(self) -> int:
        """Bytes in the file."""
        return os.stat(self._path).st_size

    def lengthen(self) -> None:
        """Add zeros, durably. The caller holds SQLite's write lock. Raises OSError."""
        with self._path.open("ab", buffering=0) as file:
            file.write(bytes(STEP))
            os.fsync(file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _gallop(self) -> None:
        """Find the last frame of this log, which lies not far behind the last that was found."""
        step = 1
        while self._valid(self._frames + step):
            self._frames += step
            step *= 2
        while step > 1:
            step //= 2
            if self._valid(self._frames + step):
                self._frames += step

    def _valid(self, frame: int) -> bool:
        start = HEADER + (frame - 1) * self._frame
        return self._read(start + 8, 8) == self._salts

    def _read(self, start: int, count: int) -> bytes:
        try:
            if self._file is None:
                self._file = self._path.open("rb", buffering=0)
            self._file.seek(start)
            return self._file.read(count)
        except FileNotFoundError:
            return b""

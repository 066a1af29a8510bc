"""The rows of vectors in a database, many to a block: written in place, read one block at a time.

A row is the number of its workflow, how long the vector is, and the vector, one byte for each of
its numbers. A block has no holes: what is dropped leaves room that the next row takes, so that
blocks are full but for the last, however often things change. Nothing is kept in memory, and what
the numbers in a row mean is not known here.
"""

import sqlite3
import struct
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

CREATE = """
create table vectors (document integer primary key, block integer not null);
create table vector_blocks (block integer primary key, free integer not null, rows blob not null);
create index vector_room on vector_blocks (block) where free > 0;
"""
BLOCK = 64
"""Rows of a block: as many are written anew when one of them changes."""

TOGETHER = 8
"""Blocks that are read at a time: more would start threads in numpy, which cost more than they
save."""

HEAD = struct.Struct("<qf")
"""What stands before each vector."""

_NUMBER = struct.Struct("<q")
_BLOCK_OF = "select document, block from vectors where document = ?"
_READ = "select rows from vector_blocks where block = ?"
_WITH_ROOM = "select block, rows from vector_blocks where free > 0 order by block limit 1"
_WRITE = "insert or replace into vector_blocks values (?, ?, ?)"


class Blocks:
    """The rows in one database; each has a vector of so many bytes."""

    def __init__(self, db: sqlite3.Connection, dimensions: int) -> None:
        self._db, self._size = db, HEAD.size + dimensions

    def put(self, rows: Iterable[tuple[int, float, bytes]]) -> None:
        """Numbers with the length of a vector and itself, in the place of what they had."""
        left = [(number, HEAD.pack(number, length) + row) for number, length, row in rows]
        self.drop(number for number, _ in left)
        while left:
            block, kept = self._room()
            some, left = left[: BLOCK - len(kept)], left[BLOCK - len(kept) :]
            self._write(block, [*kept, *(row for _, row in some)])
            placed = [(number, block) for number, _ in some]
            self._db.executemany("insert into vectors values (?, ?)", placed)

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget some numbers."""
        places = [row for number in numbers for row in self._db.execute(_BLOCK_OF, (number,))]
        for block, some in groupby(sorted(places, key=itemgetter(1)), key=itemgetter(1)):
            gone = {number for number, _ in some}
            rows = self._rows(*self._db.execute(_READ, (block,)).fetchone())
            self._write(block, [row for row in rows if _NUMBER.unpack_from(row)[0] not in gone])
        self._db.executemany("delete from vectors where document = ?", [row[:1] for row in places])

    def read(self) -> Iterator[bytes]:
        """All rows, `TOGETHER` blocks of them at a time."""
        found = self._db.execute("select rows from vector_blocks")
        while some := found.fetchmany(TOGETHER):
            yield b"".join([rows for (rows,) in some])

    def count(self) -> int:
        """How many blocks there are: never more than the most rows there were would fill."""
        return int(self._db.execute("select count(*) from vector_blocks").fetchone()[0])

    def _room(self) -> tuple[int, list[bytes]]:
        """A block that is not full, with its rows; a new one where all are."""
        found = self._db.execute(_WITH_ROOM).fetchone()
        if found is not None:
            return found[0], self._rows(found[1])
        last = self._db.execute("select coalesce(max(block), 0) from vector_blocks").fetchone()
        return last[0] + 1, []

    def _rows(self, packed: bytes) -> list[bytes]:
        return [packed[at : at + self._size] for at in range(0, len(packed), self._size)]

    def _write(self, block: int, rows: list[bytes]) -> None:
        if rows:
            self._db.execute(_WRITE, (block, BLOCK - len(rows), b"".join(rows)))
        else:
            self._db.execute("delete from vector_blocks where block = ?", (block,))

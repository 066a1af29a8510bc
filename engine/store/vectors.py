"""The vectors of a catalogue, beside its search index: kept as bytes, compared in memory.

A workflow that is put in is written down as not encoded yet. A catalogue in a file is encoded
while it is read; one in memory when it is first searched, so that a process that searches nothing
never wakes the encoder. Whoever searches holds one matrix and takes in what has changed since,
whichever process changed it. An encoder that fails costs its part of the ranking, never a search.
What a vector means, and how far its angle counts, is not known here.
"""

import logging
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine.core.discovery.vectors import Encoder, encoded_words
from engine.core.views import WorkflowInfo

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_LOG = logging.getLogger("handrail.engine")

CREATE = """
create table vectors (serial integer primary key autoincrement, document integer not null unique,
  vector blob not null);
create table unencoded (document integer primary key, words text not null);
"""
AT_ONCE = 500
"""Texts that are encoded together."""

BLOCK = 512
"""Rows that are multiplied at a time: more would start threads, which cost more than they save."""

_PAGE = 4_096


class Source:
    """An encoder as the papers use it. `awake` once it has been asked for anything."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self.awake = self._broken = False

    def rows(self, texts: Sequence[str]) -> "Array | None":
        """A vector of bytes for each text; None from the first failure on."""
        self.awake = True
        try:
            return None if self._broken else self._rows(texts)
        except Exception as error:  # it may be somebody's code, and a search needs no vectors
            self._broken = True
            kind, name = type(error).__name__, self.name
            _LOG.warning("the encoder %s failed (%s); searching by words alone", name, kind)
            return None

    def _rows(self, texts: Sequence[str]) -> "Array":
        import numpy as np

        rows = np.array([list(row) for row in self._encoder.encode(texts)], np.float32)
        if rows.shape != (len(texts), self.dimensions) or not np.isfinite(rows).all():
            raise ValueError("rows of other numbers than were promised")
        top = np.abs(rows).max(axis=1, keepdims=True)
        return np.rint(rows / np.where(top == 0, 1, top) * 127).astype(np.int8)


class Vectors:
    """The vectors in one database.

    A database in memory is nobody else's: whoever searches it fills it as well.
    """

    def __init__(self, db: sqlite3.Connection, source: Source) -> None:
        self._db, self._source = db, source
        self._seen: int | None = None
        self._serial = 0
        self._matrix: Matrix | None = None
        self._alone = not db.execute("pragma database_list").fetchone()[2]

    @property
    def awake(self) -> bool:
        """Whether the encoder has been asked for anything."""
        return self._source.awake

    def put(self, number: int, info: WorkflowInfo) -> None:
        """A workflow is to be encoded."""
        row = (number, encoded_words(info))
        self._db.execute("insert or replace into unencoded values (?, ?)", row)

    def drop(self, number: int) -> None:
        """Forget a workflow."""
        for table in ("vectors", "unencoded"):
            self._db.execute(f"delete from {table} where document = ?", (number,))  # noqa: S608 - our own names

    def fill(self) -> None:
        """Encode what was put in and is not encoded yet."""
        sql = "select document, words from unencoded order by document limit ?"
        while wanting := self._db.execute(sql, (AT_ONCE,)).fetchall():
            rows = self._source.rows([words for _, words in wanting])
            if rows is None:
                return
            encoded = zip(wanting, rows, strict=True)
            self._db.executemany(
                "insert or replace into vectors (document, vector) values (?, ?)",
                [(number, row.tobytes()) for (number, _), row in encoded],
            )
            self._db.executemany(
                "delete from unencoded where document = ?", [(number,) for number, _ in wanting]
            )
            self._seen = None

    def cosines(self, query: str) -> "Cosines | None":
        """How near everything is to a query; None when nothing is known of that."""
        if self._alone:
            self.fill()
        matrix = self._refreshed()
        if not len(matrix.numbers):
            return None
        rows = self._source.rows([query])
        return None if rows is None else matrix.cosines(rows[0])

    def _refreshed(self) -> "Matrix":
        """The matrix with what was changed since, by this process or another.

        `data_version` is read first: what changes meanwhile is taken in by the next search.
        """
        (seen,) = self._db.execute("pragma data_version").fetchone()
        matrix = self._matrix or Matrix(self._source.dimensions)
        if seen != self._seen:
            self._seen, self._matrix = seen, matrix
            while rows := self._db.execute(_FRESH, (self._serial, _PAGE)).fetchall():
                self._serial = rows[-1][0]
                matrix.take([row[1] for row in rows], [row[2] for row in rows])
            (count,) = self._db.execute("select count(*) from vectors").fetchone()
            if count != len(matrix.numbers):
                matrix.keep(number for (number,) in self._db.execute(_NUMBERS))
        return matrix


_FRESH = "select serial, document, vector from vectors where serial > ? order by serial limit ?"
_NUMBERS = "select document from vectors"


class Matrix:
    """Vectors of bytes, one row for each number."""

    def __init__(self, dimensions: int) -> None:
        import numpy as np

        self.numbers = np.empty(0, np.int64)
        self._rows = np.empty((0, dimensions), np.int8)
        self._norms = np.empty(0, np.float32)

    def take(self, numbers: Sequence[int], vectors: Sequence[bytes]) -> None:
        """Vectors of some numbers, each of them once, in the place of what they had."""
        import numpy as np

        fresh = np.array(numbers, np.int64)
        rows = np.frombuffer(b"".join(vectors), np.int8).reshape(len(vectors), -1)
        stale = np.isin(self.numbers, fresh)
        if stale.any():
            self._only(~stale)
        self.numbers = np.concatenate([self.numbers, fresh])
        self._rows = np.concatenate([self._rows, rows])
        self._norms = np.concatenate([self._norms, _norms(rows)])

    def keep(self, numbers: Iterable[int]) -> None:
        """Forget all but these numbers."""
        import numpy as np

        self._only(np.isin(self.numbers, np.fromiter(numbers, np.int64)))

    def _only(self, kept: "Array") -> None:
        self.numbers, self._rows = self.numbers[kept], self._rows[kept]
        self._norms = self._norms[kept]

    def cosines(self, query: "Array") -> "Cosines":
        """How near each row is to a query's."""
        import numpy as np

        asked = query.astype(np.float32)
        near = np.empty(len(self._rows), np.float32)
        block = np.empty((BLOCK, self._rows.shape[1]), np.float32)
        for start in range(0, len(near), BLOCK):
            rows = self._rows[start : start + BLOCK]
            np.copyto(block[: len(rows)], rows)
            np.dot(block[: len(rows)], asked, out=near[start : start + BLOCK])
        length = np.float32(np.linalg.norm(asked))
        near /= np.maximum(self._norms * length, np.float32(1))
        return Cosines(self.numbers, near)


class Cosines:
    """How near every workflow is to one query: the cosine of the angle, 0 for what is unknown."""

    def __init__(self, numbers: "Array", near: "Array") -> None:
        self._numbers, self._near = numbers, near

    def top(self, most: int, among: Collection[int] | None = None) -> list[int]:
        """The nearest numbers, nearest first; `among` are those that may be found."""
        import numpy as np

        numbers, near = self._numbers, self._near
        if among is not None:
            allowed = np.isin(numbers, np.fromiter(among, np.int64))
            numbers, near = numbers[allowed], near[allowed]
        if 0 < most < len(near):
            least = np.partition(near, len(near) - most)[len(near) - most]
            numbers, near = numbers[near >= least], near[near >= least]
        order = np.lexsort((numbers, -near))[:most]
        return [int(number) for number in numbers[order[near[order] > 0]]]

    def of(self, numbers: Sequence[int]) -> list[float]:
        """The cosine of each of some numbers."""
        import numpy as np

        wanted = np.array(numbers, np.int64)
        among = np.flatnonzero(np.isin(self._numbers, wanted))
        known = dict(zip(self._numbers[among].tolist(), self._near[among].tolist(), strict=True))
        return [known.get(number, 0.0) for number in numbers]


def _norms(rows: "Array") -> "Array":
    import numpy as np

    squares: Array = np.sum(np.square(rows, dtype=np.float32), axis=1)
    return np.sqrt(squares)

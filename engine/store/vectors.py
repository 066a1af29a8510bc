"""The vectors of a catalogue, beside its search index: kept as bytes, compared block by block.

A workflow that is put in is written down as not encoded yet. A catalogue in a file is encoded
while it is read; one in memory when it is first searched, so that a process that searches nothing
never wakes the encoder. A search reads all blocks, one after the other, and keeps none of them:
what lies in a file the system holds once for all processes, and whatever one of them changes is
there for the next search of any. An encoder that fails costs its part of the ranking, never a
search. What a vector means, and how far its angle counts, is not known here.
"""

import logging
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine.core.discovery.vectors import Encoder, encoded_words
from engine.core.views import WorkflowInfo
from engine.store.vector_blocks import BLOCK, TOGETHER, Blocks
from engine.store.vector_blocks import CREATE as BLOCKS

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_LOG = logging.getLogger("handrail.engine")

CREATE = f"""{BLOCKS}
create table unencoded (document integer primary key, words text not null);
"""
AT_ONCE = 8 * BLOCK
"""Texts that are encoded together."""


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

        rows = np.array([np.asarray(row) for row in self._encoder.encode(texts)], np.float32)
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
        self._blocks = Blocks(db, source.dimensions)
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
        self._blocks.drop((number,))
        self._db.execute("delete from unencoded where document = ?", (number,))

    def fill(self) -> None:
        """Encode what was put in and is not encoded yet."""
        sql = "select document, words from unencoded order by document limit ?"
        while wanting := self._db.execute(sql, (AT_ONCE,)).fetchall():
            rows = self._source.rows([words for _, words in wanting])
            if rows is None:
                return
            numbers = [number for number, _ in wanting]
            packed = (row.tobytes() for row in rows)
            self._blocks.put(zip(numbers, _lengths(rows), packed, strict=True))
            self._db.executemany(
                "delete from unencoded where document = ?", [(number,) for number in numbers]
            )

    def cosines(self, query: str) -> "Cosines | None":
        """How near everything is to a query; None when nothing is known of that."""
        if self._alone:
            self.fill()
        if self._db.execute("select 1 from vectors limit 1").fetchone() is None:
            return None
        rows = self._source.rows([query])
        return None if rows is None else compared(self._blocks.read(), rows[0])


def compared(blocks: Iterable[bytes], query: "Array") -> "Cosines":
    """How near each row of some blocks is to a query's.

    The products of bytes are whole numbers that float32 holds, so where a row lies says nothing.
    """
    import numpy as np

    head = [("number", "<i8"), ("length", "<f4")]
    kind = np.dtype([*head, ("vector", "i1", (len(query),))])
    asked, numbers, near = query.astype(np.float32), list["Array"](), list["Array"]()
    block = np.empty((BLOCK * TOGETHER, len(query)), np.float32)
    length = np.float32(np.linalg.norm(asked))
    for packed in blocks:
        rows = np.frombuffer(packed, kind)
        np.copyto(block[: len(rows)], rows["vector"])
        numbers.append(rows["number"].copy())
        lengths = np.maximum(rows["length"] * length, np.float32(1))
        near.append(block[: len(rows)] @ asked / lengths)
    return Cosines(np.concatenate(numbers), np.concatenate(near))


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

        wanted, order = np.array(numbers, np.int64), np.argsort(self._numbers, kind="stable")
        at = order.take(np.searchsorted(self._numbers, wanted, sorter=order), mode="clip")
        found: list[float] = np.where(self._numbers[at] == wanted, self._near[at], 0).tolist()
        return found


def _lengths(rows: "Array") -> list[float]:
    import numpy as np

    squares: Array = np.sum(np.square(rows, dtype=np.float32), axis=1)
    lengths: list[float] = np.sqrt(squares).tolist()
    return lengths

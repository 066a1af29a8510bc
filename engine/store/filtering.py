"""Filtered lists without counting: which documents fit a filter, as the bits of one number.

The place of a document in a list sorted by namespace and name is its bit, and the documents of a
word are the bits of a number, so that any filter over any catalogue is a few operations on
numbers, its count is a count of bits and its pages are in order as they stand. What was read
of a word is kept and follows each document that gets or loses it; the order is read again when
something joined or left the list. That somebody has committed at all SQLite tells for nothing.
"""

import sqlite3
from array import array
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import reduce
from itertools import islice
from operator import or_

from engine.core.labels.filter import Filter, matches
from engine.store.paper_marks import Mark

_PATTERN = "pattern"
MOST_KEPT = 16_000_000
"""Bytes of bits that are kept at a time for one kind of list."""
MOST_MOVES = 200
"""Marks that came or went after which it is cheaper to read words again."""
_SORTED = {
    "workflow": "select document from workflows where hidden = 0 order by namespace, name",
    "task": "select document from tasks order by namespace, name",
}
_NAMES = {
    "workflow": "select namespace, name from workflows where document = ?",
    "task": "select namespace, name from tasks where document = ?",
}
_OF_WORD = "select document from marks where kind = ? and word = ?"
_MOVES = "select turn, kind, word, document, came from moves where turn > ? order by turn"
_TURN = "select turn from turns where thing = ?"
_WORDS = "select distinct word from spellings where kind = ?"


class Fits(Collection[int]):
    """The documents that fit a filter, in the order of the list."""

    def __init__(self, bits: int, order: "Order") -> None:
        self.bits, self._order = bits, order
        self._packed: bytes | None = None

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __contains__(self, document: object) -> bool:
        if self._packed is None:
            self._packed = _bytes(self.bits, len(self._order.documents))
        place = self._order.place(document) if isinstance(document, int) else -1
        return place >= 0 and bool(self._packed[place >> 3] >> (place & 7) & 1)

    def __iter__(self) -> Iterator[int]:
        return self.behind(0)

    def behind(self, place: int) -> Iterator[int]:
        """Those from a place of the list on."""
        packed = _bytes(self.bits >> place, len(self._order.documents))
        for at, byte in enumerate(packed):
            while byte:
                low = byte & -byte
                byte ^= low
                yield self._order.documents[place + at * 8 + low.bit_length() - 1]


class Order:
    """A list of documents in its order, and the place that each has in it."""

    def __init__(self, documents: Iterable[int]) -> None:
        self.documents = array("q", documents)
        self._places = array("l", [-1]) * (max(self.documents, default=0) + 1)
        for place, document in enumerate(self.documents):
            self._places[document] = place

    def place(self, document: int) -> int:
        """The place of a document, -1 when the list does not have it."""
        return self._places[document] if 0 <= document < len(self._places) else -1

    def bits(self, documents: Iterable[tuple[int]]) -> int:
        """The number whose bits are these documents."""
        packed, places = bytearray(len(self.documents) // 8 + 1), self._places
        most = len(places)
        for (document,) in documents:
            place = places[document] if document < most else -1
            if place >= 0:
                packed[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(packed, "little")


class Filtering:
    """Filters over one kind of list: `workflow` or `task`."""

    def __init__(self, db: sqlite3.Connection, thing: str) -> None:
        self._db, self._thing = db, thing
        self._seen = self._turn = self._moved = -1
        self._order = Order(())
        self._kept: OrderedDict[Mark, int] = OrderedDict()

    def fits(self, wanted: Filter) -> Fits:
        """The documents that fit a filter that is folded already."""
        self._refresh()
        bits = self._in_namespace(wanted.namespace)
        for part in self._wanted(wanted):
            bits &= part
        for word in wanted.exclude_tags:
            bits &= ~self._bits("tag", word)
        return Fits(bits, self._order)

    def needing(self, wanted: Filter, add: Iterable[Mark], remove: Iterable[Mark]) -> Fits:
        """Those that fit a filter and lack one label or have another; types and folded words."""
        fits, bits = self.fits(wanted), 0
        for kind, word in add:
            bits |= ~self._bits(kind, word)
        for kind, word in remove:
            bits |= self._bits(kind, word)
        return Fits(fits.bits & bits, self._order)

    def page(self, wanted: Filter, after: tuple[str, str], limit: int) -> tuple[list[int], int]:
        """The documents behind a name, at most `limit` (-1: all), and how many fit in total."""
        fits = self.fits(wanted)
        place = self._place(after) if any(after) else 0
        return list(islice(fits.behind(place), None if limit < 0 else limit)), len(fits)

    def _wanted(self, wanted: Filter) -> Iterator[int]:
        """Each condition that must hold, as the documents for which it does."""
        if wanted.effect:
            yield self._bits("effect", wanted.effect)
        if wanted.categories:
            yield reduce(or_, (self._bits("category", word) for word in wanted.categories))
        for word in wanted.all_tags:
            yield self._bits("tag", word)
        if wanted.any_tags:
            yield reduce(or_, (self._bits("tag", word) for word in wanted.any_tags))
        if wanted.tag_pattern:
            yield self._pattern(wanted.tag_pattern)

    # -- what is kept ------------------------------------------------------------------------

    def _refresh(self) -> None:
        (seen,) = self._db.execute("pragma data_version").fetchone()
        if seen == self._seen:
            return
        (turn,) = self._db.execute(_TURN, (self._thing,)).fetchone()
        moves = self._db.execute(_MOVES, (self._moved,)).fetchall()
        if turn != self._turn:
            self._kept.clear()
            self._order = Order(row[0] for row in self._db.execute(_SORTED[self._thing]))
        elif moves and (len(moves) > MOST_MOVES or moves[0][0] != self._moved + 1):
            self._kept.clear()
        for _, kind, word, document, came in moves if self._kept else ():
            self._move((kind, word), document, came)
        self._seen, self._turn = seen, turn
        self._moved = moves[-1][0] if moves else self._moved

    def _move(self, key: Mark, document: int, came: int) -> None:
        """A document got or lost a word."""
        place = self._order.place(document)
        if key in self._kept and place >= 0:
            bit = 1 << place
            self._kept[key] = self._kept[key] | bit if came else self._kept[key] & ~bit
        if key[0] == f"{self._thing}.tag":
            for pattern in [each for kind, each in self._kept if kind == _PATTERN]:
                if matches(pattern, key[1]):
                    del self._kept[_PATTERN, pattern]

    def _bits(self, kind: str, word: str) -> int:
        key = (f"{self._thing}.{kind}", word)
        return self._known(key, lambda: self._db.execute(_OF_WORD, key))

    def _pattern(self, pattern: str) -> int:
        return self._known((_PATTERN, pattern), lambda: self._fitting(pattern))

    def _fitting(self, pattern: str) -> Iterator[tuple[int]]:
        kind = f"{self._thing}.tag"
        for (word,) in self._db.execute(_WORDS, (kind,)).fetchall():
            if matches(pattern, word):
                yield from self._db.execute(_OF_WORD, (kind, word))

    def _known(self, key: Mark, read: Callable[[], Iterable[tuple[int]]]) -> int:
        """The bits under a key, read when they are not kept."""
        bits = self._kept.get(key)
        self._kept[key] = found = self._order.bits(read()) if bits is None else bits
        self._kept.move_to_end(key)
        each = len(self._order.documents) // 8 + 200
        while len(self._kept) * each > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    # -- places --------------------------------------------------------------------------------

    def _in_namespace(self, namespace: str) -> int:
        if not namespace:
            return (1 << len(self._order.documents)) - 1
        low, high = self._place((namespace, "")), self._place((f"{namespace}\0", ""))
        return (1 << high) - (1 << low)

    def _place(self, after: tuple[str, str]) -> int:
        """How many documents of the list do not stand behind a name."""
        low, high = 0, len(self._order.documents)
        while low < high:
            middle = (low + high) // 2
            document = self._order.documents[middle]
            name = self._db.execute(_NAMES[self._thing], (document,)).fetchone()
            low, high = (middle + 1, high) if name <= after else (low, middle)
        return low


def _bytes(bits: int, size: int) -> bytes:
    return bits.to_bytes(size // 8 + 1, "little")

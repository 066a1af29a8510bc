"""Many names in little memory: one text and where each begins, instead of an object for each.

A hundred thousand names take two bytes more than they have letters. They are sorted, so that one
is found by halves, and a name without its namespace by one search through the text.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

AT_ONCE = 1_000


class Names:
    """Names in a fixed order: sorted stretches, one behind the other."""

    __slots__ = ("_begins", "_text")

    def __init__(self, names: Iterable[str]) -> None:
        begins, parts, at, every = array("I"), list[str](), 0, iter(names)
        while some := [*islice(every, AT_ONCE)]:  # so many objects at a time, and no more
            for name in some:
                begins.append(at)
                at += len(name) + 1
            parts.append("\n".join([*some, ""]))
        begins.append(at)
        self._begins, self._text = begins, "".join(parts)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._begins) - 1

    def __getitem__(self, at: int) -> str:
        """The name in a place."""
        return self._text[self._begins[at] : self._begins[at + 1] - 1]

    def __eq__(self, other: Any) -> bool:
        """Whether the same names stand in the same order."""
        return isinstance(other, Names) and self._text == other._text

    __hash__ = None  # type: ignore[assignment]  # they are compared, never looked up

    def some(self, places: Iterable[int]) -> Iterator[str]:
        """The names in some places, in their order."""
        begins, text = self._begins, self._text
        for at in places:
            yield text[begins[at] : begins[at + 1] - 1]

    def find(self, name: str, low: int, high: int) -> int:
        """The place of a name within a sorted stretch, -1 when it is not there."""
        at = bisect_left(self, name, low, high)
        return at if at < high and self[at] == name else -1

    def ending(self, ending: str, low: int, high: int) -> Iterator[int]:
        """The places within a stretch of the names that end so."""
        if low >= high:
            return
        at, last = self._begins[low], self._begins[high]
        while (at := self._text.find(f"{ending}\n", at, last)) >= 0:
            yield bisect_right(self._begins, at) - 1
            at += 1

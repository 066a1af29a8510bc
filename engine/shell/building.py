"""Builds a JSON value from parse events, within limits, and remembers the line of every node.

Both document languages end here, so that they have the same limits and the same refusals: a
value deeper or larger than a document can need, a key that stands twice, text that is not text.
Lines are kept as a tree and looked up by path, which costs nothing until somebody asks.
"""

from collections.abc import ItemsView, Iterator, Mapping
from typing import Any

from engine.core.documents.raw import join, split
from engine.core.words import shorten

DEEPEST = 50
MOST_NODES = 20_000
LONGEST_KEY = 256


class Unreadable(Exception):
    """The text cannot become a document. `line` counts from 1."""

    def __init__(self, code: str, message: str, line: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.hint = hint


class Lines(Mapping[str, int]):
    """Path -> line. The path of the whole value is ""."""

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._children: dict[tuple[int, str | int], int] = {}

    def add(self, parent: int, key: str | int, line: int) -> int:
        """Note a node and return its number; the first node has no parent (-1)."""
        number = len(self._lines)
        self._lines.append(line)
        if parent >= 0:
            self._children[(parent, key)] = number
        return number

    def __getitem__(self, path: str) -> int:
        node = 0
        for key in split(path):
            node = self._children[(node, key)]
        return self._lines[node]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.items()))

    def items(self) -> ItemsView[str, int]:
        """All of them at once, which costs far less than looking up each."""
        paths = {0: ""}
        for (parent, key), number in self._children.items():
            paths[number] = join(paths[parent], key)
        return {path: self._lines[number] for number, path in paths.items()}.items()

    def __len__(self) -> int:
        return len(self._lines)


class Builder:
    """Receives events and makes one value. Raises Unreadable as soon as a limit is passed."""

    def __init__(self) -> None:
        self.value: Any = None
        self.lines = Lines()
        self.complete = False
        self._open: list[tuple[int, dict[str, Any] | list[Any]]] = []
        self._key: str | None = None

    @property
    def wants_key(self) -> bool:
        """Whether the next scalar is a key."""
        return bool(self._open) and isinstance(self._open[-1][1], dict) and self._key is None

    def key(self, name: str, line: int) -> None:
        """A key of the open object."""
        holder = self._open[-1][1]
        if name in holder:
            raise Unreadable("duplicate_key", f"the key {shorten(name)!r} stands here twice", line)
        if len(name) > LONGEST_KEY:
            raise Unreadable("too_long", f"a key has at most {LONGEST_KEY} characters", line)
        _check_text(name, line)
        self._key = name

    def scalar(self, value: str | int | float | bool | None, line: int) -> None:
        """A value without children."""
        if isinstance(value, str):
            _check_text(value, line)
        self._place(value, line)

    def open(self, holder: dict[str, Any] | list[Any], line: int) -> None:
        """Begin an object or a list; `holder` is empty."""
        if len(self._open) >= DEEPEST:
            raise Unreadable("too_deep", f"a document is at most {DEEPEST} levels deep", line)
        self._open.append((self._place(holder, line), holder))

    def close(self) -> None:
        """End the innermost object or list."""
        self._open.pop()

    def _place(self, value: Any, line: int) -> int:
        if len(self.lines) >= MOST_NODES:
            raise Unreadable("too_large", f"a document has at most {MOST_NODES:,} values", line)
        if not self._open:
            self.value, self.complete = value, True
            return self.lines.add(-1, "", line)
        number, holder = self._open[-1]
        if isinstance(holder, list):
            holder.append(value)
            return self.lines.add(number, len(holder) - 1, line)
        name, self._key = self._key or "", None
        holder[name] = value
        return self.lines.add(number, name, line)


def _check_text(text: str, line: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        message = "text holds half of a surrogate pair, which is no character"
        raise Unreadable("bad_text", message, line) from None

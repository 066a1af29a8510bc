"""Short ways round the parser, for what nearly every text of a document is.

Nine of ten expressions are a name and keys, `{{tasks.get.output.id}}`, or compare such a
reference with a number or a text; the parser needs ten times as long for them. What is found
here is exactly what the parser would find, offsets included; whatever is the least unusual is
left to it, and so is every mistake and every limit.
"""

import re
from collections.abc import Collection

from engine.core.expr.grammar import CONSTANTS
from engine.core.expr.tree import Chain, Key, Literal, Node, Path, Root, Term

# No repetition can end in two ways, so none gives back what it took: matching is a third faster.
_NAME = r"[A-Za-z_][A-Za-z0-9_]*+(?:-[A-Za-z0-9_]++)*+"
_WAY = rf"[ \t\r\n]*+({_NAME})((?:\.\$?{_NAME})*+)[ \t\r\n]*+"
_INSIDE = re.compile(rf"{_WAY}\}}\}}")
_REFERENCES = re.compile(rf"\$?\{{\{{{_WAY}\}}\}}")
_COMPARISON = re.compile(
    rf"{_WAY}(==|!=|<=|>=|<|>)[ \t\r\n]*"
    r"(0|[1-9][0-9]{0,17}|'[^'\\{]*'|\"[^\"\\{]*\")[ \t\r\n]*\Z"
)
_SHORT = 900
"""Characters; a shorter text cannot break the limits of an expression by names alone."""

Roots = Collection[str] | None
Way = tuple[str, ...]


def references(text: str, roots: Collection[str]) -> list[str | Way] | None:
    """The parts of a text with no other expressions than references: what it says, and ways.

    >>> references("of {{input.id}}", {"input"})
    ['of ', ('input', 'id')]
    """
    found = _REFERENCES.split(text) if len(text) <= _SHORT else [text]
    parts: list[str | Way] = []
    for at in range(0, len(found) - 1, 3):
        literal, name = found[at], found[at + 1]
        if "{{" in literal or literal[-1:] == "{" or name in CONSTANTS or name not in roots:
            return None
        if literal:
            parts.append(literal)
        parts.append(tuple((name + found[at + 2]).split(".")))
    if "{{" in found[-1]:
        return None
    return [*parts, found[-1]] if found[-1] else parts


def ways(text: str, roots: Collection[str]) -> list[Way] | None:
    """The references of such a text; None where anything else is in it.

    >>> ways("of {{input.id}}", {"input"})
    [('input', 'id')]
    """
    whole = _REFERENCES.fullmatch(text) if len(text) <= _SHORT else None
    if whole is not None:
        return [_way(whole)] if _known(whole[1], roots) else None
    parts = references(text, roots)
    return None if parts is None else [part for part in parts if not isinstance(part, str)]


def reference(text: str, start: int, roots: Roots) -> tuple[Node, int] | None:
    """The reference that begins at `start` and goes up to `}}`, and where those are."""
    found = _INSIDE.match(text, start)
    if found is None or found.end() - start > _SHORT or not _known(found[1], roots):
        return None
    return _node(found), found.end() - 2


def compared(text: str, roots: Roots) -> Way | None:
    """What is read by a whole text that compares a reference with a whole number or a text.

    >>> compared("input.order.total > 3", {"input"})
    ('input', 'order', 'total')
    """
    found = _comparison(text, roots)
    return None if found is None else _way(found)


def comparison(text: str, roots: Roots) -> Node | None:
    """A whole text that compares a reference with a whole number or a text."""
    found = _comparison(text, roots)
    if found is None:
        return None
    written = found[4]
    value = int(written) if written.isdigit() else written[1:-1]
    term = Term(found[3], Literal(value, found.start(4)), found.start(3))
    return Chain(_node(found), (term,))


def _comparison(text: str, roots: Roots) -> re.Match[str] | None:
    found = _COMPARISON.match(text) if len(text) <= _SHORT else None
    return found if found is not None and _known(found[1], roots) else None


def _known(name: str, roots: Roots) -> bool:
    return name not in CONSTANTS and (roots is None or name in roots)


def _way(found: re.Match[str]) -> Way:
    return tuple((found[1] + found[2]).split("."))


def _node(found: re.Match[str]) -> Node:
    at = found.start(1)
    root, keys = Root(found[1], at), found[2]
    return Path(root, tuple(map(Key, keys[1:].split("."))), at) if keys else root

r"""The values of a plan as lines for people: each one named, quoted, and its length said.

An object or a list becomes one line for each value in it, so that nothing in it can be left
out; a long text is cut in the middle, with the number of characters left out and the hash of the
whole. What hides is made visible, and so are runs of spaces, which push the rest out of sight.
It refuses to know which values matter.
"""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from engine.core.visible import visible

HEAD, TAIL = 400, 100
"""Characters of a long text that are shown: its beginning and its end."""
_SPACES = re.compile(r" {4,}")


class _Number(str):
    """A number exactly as it was written: 150.00 stays 150.00."""

    __slots__ = ()


def quoted(text: str) -> str:
    r"""A text in quotes with nothing hidden, cut in the middle when it is long.

    >>> quoted('say "hi"' + " " * 30 + "\x07")
    '"say \\"hi\\"<U+0020 x30><U+0007>"'
    >>> quoted("x" * 600)[400:424]
    'x" ... +100 chars, sha25'
    """
    if len(text) <= HEAD + TAIL:
        return f'"{_inside(text)}"'
    left = len(text) - HEAD - TAIL
    name = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return (
        f'"{_inside(text[:HEAD])}" ... +{left:,} chars, sha256 {name} ... "{_inside(text[-TAIL:])}"'
    )


def named(text: str) -> str:
    r"""A name without quotes, and with nothing hidden; in quotes when it had to be cut.

    >>> named("demo/place-order"), named("a\nb")
    ('demo/place-order', 'a<U+000A>b')
    """
    shown = quoted(text)
    return shown[1:-1] if len(text) <= HEAD + TAIL else shown


def _inside(text: str) -> str:
    shown = visible(text.replace("\\", "\\\\").replace('"', '\\"'))
    return _SPACES.sub(lambda found: f"<U+0020 x{len(found[0])}>", shown)


def shown(value: Any) -> str:
    """One value without parts: text in quotes, everything else as JSON writes it."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return {"{}": "{}", "[]": "[]"}.get(str(value), visible(str(value)))


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in `value` with its path, in order; an empty object or list is a value.

    >>> list(leaves({"a": [1, {"b c": None}], "d": {}}))
    [('a[0]', 1), ('a[1]["b c"]', None), ('d', {})]
    """
    todo: list[tuple[str, Any]] = [(name, value)]
    while todo:
        path, one = todo.pop()
        if isinstance(one, Mapping) and one:
            todo += [(_member(path, key), item) for key, item in reversed([*one.items()])]
        elif isinstance(one, list | tuple) and one:
            todo += [(f"{path}[{at}]", item) for at, item in reversed([*enumerate(one)])]
        else:
            yield path, one


def _member(path: str, key: str) -> str:
    if key.replace("-", "_").isidentifier() and key.isascii():
        return f"{path}.{key}" if path else key
    return f"{path}[{quoted(key)}]"


def parsed(text: str) -> Any:
    """The JSON that a body is, with its numbers as they were written; else the text itself.

    A body with a key twice stays text, because readers do not agree on what it means.

    >>> list(leaves(parsed('{"amount": 150.00}')))[0][1] == "150.00"
    True
    >>> parsed('{"a": 1, "a": 2}')
    '{"a": 1, "a": 2}'
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        return text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands here twice")
    return found


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")

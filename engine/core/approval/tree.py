"""A restricted tree of JSON as bytes, in exactly one way; and back.

Two different trees never give the same bytes: 1 and 1.0 differ, and so do a text and a number.
Numbers that are not whole are written as tagged decimals (`{"~d":"1.5"}`), because floats are not
read alike everywhere; a key that begins with `~` gets another one. Refused are numbers that are
not finite, halves of surrogate pairs, keys that are not text, and what is nested or large beyond
reason. It refuses to know what the tree means.
"""

import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.core.compact import writer
from engine.core.errors import Refused

MAX_DEPTH = 80
MAX_BYTES = 4 * 1024 * 1024
_TAG = "~d"


def written(tree: Any) -> bytes:
    """The bytes of a tree; raises Refused `bad_plan`.

    >>> written({"b": [1, 1.0], "a": None})
    b'{"a":null,"b":[1,{"~d":"1.0"}]}'
    """
    return whole(part(tree, 0))


def part(tree: Any, depth: int) -> str:
    """The text of a tree that lies so deep in another one; raises Refused `bad_plan`."""
    try:
        return _text_of(_tagged(tree, depth))
    except ValueError as error:  # a number of more digits than Python writes
        raise refused(str(error)) from None


def whole(text: str) -> bytes:
    """The bytes of a tree whose text was put together of parts; raises Refused `bad_plan`."""
    if len(text) > MAX_BYTES:
        raise refused(f"it is larger than {MAX_BYTES:,} bytes")
    return text.encode("ascii")


_text_of = writer(ascii_only=True, sort_keys=True)


def tree_of(raw: bytes) -> Any:
    """The tree that was written as `raw`; raises Refused `bad_plan` for any other bytes."""
    try:
        tree = json.loads(raw.decode("ascii"), object_pairs_hook=_object, parse_float=_no_float)
    except (ValueError, RecursionError) as error:
        raise refused(f"these bytes are not a plan: {error}") from None
    if written(tree) != raw:
        raise refused("these bytes are not in the one form of a plan")
    return tree


def _tagged(tree: Any, depth: int) -> Any:
    kind = type(tree)
    if kind is str:
        return tree if tree.isascii() else _text(tree)
    if tree is None or kind is bool or kind is int:
        return tree
    if kind is float or kind is Decimal:
        return {_TAG: _number(tree)}
    if depth > MAX_DEPTH:
        raise refused(f"it is nested deeper than {MAX_DEPTH}")
    if kind is dict or isinstance(tree, Mapping):
        return {_key(key): _tagged(item, depth + 1) for key, item in tree.items()}
    if kind is list or kind is tuple:
        return [_tagged(item, depth + 1) for item in tree]
    raise refused(f"it holds a {kind.__name__}")


def _text(text: str) -> str:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise refused("it holds half a surrogate pair")
    return text


def _key(key: Any) -> str:
    if type(key) is not str:
        raise refused("it has a key that is not text")
    text = key if key.isascii() else _text(key)
    return "~" + text if text[:1] == "~" else text


def _number(number: float | Decimal) -> str:
    if not math.isfinite(number):
        raise refused("it holds a number that is not finite")
    return repr(number) if type(number) is float else str(number)


def _object(pairs: Iterable[tuple[str, Any]]) -> Any:
    found: dict[str, Any] = {}
    for key, item in pairs:
        if key in found:
            raise ValueError(f"the key {key[:40]!r} is there twice")
        found[key] = item
    if _TAG in found:
        return _decimal(found)
    return {key.removeprefix("~"): item for key, item in found.items()}


def _decimal(found: Mapping[str, Any]) -> float | Decimal:
    text = found[_TAG]
    if len(found) != 1 or type(text) is not str:
        raise ValueError("a tagged decimal holds one text")
    try:
        number = float(text)
        return number if repr(number) == text else Decimal(text)
    except (ValueError, InvalidOperation):
        raise ValueError(f"{text[:40]!r} is not a decimal") from None


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:40]} is a number that is not whole, and not tagged")


def refused(why: str) -> Refused:
    """The refusal of a plan that cannot be shown and bound exactly as it is."""
    return Refused(
        "bad_plan",
        f"a person cannot be asked for this: {why}",
        "Use plain JSON values of moderate size in what the step sends.",
    )

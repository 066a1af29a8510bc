"""Lossless coercion: a value in the form that a schema asks for, if nothing is lost by it.

"3" is 3 for an integer, and 3 is "3" for a text; 3.7 is never 3 and "007" is never 7. A choice is
found whatever its capitals. What would have to be rounded, cut, completed or interpreted is unfit
and says why. Whether the outcome satisfies the schema in full is asked afterwards.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from engine.core.schema import followed, type_name
from engine.core.words import listed, shorten

DEEPEST = 8
"""Levels of arrays and objects that are looked into; what lies deeper stays as it is."""
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
_DATE = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
_NOTHING = object()


class Unfit(ValueError):
    """A value that does not fit without loss; the text says what was wanted."""


def coerced(root: Mapping[str, Any], part: Any, given: Any, depth: int = 0) -> Any:
    """`given` as the subschema `part` of `root` wants it; raises Unfit.

    >>> coerced({}, {"type": "integer"}, "3"), coerced({}, {"enum": ["Red"]}, "RED")
    (3, 'Red')
    >>> coerced({}, {"type": "integer"}, 3.7)
    Traceback (most recent call last):
    engine.core.discovery.coerce.Unfit: is 3.7, not integer
    """
    part = followed(root, part)
    if depth > DEEPEST:
        return given
    options = part["enum"] if isinstance(part.get("enum"), list) else None
    if options is not None and not isinstance(given, list):
        return _option(part, options, given)
    kinds = _kinds(part)
    if not kinds or any(_IS[kind](given) for kind in kinds if kind in _IS):
        return _inside(root, part, given, depth)
    found = [made for kind in kinds if (made := _as(kind, given)) is not _NOTHING]
    if not found or any(not same(found[0], other) for other in found[1:]):
        raise Unfit(f"is {shown(given)}, not {type_name(part)}")
    return _inside(root, part, found[0], depth)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; 1 and 1.0 are, 1 and true are not.

    >>> same(1, 1.0), same(1, True), same({"a": [1]}, {"a": [1]})
    (True, False, True)
    """
    if _number(one) and _number(other):
        return bool(one == other)
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def shown(given: Any) -> str:
    """A value in a message, cut when it is long."""
    return shorten(json.dumps(given, ensure_ascii=False, default=str), 60)


def _kinds(part: Mapping[str, Any]) -> list[str]:
    kind = part.get("type")
    if isinstance(kind, str):
        return [kind]
    return [each for each in kind if isinstance(each, str)] if isinstance(kind, list) else []


def _option(part: Mapping[str, Any], options: list[Any], given: Any) -> Any:
    """The choice that is meant: itself, in other capitals, or a number written as text."""
    for option in options:
        if same(option, given):
            return option
    text = _text(given)
    meant = [option for option in options if text and _text(option).casefold() == text.casefold()]
    if len(meant) != 1:
        choices = listed(_text(option) for option in options)
        raise Unfit(f"is {shown(given)}, not one of {choices}")
    return meant[0]


def _text(given: Any) -> str:
    if isinstance(given, str):
        return given
    return str(given) if _whole(given) else ""


def _inside(root: Mapping[str, Any], part: Mapping[str, Any], given: Any, depth: int) -> Any:
    if isinstance(given, str) and part.get("format") == "date":
        return _day(given)
    if isinstance(given, list) and isinstance(part.get("items"), Mapping):
        return [coerced(root, part["items"], each, depth + 1) for each in given]
    properties = part.get("properties")
    if isinstance(given, dict) and isinstance(properties, Mapping):
        return {
            name: coerced(root, properties[name], each, depth + 1) if name in properties else each
            for name, each in given.items()
        }
    return given


def _day(text: str) -> str:
    """A date with the year first in the one form that JSON Schema knows; else as it is."""
    found = _DATE.fullmatch(text)
    try:
        return date(int(found[1]), int(found[3]), int(found[4])).isoformat() if found else text
    except ValueError:
        return text


def _as(kind: str, given: Any) -> Any:
    if kind in _READ and isinstance(given, str):
        return _READ[kind](given)
    if kind in ("object", "array") and isinstance(given, str):
        return _structure(kind, given)
    return _written(given) if kind == "string" else _NOTHING


def _structure(kind: str, text: str) -> Any:
    """A JSON text that holds what is wanted, read once."""
    try:
        found = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return _NOTHING
    return found if _IS[kind](found) else _NOTHING


def _no_json(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _written(given: Any) -> Any:
    """A number as text; what Python would write with an exponent has no plain text."""
    if not _number(given) or "e" in (text := repr(given)):
        return _NOTHING
    return text


def _integer(text: str) -> Any:
    return int(text) if _INTEGER.fullmatch(text) else _NOTHING


def _decimal(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return _NOTHING
    number = float(text) if "." in text else int(text)
    return number if Decimal(text) == Decimal(repr(number)) else _NOTHING


def _truth(text: str) -> Any:
    return {"true": True, "false": False}.get(text.lower(), _NOTHING)


def _whole(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


def _number(given: Any) -> bool:
    return _whole(given) or (isinstance(given, float) and math.isfinite(given))


_READ: Mapping[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _decimal,
    "boolean": _truth,
}
_IS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda given: isinstance(given, str),
    "integer": lambda given: _whole(given) or (isinstance(given, float) and given.is_integer()),
    "number": _number,
    "boolean": lambda given: isinstance(given, bool),
    "array": lambda given: isinstance(given, list),
    "object": lambda given: isinstance(given, dict),
    "null": lambda given: given is None,
}

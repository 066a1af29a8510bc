"""Examples in JSON lines: what was asked, and what would have been right.

Every line is checked before anything is measured, and a line that cannot be meant is refused with
its file and number. Three kinds of lines are told apart by their names: what a query should find,
what inputs a context should give, and which labels a person set. Files are opened by others.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.core.errors import Refused
from engine.core.schema import SchemaError, check_schema, fields

Row = dict[str, Any]
MOST_LETTERS = 1_000_000
"""Characters of one line."""

PAGE = "docs/evaluation.md shows a line of every kind."


def rows_of(lines: Iterable[str], file: str, kind: str = "") -> tuple[str, list[Row]]:
    """The kind of these lines and what they hold, each with an `id`; blank ones are passed over.

    `kind` may be left out: then the first line tells. Raises Refused `bad_example`.
    """
    found: list[Row] = []
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        place = f"{file}:{number}"
        row = _object(text, place)
        kind = kind or _kind(row, place)
        _check(row, _FIELDS[kind], place)
        _check_schema(row, place)
        row.setdefault("id", f"line {number}")
        found.append(row)
    if not found:
        raise Refused("bad_example", f"{file} holds no examples", PAGE)
    return kind, found


def catalogue_rows(lines: Iterable[str], file: str) -> list[Row]:
    """The entries of a catalogue, each a name and what it does; raises Refused `bad_example`."""
    found: dict[str, Row] = {}
    for number, text in enumerate(lines, 1):
        if text.strip():
            place = f"{file}:{number}"
            row = _object(text, place)
            _check(row, _ENTRY, place)
            _check_inputs(row, place)
            if row["name"] in found:
                raise _bad(place, f"the name {row['name'][:80]!r} stands there a second time")
            found[row["name"]] = row
    if not found:
        raise Refused("bad_example", f"{file} holds no catalogue", PAGE)
    return list(found.values())


def _object(text: str, place: str) -> Row:
    if len(text) > MOST_LETTERS:
        raise _bad(place, f"a line may have {MOST_LETTERS:,} characters")
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else "too deep"
        raise _bad(place, f"this is no JSON: {said}") from None
    if not isinstance(row, dict):
        raise _bad(place, "a line is one JSON object")
    return row


def _kind(row: Row, place: str) -> str:
    for name, kind in (("gold_input", "extract"), ("gold", "search"), ("tags", "labels")):
        if name in row:
            return kind
    raise _bad(place, "it has neither `gold` (search), `gold_input` (extract) nor `tags` (labels)")


Check = tuple[bool, Callable[[Any], bool], str]
"""Whether a field must be there, what may stand in it, and that in words."""


def _text(given: Any) -> bool:
    return isinstance(given, str) and bool(given.strip())


def _texts(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(each, str) and each for each in given)


def _mapping(given: Any) -> bool:
    return isinstance(given, dict)


def _lists(given: Any) -> bool:
    return isinstance(given, dict) and all(isinstance(each, list) for each in given.values())


def _context(given: Any) -> bool:
    used = ("uses", "depends", "node_types", "task_types")
    return isinstance(given, dict) and all(isinstance(given.get(name, []), list) for name in used)


_NAMES = "is a list of names"
_ID: Check = (False, _text, "is a text")
_FIELDS: Mapping[str, Mapping[str, Check]] = {
    "search": {
        "id": _ID,
        "query": (True, _text, "is what was asked, a text"),
        "gold": (True, _texts, _NAMES),
        "rejected": (False, _texts, _NAMES),
    },
    "extract": {
        "id": _ID,
        "query": (True, _text, "is what was asked, a text"),
        "input_schema": (True, _mapping, "is a JSON Schema, an object"),
        "gold_input": (True, _mapping, "is an object of right inputs"),
        "accept": (False, _lists, "is an object with a list of right values for each input"),
    },
    "labels": {
        "id": _ID,
        "name": (True, _text, "is a name"),
        "description": (True, lambda given: isinstance(given, str), "is a text"),
        "tags": (True, _texts, "is a list of texts"),
        "categories": (False, _texts, "is a list of texts"),
        "context": (False, _context, "is an object; what it uses is a list"),
    },
}
_ENTRY: Mapping[str, Check] = {
    "name": (True, _text, "is a name"),
    "description": (False, lambda given: isinstance(given, str), "is a text"),
    "input_schema": (False, _mapping, "is a JSON Schema, an object"),
    "tags": (False, _texts, "is a list of texts"),
    "categories": (False, _texts, "is a list of texts"),
}


def _check(row: Row, wanted: Mapping[str, Check], place: str) -> None:
    """Other fields may stand there too: a file may say where its lines come from."""
    for name, (needed, fits, words) in wanted.items():
        if name in row and not fits(row[name]):
            raise _bad(place, f"`{name}` {words}")
        if needed and name not in row:
            raise _bad(place, f"`{name}` is missing; it {words}")


def _check_schema(row: Row, place: str) -> None:
    try:
        check_schema(row.get("input_schema", {}))
    except SchemaError as error:
        raise _bad(place, f"`input_schema` cannot be used: {error}") from None


def _check_inputs(row: Row, place: str) -> None:
    """A catalogue is only searched: of a schema the names and words of its inputs are enough."""
    try:
        fields(row.get("input_schema") or {})
    except (SchemaError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise _bad(place, f"`input_schema` cannot be read: {type(error).__name__}") from None


def _bad(place: str, message: str) -> Refused:
    return Refused("bad_example", f"{place}: {message}", PAGE, details={"place": place})

"""The input of a workflow as a person types it: JSON, a file, or `key=value`.

Several parts are merged from left to right. JSON is read strictly: a key given twice, a number
that JSON does not have or nesting without end is refused, not guessed at. Which type a
`key=value` should have is the workflow's to say; without a declared type it is JSON if it reads
as JSON and text otherwise.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_server.cli.ending import Exit, Stop

if TYPE_CHECKING:
    from engine.core.views import InputField

MOST_BYTES = 4 * 1024 * 1024
FORMS = "give JSON ('{\"userId\": 3}'), a file (@input.json, @- for stdin) or userId=3"


def read_inputs(parts: Iterable[str], fields: Sequence["InputField"] = ()) -> Any:
    """The input that the parts stand for. Raises Stop when a part cannot be read."""
    types = {field.name: field.type for field in fields}
    merged: dict[str, Any] = {}
    for part in parts:
        merged.update(_part(part, types))
    return merged


def _part(part: str, types: Mapping[str, str]) -> dict[str, Any]:
    if part.startswith("@"):
        return _object(_file(part[1:]), part)
    if part.lstrip().startswith(("{", "[")):
        return _object(part, "--input")
    key, equals, text = part.partition("=")
    if not equals or not key:
        raise bad_input(f"cannot read {part[:60]!r} as an input")
    return {key: _typed(text, types.get(key, ""), key)}


def _typed(text: str, type_: str, key: str) -> Any:
    """`text` as the declared type wants it.

    >>> _typed("3", "string", "id"), _typed("3", "integer", "id"), _typed("[1]", "", "id")
    ('3', 3, [1])
    >>> _typed("not json", "", "id")
    'not json'
    """
    if type_ == "string":
        return text
    try:
        return strict_json(text)
    except ValueError:
        # The engine says better than we could what is wrong with a text in this place.
        return text


def _file(name: str) -> str:
    if name == "-":
        raw = sys.stdin.buffer.read(MOST_BYTES + 1)
    else:
        with Path(name).expanduser().open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise bad_input(f"{name} is larger than {MOST_BYTES // 1024 // 1024} MiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad_input(f"{name} is not UTF-8 text (byte {error.start})") from None


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = strict_json(text)
    except ValueError as error:
        raise bad_input(f"{where} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise bad_input(f"{where} holds a {_NAMES[type(value)]}, and an input is an object")
    return value


_NAMES = {list: "list", str: "text", int: "number", float: "number", bool: "boolean"}
_NAMES[type(None)] = "null"


def strict_json(text: str) -> Any:
    """JSON as the standard has it. Raises ValueError with the place or the name at fault.

    >>> strict_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: the key 'a' is there twice
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:60]!r} is there twice")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def bad_input(message: str) -> Stop:
    """The error for an input that cannot be read at all."""
    return Stop(Exit.USAGE, "invalid_input", message, FORMS)

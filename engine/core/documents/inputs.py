"""The two ways to write `input`, made one: a JSON Schema of an object.

The short form maps names to `{type, required, description, default, enum, ...}`. It is closed:
a name that is not in it is a mistake of the caller. A JSON Schema is kept as it was written.
"""

from collections.abc import Mapping
from typing import Any

from engine.core.documents.raw import Report, join
from engine.core.schema import (
    SchemaError,
    check_schema,
    fields,
    generated_description,
    is_valid,
)
from engine.core.words import listed, shorten

TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
NO_INPUT: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
_COMBINERS = ("allOf", "anyOf", "oneOf", "required", "enum")


def is_schema(value: Mapping[str, Any]) -> bool:
    """Whether `input` is a JSON Schema and not the short form.

    >>> is_schema({"type": "object"}), is_schema({"type": {"type": "string"}}), is_schema({})
    (True, False, False)
    """
    if isinstance(value.get("type"), str | list) or isinstance(value.get("$ref"), str):
        return True
    if any(isinstance(value.get(word), list) for word in _COMBINERS):
        return True
    properties = value.get("properties")
    return isinstance(properties, Mapping) and not isinstance(properties.get("type"), str | list)


def read_input(report: Report, path: str, value: Any) -> Mapping[str, Any]:
    """The JSON Schema of a workflow's input, every field described."""
    if value is None:
        return NO_INPUT
    if not isinstance(value, dict):
        report.error(path, "wrong_type", "input must be an object: a JSON Schema or named fields")
        return NO_INPUT
    written_out = is_schema(value)
    schema = value if written_out else _long(report, path, value)
    fields_at = join(path, "properties") if written_out else path
    if not read_schema(report, path, schema):
        return NO_INPUT
    _describe(report, fields_at, schema)
    _defaults(report, fields_at, schema)
    return _with_descriptions(schema)


def read_schema(report: Report, path: str, value: Any) -> Mapping[str, Any] | None:
    """A JSON Schema that can be used, or None with the reason reported."""
    if value is None:
        return None
    if not isinstance(value, dict):
        report.error(path, "wrong_type", "a schema must be an object")
        return None
    try:
        check_schema(value)
    except SchemaError as error:
        where = path
        for key in error.path:
            where = join(where, key)
        report.error(
            where, "bad_schema", f"this schema cannot be used: {error.message}", error.hint
        )
        return None
    return value


def _long(report: Report, path: str, value: Mapping[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, part in value.items():
        where = join(path, name)
        if not isinstance(part, dict):
            report.error(
                where, "wrong_type", f"the input {shorten(name)!r} must be an object with a type"
            )
            continue
        needed = part.get("required")
        rest = {
            key: inner
            for key, inner in part.items()
            if key != "required" or isinstance(needed, list)
        }
        _type_known(report, where, part)
        properties[name] = rest
        if needed is True:
            required.append(name)
        elif not (needed is None or isinstance(needed, bool | list)):
            report.error(join(where, "required"), "wrong_type", "required must be true or false")
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _type_known(report: Report, path: str, part: Mapping[str, Any]) -> None:
    kind = part.get("type")
    if isinstance(kind, str) and kind not in TYPES:
        hint = report.nearest(kind, TYPES) or f"one of: {listed(TYPES)}"
        report.error(join(path, "type"), "bad_value", f"{shorten(kind)!r} is not a type", hint)


def _describe(report: Report, path: str, schema: Mapping[str, Any]) -> None:
    for field in fields(schema):
        if field.generated:
            report.warn(
                join(path, field.name),
                "no_description",
                f"the input {shorten(field.name)!r} has no description",
                f"it is shown as {field.description!r}; say what it is for",
            )


def _defaults(report: Report, path: str, schema: Mapping[str, Any]) -> None:
    properties = schema.get("properties")
    for name, part in properties.items() if isinstance(properties, Mapping) else ():
        if isinstance(part, dict) and "default" in part and not _default_fits(part):
            where = join(join(path, name), "default")
            message = f"the default of {shorten(name)!r} breaks its own rules"
            report.error(where, "bad_default", message)


def _default_fits(part: Mapping[str, Any]) -> bool:
    try:
        return is_valid(part, part["default"])
    except SchemaError:
        return True  # it refers to other parts of the schema, so it says nothing by itself


def _with_descriptions(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return schema
    named = {name: _described(name, part) for name, part in properties.items()}
    return {**schema, "properties": named}


def _described(name: str, part: Any) -> Any:
    if not isinstance(part, Mapping) or part.get("description") or "$ref" in part:
        return part
    return {**part, "description": generated_description(name, part)}

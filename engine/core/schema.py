"""JSON Schema as the engine uses it: check, explain, fill in defaults, read JSON text.

Validation is done by a compiled engine without backtracking, which is never allowed to fetch
anything. What it finds is turned into the two questions a caller asks: which inputs are missing,
and which are wrong and how. Compiled schemas are kept; a schema that was handed in must not be
changed afterwards.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

import jsonschema_rs

from engine.core.errors import Failure, Kind, StepError
from engine.core.schema_limits import SchemaError, check_limits, target
from engine.core.views import InputField, InvalidInput
from engine.core.words import did_you_mean, listed, readable, shorten

__all__ = [
    "SchemaError",
    "check_schema",
    "coerce_json",
    "did_you_mean",
    "explain",
    "fields",
    "followed",
    "generated_description",
    "is_valid",
    "property_at",
    "type_name",
    "wants_structure",
    "with_defaults",
]

_MOST_ERRORS = 50
_MOST_COMPILED = 256


class _Error(Protocol):
    instance_path: list[str | int]
    message: str
    kind: Any


class _Validator(Protocol):
    def iter_errors(self, instance: Any) -> Any: ...
    def is_valid(self, instance: Any) -> bool: ...


# By identity, so that a call in a hot path does not print the schema first. The schema itself is
# kept in the value: while it is here, no other object can have its id.
_COMPILED: dict[int, tuple[Mapping[str, Any], _Validator]] = {}


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise SchemaError unless the schema is well-formed, bounded and self-contained."""
    _validator(schema)


def is_valid(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether `value` satisfies the schema. Raises SchemaError for an unusable schema."""
    validator = _validator(schema)
    try:
        return validator.is_valid(value)
    except ValueError:
        return False  # the value is not JSON, or too deep to be looked at


def fields(schema: Mapping[str, Any]) -> tuple[InputField, ...]:
    """The inputs an object schema describes, required ones first, else in document order."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return ()
    required = schema.get("required")
    needed = set(required) if isinstance(required, list) else set()
    found = [_field(schema, name, part, name in needed) for name, part in properties.items()]
    return tuple(sorted(found, key=lambda field: not field.required))


def _field(root: Mapping[str, Any], name: str, part: Any, required: bool) -> InputField:
    part = followed(root, part)
    written = part.get("description")
    made_up = generated_description(name, part)
    description = written if isinstance(written, str) and written else made_up
    enum = part.get("enum")
    return InputField(
        name=name,
        type=type_name(part),
        required=required,
        description=description,
        default=part.get("default"),
        enum=tuple(enum) if isinstance(enum, list) else (),
        generated=description == made_up,
    )


def generated_description(name: str, part: Mapping[str, Any]) -> str:
    """The description of a field whose author wrote none.

    >>> generated_description("userId", {"type": "string"})
    'User id (string)'
    """
    words = readable(name)
    form = part.get("format")
    kind = f"{type_name(part)}, {form}" if isinstance(form, str) else type_name(part)
    return f"{words[:1].upper()}{words[1:]} ({kind})"


def type_name(part: Mapping[str, Any]) -> str:
    """The type of a field in words.

    >>> type_name({"type": ["string", "null"]}), type_name({"enum": ["a"]}), type_name({})
    ('string or null', 'enum', 'any')
    """
    kind = part.get("type")
    if isinstance(kind, list):
        return " or ".join(str(one) for one in kind) or "any"
    if isinstance(kind, str):
        return kind
    return "enum" if isinstance(part.get("enum"), list) else "any"


def explain(
    schema: Mapping[str, Any], value: Any
) -> tuple[tuple[InputField, ...], tuple[InvalidInput, ...]]:
    """What is missing from `value` and what is wrong in it, in the schema's own words.

    Names are dotted paths (`body.items[0].id`). At most 50 findings. Raises SchemaError for an
    unusable schema.
    """
    if is_valid(schema, value):
        return (), ()  # almost always, and it costs nearly nothing
    missing: dict[str, InputField] = {}
    invalid: dict[str, InvalidInput] = {}
    for error in islice(_errors(schema, value), _MOST_ERRORS):
        if error.kind.name == "required":
            found = _missing(schema, error)
            missing.setdefault(found.name, found)
        else:
            for wrong in islice(_invalid(schema, value, error), _MOST_ERRORS - len(invalid)):
                invalid.setdefault(wrong.name, wrong)
    return tuple(missing.values()), tuple(invalid.values())


def _errors(schema: Mapping[str, Any], value: Any) -> Any:
    try:
        yield from _validator(schema).iter_errors(value)
    except ValueError as error:
        if isinstance(error, SchemaError):
            raise
        yield _Unreadable(shorten(str(error), 200))


class _Unreadable:
    """A value that the validator could not even read, for example because it is too deep."""

    class kind:
        name = "unreadable"

    def __init__(self, message: str) -> None:
        self.message = message
        self.instance_path: list[str | int] = []


def _missing(schema: Mapping[str, Any], error: _Error) -> InputField:
    path = [*error.instance_path, error.kind.property]
    part = property_at(schema, path) or {}
    found = _field(schema, str(path[-1]), part, True)
    return InputField(
        _dotted(path),
        found.type,
        True,
        found.description,
        found.default,
        found.enum,
        found.generated,
    )


def _invalid(schema: Mapping[str, Any], value: Any, error: _Error) -> Iterator[InvalidInput]:
    path = error.instance_path
    part = property_at(schema, path) or {}
    if error.kind.name == "additionalProperties":
        yield from (_unknown(value, path, part, name) for name in error.kind.unexpected)
        return
    received = _shown(_at(value, path))
    name = _dotted(path) or "input"
    description = _field(schema, str(path[-1]) if path else "input", part, False).description
    yield InvalidInput(name, type_name(part), description, _message(error), received)


def _unknown(value: Any, path: list[str | int], part: Mapping[str, Any], name: str) -> InvalidInput:
    known = list(part.get("properties", {}))
    hint = did_you_mean(name, known) or (
        f"known: {listed(known)}" if known else "it takes no inputs"
    )
    where = [*path, name]
    return InvalidInput(
        _dotted(where), "unknown", "", f"unknown input; {hint}", _shown(_at(value, where))
    )


def _message(error: _Error) -> str:
    if error.kind.name == "pattern":
        return f"does not match the pattern {shorten(str(error.kind.pattern), 100)}"
    return shorten(error.message, 200)


def _dotted(path: list[str | int]) -> str:
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{shorten(key)}" if text else shorten(key)
    return text


def _at(value: Any, path: list[str | int]) -> Any:
    for key in path:
        value = value[key]
    return value


def _shown(value: Any) -> str:
    try:
        return shorten(json.dumps(value, ensure_ascii=False, default=str), 120)
    except (ValueError, RecursionError):
        return "a value that is not JSON"


def property_at(schema: Mapping[str, Any], path: list[str | int]) -> Mapping[str, Any] | None:
    """The subschema that describes the value at `path`, as far as the schema says so plainly."""
    here = followed(schema, schema)
    for key in path:
        inner = here.get("items") if isinstance(key, int) else _named(here, key)
        if not isinstance(inner, Mapping):
            return None
        here = followed(schema, inner)
    return here


def _named(part: Mapping[str, Any], key: str) -> Any:
    properties = part.get("properties")
    if isinstance(properties, Mapping) and key in properties:
        return properties[key]
    return part.get("additionalProperties")


def followed(root: Mapping[str, Any], part: Any) -> Mapping[str, Any]:
    """The subschema itself, or what its references lead to; empty when it says nothing."""
    for _ in range(16):
        # The cheap question first: almost every schema is a plain dict.
        if type(part) is not dict and not isinstance(part, Mapping):
            return {}
        if not isinstance(part.get("$ref"), str):
            return part
        part = target(root, part["$ref"])
    return {}


def with_defaults(schema: Mapping[str, Any], value: Any) -> Any:
    """A copy of `value` in which absent properties have their defaults, at every object level.

    >>> with_defaults({"properties": {"n": {"default": 3}, "m": {}}}, {"m": 1})
    {'m': 1, 'n': 3}
    """
    return _filled(schema, schema, value, 0)


def _filled(root: Mapping[str, Any], part: Any, value: Any, depth: int) -> Any:
    part = followed(root, part)
    properties = part.get("properties")
    if not properties or not _mapping(value) or not _mapping(properties) or depth > 16:
        return value
    result = dict(value)
    for name, inner in properties.items():
        if name in result:
            result[name] = _filled(root, inner, result[name], depth + 1)
        else:
            found = followed(root, inner)
            if "default" in found:
                result[name] = found["default"]
    return result


def coerce_json(value: Any, schema: Mapping[str, Any] | None) -> Any:
    """`value` with JSON text read, once, wherever the schema wants an object or array instead.

    The platform's documents write request bodies as text with templates in it. Text stays text
    where the schema allows text. Raises StepError(validation) when such text is not JSON.

    >>> coerce_json({"body": '{"id": 7}'}, {"properties": {"body": {"type": "object"}}})
    {'body': {'id': 7}}
    """
    return value if schema is None else _coerced(schema, schema, value, "input", 0)


def _coerced(root: Mapping[str, Any], part: Any, value: Any, where: str, depth: int) -> Any:
    part = followed(root, part)
    if isinstance(value, str):
        return _read(value, where) if wants_structure(part) else value
    properties = part.get("properties")
    if not properties or not _mapping(value) or not _mapping(properties) or depth > 16:
        return value
    return {
        name: _coerced(root, properties[name], inner, f"{where}.{name}", depth + 1)
        if name in properties
        else inner
        for name, inner in value.items()
    }


def _mapping(value: Any) -> bool:
    return type(value) is dict or isinstance(value, Mapping)


def wants_structure(part: Mapping[str, Any]) -> bool:
    """Whether a schema takes objects or arrays and no text.

    >>> wants_structure({"type": ["object", "null"]}), wants_structure({"type": "string"})
    (True, False)
    """
    kind = part.get("type")
    kinds = {kind} if isinstance(kind, str) else set(kind) if isinstance(kind, list) else set()
    return bool(kinds & {"object", "array"}) and "string" not in kinds


def _read(text: str, where: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        failure = Failure(
            Kind.VALIDATION,
            "not_json",
            f"{where} must be an object or array, and its text is not JSON: {shorten(str(error))}",
            "write it as YAML, or make the text valid JSON",
        )
        raise StepError(failure) from error
    return value


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _validator(schema: Mapping[str, Any]) -> _Validator:
    kept = _COMPILED.get(id(schema))
    if kept is not None:
        return kept[1]
    if len(_COMPILED) >= _MOST_COMPILED:
        _COMPILED.clear()
    made = _compiled(_printed(schema))
    _COMPILED[id(schema)] = (schema, made)
    return made


def _printed(schema: Mapping[str, Any]) -> str:
    try:
        return json.dumps(schema, sort_keys=True, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise SchemaError(f"the schema is not JSON: {error}") from error


@lru_cache(maxsize=_MOST_COMPILED)
def _compiled(printed: str) -> _Validator:
    schema = json.loads(printed)
    check_limits(schema)
    try:
        return jsonschema_rs.validator_for(
            schema,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
            retriever=_no_retrieval,
        )
    except jsonschema_rs.ValidationError as error:
        raise SchemaError(shorten(error.message, 200), tuple(error.instance_path)) from error


def _no_retrieval(uri: str) -> Any:
    raise ValueError(f"{shorten(uri)} is not fetched: schemas are self-contained")

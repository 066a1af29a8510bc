"""Schemas: safe to carry out, explained in words, defaults filled in, JSON text read once."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import Kind, StepError
from engine.core.schema import (
    SchemaError,
    check_schema,
    coerce_json,
    did_you_mean,
    explain,
    fields,
    is_valid,
    with_defaults,
)

USER = {
    "type": "object",
    "properties": {
        "userId": {"type": "string", "description": "Number of the user", "pattern": "^u[0-9]+$"},
        "size": {"type": "integer", "minimum": 1, "default": 3},
        "mode": {"enum": ["fast", "slow"]},
        "at": {"type": "string", "format": "date-time"},
        "body": {
            "type": "object",
            "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
            "additionalProperties": False,
        },
    },
    "required": ["userId", "body"],
    "additionalProperties": False,
    "$defs": {
        "item": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    },
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def test_fields_are_told_with_the_required_ones_first() -> None:
    found = {field.name: field for field in fields(USER)}
    assert list(found) == ["userId", "body", "size", "mode", "at"]
    assert (found["userId"].type, found["userId"].required) == ("string", True)
    assert (found["userId"].description, found["userId"].generated) == ("Number of the user", False)
    assert (found["size"].default, found["size"].generated) == (3, True)
    assert found["size"].description == "Size (integer)"
    assert (found["mode"].type, found["mode"].enum) == ("enum", ("fast", "slow"))
    assert (found["at"].type, found["at"].description) == ("string", "At (string, date-time)")


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": []}, "any"),
        ({"enum": [1]}, "enum"),
        ({}, "any"),
        (True, "any"),
        ({"$ref": "#/$defs/t"}, "integer"),
    ],
)
def test_a_type_has_a_name(part: Any, name: str) -> None:
    schema = {"properties": {"a": part}, "$defs": {"t": {"type": "integer"}}}
    assert [field.type for field in fields(schema)] == [name]


def test_a_finding_below_what_the_schema_says_is_told_all_the_same() -> None:
    schema = {"additionalProperties": {"type": "object", "required": ["b"]}, "allOf": [
        {"properties": {"x": {"items": {"type": "string"}}}}
    ]}  # fmt: skip
    missing, invalid = explain(schema, {"a": {}, "x": {"b": 1}})
    assert [one.name for one in missing] == ["a.b"]
    missing, invalid = explain({"allOf": [{"items": {"required": ["c"]}}]}, [{}])
    assert [(one.name, one.type) for one in missing] == [("[0].c", "any")]
    assert invalid == ()


def test_a_schema_that_cannot_be_used_is_said_so_when_it_is_used() -> None:
    with pytest.raises(SchemaError):
        explain({"$ref": "#"}, 1)
    with pytest.raises(SchemaError):
        is_valid({"type": "strange"}, 1)


def test_thousands_of_schemas_are_not_all_kept() -> None:
    for at in range(5_000):
        assert is_valid({"minimum": at}, at)


def test_what_is_missing_is_told_as_the_field_it_is() -> None:
    missing, invalid = explain(USER, {})
    assert [(one.name, one.type, one.description) for one in missing] == [
        ("userId", "string", "Number of the user"),
        ("body", "object", "Body (object)"),
    ]
    assert invalid == ()


def test_what_is_missing_inside_has_a_path() -> None:
    missing, _ = explain(USER, {"userId": "u1", "body": {"items": [{"id": "a"}, {}]}})
    assert [(one.name, one.type) for one in missing] == [("body.items[1].id", "string")]


@pytest.mark.parametrize(
    ("value", "name", "error", "received"),
    [
        ({"userId": 7}, "userId", '7 is not of type "string"', "7"),
        ({"userId": "x"}, "userId", "does not match the pattern ^u[0-9]+$", '"x"'),
        ({"size": 0}, "size", "0 is less than the minimum of 1", "0"),
        ({"size": True}, "size", 'true is not of type "integer"', "true"),
        ({"size": "5"}, "size", '"5" is not of type "integer"', '"5"'),
        ({"at": "now"}, "at", '"now" is not a "date-time"', '"now"'),
        ({"userID": "u1"}, "userID", "unknown input; did you mean 'userId'?", '"u1"'),
        ({"body": {"itms": []}}, "body.itms", "unknown input; did you mean 'items'?", "[]"),
        ({"body": []}, "body", '[] is not of type "object"', "[]"),
    ],
)
def test_what_is_wrong_is_told_with_what_came(
    value: dict[str, Any], name: str, error: str, received: str
) -> None:
    _, invalid = explain(USER, {"userId": "u1", "body": {}, **value})
    assert [(one.name, one.error, one.received) for one in invalid] == [(name, error, received)]


def test_a_value_that_is_no_object_is_one_finding() -> None:
    assert [one.name for one in explain(USER, 5)[1]] == ["input"]


def test_what_came_is_shortened() -> None:
    _, invalid = explain(USER, {"userId": ["x" * 10_000], "body": {}})
    assert len(invalid[0].received) == 120
    assert len(invalid[0].error) == 200


def test_a_closed_schema_without_fields_takes_nothing() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    _, invalid = explain(schema, {"x": 1})
    assert invalid[0].error == "unknown input; it takes no inputs"


def test_findings_are_bounded() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    assert len(explain(schema, list(range(10_000)))[1]) == 50


@pytest.mark.parametrize("value", [float("nan"), [10**5_000], {1: 2}, b"x", object()])
def test_a_value_that_is_not_json_is_a_finding(value: Any) -> None:
    assert len(explain({"type": "object"}, value)[1]) == 1
    assert not is_valid({"type": "object"}, value)


def test_a_value_that_is_far_too_deep_is_a_finding() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert [one.name for one in explain({"enum": [1]}, deep)[1]] == ["input"]


# -- schemas that are not safe ----------------------------------------------------------------


def allof_doubling(levels: int) -> dict[str, Any]:
    parts = {
        f"p{at}": {"allOf": [{"$ref": f"#/$defs/p{at + 1}"}, {"$ref": f"#/$defs/p{at + 1}"}]}
        for at in range(levels)
    }
    return {"$ref": "#/$defs/p0", "$defs": {**parts, f"p{levels}": {"type": "string"}}}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$ref": "https://example.com/schema"}, "inside itself"),
        ({"$ref": "file:///etc/passwd"}, "inside itself"),
        ({"$ref": "other.json#/a"}, "inside itself"),
        ({"$ref": "#anchor"}, "inside itself"),
        ({"$ref": "#"}, "may not refer to itself"),
        ({"properties": {"a": {"$ref": "#"}}}, "may not refer to itself"),
        ({"allOf": [{"$ref": "#/allOf/0"}]}, "may not refer to itself"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, "to itself"),
        ({"$ref": "#/$defs/nothing"}, "points at nothing"),
        ({"$ref": "#/" + "a/" * 10_000}, "points at nothing"),
        ({"$dynamicRef": "#a"}, "not supported"),
        ({"properties": {"a": {"$id": "x"}}}, "at the top"),
        (allof_doubling(13), "at most 5000 subschemas"),
        ({"allOf": [{"type": "string"}] * 2**13}, "at most 5000 subschemas"),
        (nested(65), "at most 64 levels"),
        (nested(900), "at most 64 levels"),
        ({"pattern": "(a)\\1"}, "regex"),
        ({"pattern": "(?=a)"}, "regex"),
        ({"pattern": "a{1000}{1000}{1000}"}, "regex"),
        ({"type": "text"}, "not valid"),
        ({"properties": {"a": {"required": True}}}, "not of type"),
        ({"required": "a"}, "not of type"),
        ({"$schema": "https://example.com/own"}, "meta-schema"),
        ({"enum": [float("nan")]}, "not JSON"),
        ({"default": {1, 2}}, "not JSON"),
    ],
)
def test_a_schema_that_is_not_safe_is_refused(schema: dict[str, Any], why: str) -> None:
    with pytest.raises(SchemaError, match=why):
        check_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]},
        {"properties": {"$ref": {"type": "string"}, "enum": {"type": "string"}}},
        {"default": {"$ref": "https://example.com"}, "enum": [{"$ref": "#"}]},
        {"$defs": {"a": {}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/b"},
        {"$defs": {"a/b~c": {}}, "$ref": "#/$defs/a~1b~0c"},
        {"prefixItems": [{}], "$ref": "#/prefixItems/0"},
        allof_doubling(8),
        nested(60),
    ],
)
def test_a_schema_that_is_safe_is_used(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|aa)+$", "(.*)*x$"])
def test_a_pattern_takes_linear_time(pattern: str) -> None:
    # With a backtracking engine this would not end before the sun does.
    assert not is_valid({"type": "string", "pattern": pattern}, "a" * 100_000 + "!")


@given(json_values)
def test_any_json_value_is_a_schema_or_refused(value: Any) -> None:
    schema = value if isinstance(value, dict) else {"x": value}
    with suppress(SchemaError):
        check_schema(schema)
        explain(schema, value)


# -- defaults and JSON text -------------------------------------------------------------------


def test_defaults_are_filled_in_at_every_level_and_nothing_is_changed() -> None:
    schema = {
        "properties": {
            "a": {"default": 1},
            "b": {"properties": {"c": {"$ref": "#/$defs/c"}}},
            "d": {"default": {"x": 1}},
        },
        "$defs": {"c": {"default": [2]}},
    }
    given_value = {"b": {"z": 0}}
    assert with_defaults(schema, given_value) == {"a": 1, "b": {"c": [2], "z": 0}, "d": {"x": 1}}
    assert given_value == {"b": {"z": 0}}
    assert with_defaults(schema, 5) == 5
    assert with_defaults(schema, {"a": None}) == {"a": None, "d": {"x": 1}}


@given(json_values)
def test_filling_in_twice_is_filling_in_once(value: Any) -> None:
    once = with_defaults(USER, value)
    assert with_defaults(USER, once) == once


BODY = {
    "properties": {
        "body": {"type": "object"},
        "text": {"type": "string"},
        "both": {"type": ["string", "object"]},
    }
}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"body": '{"a": 1}'}, {"body": {"a": 1}}),
        ({"body": "[1]"}, {"body": [1]}),
        ({"body": {"a": '{"b": 1}'}}, {"body": {"a": '{"b": 1}'}}),
        ({"text": '{"a": 1}'}, {"text": '{"a": 1}'}),
        ({"both": '{"a": 1}'}, {"both": '{"a": 1}'}),
        ({"other": '{"a": 1}'}, {"other": '{"a": 1}'}),
        ({"body": '"{}"'}, {"body": "{}"}),
        ([1], [1]),
    ],
)
def test_json_text_is_read_once_where_structure_is_wanted(value: Any, read: Any) -> None:
    assert coerce_json(value, BODY) == read
    assert coerce_json(value, None) == value


@pytest.mark.parametrize("text", ["", "{", "nope", "{'a': 1}", '{"a": NaN}', "[" * 100_000])
def test_text_that_is_not_json_is_a_validation_failure(text: str) -> None:
    with pytest.raises(StepError) as caught:
        coerce_json({"body": text}, BODY)
    assert (caught.value.failure.kind, caught.value.failure.code) == (Kind.VALIDATION, "not_json")


@given(json_values)
def test_reading_json_text_never_touches_what_is_not_text(value: Any) -> None:
    text = json.dumps({"v": value})
    assert coerce_json({"body": text}, BODY) == {"body": json.loads(text)}


@pytest.mark.parametrize(
    ("word", "hint"),
    [("taskref", "did you mean 'taskRef'?"), ("x", ""), ("", ""), ("t" * 100_000, "")],
)
def test_a_near_word_is_suggested(word: str, hint: str) -> None:
    assert did_you_mean(word, ["taskRef", "timeout"]) == hint
    assert did_you_mean(word, ["taskRef", *(f"n{at}" for at in range(10_000))]) == hint

"""Inputs from a context: by name and without loss, or not at all."""

from typing import Any

import pytest

from engine.core.discovery.extract import MOST_ENTRIES, Extraction, extract
from engine.core.errors import Refused

USER = {
    "type": "object",
    "properties": {
        "userId": {"type": "integer", "description": "Number of the user."},
        "limit": {"type": "integer", "default": 10},
    },
    "required": ["userId"],
}


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def told(found: Extraction) -> dict[str, str]:
    return {each.field.name: each.reason for each in found.missing}


def sources(found: Extraction) -> dict[str, str]:
    return {each.name: each.source for each in found.taken}


@pytest.mark.requirement("inputs-from-context")
@pytest.mark.parametrize(
    ("context", "source"),
    [
        ({"userId": 3}, "context.userId"),
        ({"user_id": 3}, "context.user_id"),
        ({"user-id": "3"}, "context.user-id"),
        ({"user id": 3.0}, "context.user id"),
        ({"USERID": 3}, "context.USERID"),
        ({"user": {"id": 3}}, "context.user.id"),
        ({"user": {"userId": 3}}, "context.user.userId"),
        ({"input": {"user": {"id": "3"}}}, "context.input.user.id"),
        ({"id": 3}, "context.id"),
        ({"params": {"id": 3}}, "context.params.id"),
    ],
)
def test_an_input_is_found_however_its_name_is_spelled(
    context: dict[str, Any], source: str
) -> None:
    found = extract(USER, context)
    assert found.input == {"userId": 3}
    assert sources(found) == {"userId": source}
    assert not found.missing


@pytest.mark.requirement("inputs-never-guessed")
@pytest.mark.parametrize(
    "context",
    [
        {},
        {"manager": {"userId": 3}},
        {"manager": {"id": 3}},
        {"users": [{"id": 3}]},
        {"user": 3},
        {"userIds": 3},
        {"user_identity": 3},
        {"userId": None},
        {"userId": ""},
    ],
)
def test_what_is_only_like_an_input_is_not_taken(context: dict[str, Any]) -> None:
    found = extract(USER, context)
    assert not found.taken
    assert list(told(found)) == ["userId"]


@pytest.mark.requirement("inputs-from-context")
def test_two_entries_with_different_values_give_none_and_say_why() -> None:
    found = extract(USER, {"userId": 3, "user": {"id": 4}})
    assert not found.taken
    assert told(found) == {
        "userId": "the context says two things: context.userId is 3, context.user.id is 4"
    }
    same = extract(USER, {"userId": 3, "user": {"id": "3"}})
    assert same.input == {"userId": 3}


def test_a_bare_id_yields_to_a_name_and_to_doubt() -> None:
    assert extract(USER, {"id": 9, "userId": 3}).input == {"userId": 3}
    two = schema(userId={"type": "integer"}, orderId={"type": "integer"})
    assert not extract(two, {"id": 3}).taken
    near = schema(userId={"type": "integer"}, orderNumber={"type": "integer"})
    assert not extract(near, {"id": 3}).taken
    flag = schema(userId={"type": "integer"}, paid={"type": "boolean"})
    assert extract(flag, {"id": 3}).input == {"userId": 3}


def test_one_entry_that_could_be_two_inputs_is_neither() -> None:
    twins = schema(userId={"type": "integer"}, user_id={"type": "integer"})
    found = extract(twins, {"USER-ID": 3})
    assert not found.taken
    assert told(found)["userId"] == "context.USER-ID could mean userId, user_id"
    assert extract(twins, {"user_id": 3}).input == {"user_id": 3}


def test_a_declared_name_counts_and_an_own_name_counts_more() -> None:
    places = schema(
        city={"type": "string", "title": "Destination"},
        origin={"type": "string", "aliases": ["from", "start city", 7]},
    )
    found = extract(places, {"destination": "Oslo", "startCity": "Rome"})
    assert found.input == {"city": "Oslo", "origin": "Rome"}
    both = schema(city={"type": "string", "title": "Place"}, place={"type": "string"})
    assert extract(both, {"place": "Oslo"}).input == {"place": "Oslo"}


@pytest.mark.requirement("inputs-never-guessed")
@pytest.mark.parametrize(
    ("part", "given", "wanted"),
    [
        ({"type": "integer"}, "3", 3),
        ({"type": "integer"}, "-12", -12),
        ({"type": "number"}, "3.50", 3.5),
        ({"type": "string"}, 3, "3"),
        ({"type": "boolean"}, "TRUE", True),
        ({"enum": ["Gold", "Silver"]}, "gold", "Gold"),
        ({"type": "integer", "enum": [1, 2]}, "2", 2),
        ({"type": "string", "format": "date"}, "2026/3/7", "2026-03-07"),
        ({"type": "array", "items": {"type": "integer"}}, ["1", 2], [1, 2]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"type": ["integer", "null"]}, None, None),
        ({"type": ["integer", "null"]}, "4", 4),
        ({}, [1], [1]),
    ],
)
def test_a_value_takes_the_form_that_the_schema_wants(part: Any, given: Any, wanted: Any) -> None:
    found = extract(schema(x=part), {"x": given})
    assert found.input == {"x": wanted}
    assert type(found.input["x"]) is type(wanted)


@pytest.mark.requirement("inputs-never-guessed")
@pytest.mark.parametrize(
    ("part", "given"),
    [
        ({"type": "integer"}, 3.7),
        ({"type": "integer"}, "3.0"),
        ({"type": "integer"}, "007"),
        ({"type": "integer"}, " 3"),
        ({"type": "integer"}, "three"),
        ({"type": "integer"}, True),
        ({"type": "integer"}, [3]),
        ({"type": "number"}, "0.12345678901234567"),
        ({"type": "number"}, "nan"),
        ({"type": "string"}, True),
        ({"type": "string"}, 1e300),
        ({"type": "boolean"}, "yes"),
        ({"type": "boolean"}, 1),
        ({"enum": ["gold", "GOLD"]}, "Gold"),
        ({"enum": ["gold"]}, "golden"),
        ({"enum": [1]}, True),
        ({"type": "string", "format": "date"}, "2026-02-30"),
        ({"type": "string", "format": "date"}, "03/07/2026"),
        ({"type": "string", "format": "email"}, "nobody"),
        ({"type": "string", "pattern": "^ORD-[0-9]+$"}, "3"),
        ({"type": "integer", "maximum": 10}, "11"),
        ({"type": "array", "items": {"type": "integer"}}, ["1", "x"]),
        ({"type": "object"}, '{"a": NaN}'),
    ],
)
def test_a_value_that_would_lose_something_is_not_taken_and_says_why(part: Any, given: Any) -> None:
    found = extract(schema(x=part), {"x": given})
    assert not found.taken
    assert told(found)["x"].startswith("context.x")


def test_what_was_given_and_cannot_be_used_is_told_also_of_an_optional_input() -> None:
    found = extract(USER, {"userId": 3, "limit": "many"})
    assert found.input == {"userId": 3}
    assert told(found) == {"limit": 'context.limit is "many", not integer'}
    assert [each.field.required for each in found.missing] == [False]


def test_an_object_that_is_an_input_is_not_looked_into() -> None:
    nested = schema(user={"type": "object"}, userId={"type": "integer"})
    found = extract(nested, {"user": {"id": 3}})
    assert found.input == {"user": {"id": 3}}


def test_what_is_missing_inside_of_an_input_has_its_path() -> None:
    body = {"type": "object", "properties": {"a.b": {"type": "integer"}}, "required": ["a.b", "c"]}
    found = extract(schema(body=body), {"body": {"a.b": "1"}})
    assert found.input == {"body": {"a.b": 1}}
    assert list(told(found)) == ["body.c"]


def test_a_schema_behind_a_reference_is_followed() -> None:
    pointing = {
        "type": "object",
        "properties": {"color": {"$ref": "#/$defs/color"}},
        "$defs": {"color": {"enum": ["Red"]}},
    }
    assert extract(pointing, {"Color": "red"}).input == {"color": "Red"}


def test_a_context_that_is_too_large_is_refused_and_not_read_in_part() -> None:
    context = {f"k{number}": 1 for number in range(MOST_ENTRIES + 1)}
    with pytest.raises(Refused) as refused:
        extract(USER, context)
    assert refused.value.code == "context_too_large"
    assert refused.value.hint

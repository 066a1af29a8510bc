"""What is read out of the words of a goal: offered with its place, nothing more."""

from typing import Any

import pytest

from engine.core.discovery.extract import Extraction, extract
from engine.core.discovery.guess import guesses

TEXT = {"type": "string"}


def offered(query: str, context: Any = None, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    found = extract(schema, context or {})
    return {each.name: each.value for each in guesses(schema, query, context or {}, found)}


@pytest.mark.requirement("inputs-never-guessed")
def test_a_goal_gives_guesses_and_never_inputs() -> None:
    schema = {"type": "object", "properties": {"userId": TEXT}, "required": ["userId"]}
    found = extract(schema, {})
    (guess,) = guesses(schema, "Get me the profile for user 3", {}, found)
    assert found.input == {}
    assert (guess.name, guess.value) == ("userId", "3")
    assert guess.source == 'query: "3" after "user"'


@pytest.mark.parametrize(
    ("query", "properties", "wanted"),
    [
        ("mail ann@x.example about it", {"email": TEXT}, {"email": "ann@x.example"}),
        ("fetch https://x.example/a?b=1.", {"url": TEXT}, {"url": "https://x.example/a?b=1"}),
        ("report of 2026-03-07", {"date": TEXT}, {"date": "2026-03-07"}),
        ("track ORD-1001 please", {"orderId": TEXT}, {"orderId": "ORD-1001"}),
        ("search 'red shoes'", {"text": TEXT}, {"text": "red shoes"}),
        ("a GOLD member", {"tier": {"enum": ["gold", "silver"]}}, {"tier": "gold"}),
        ("gold or silver", {"tier": {"enum": ["gold", "silver"]}}, {}),
        ("top 5 of them", {"limit": {"type": "integer"}}, {"limit": 5}),
        ("from 3 to 5", {"limit": {"type": "integer"}}, {}),
        ("take 5", {"limit": {"type": "integer"}, "offset": {"type": "integer"}}, {}),
        ("limit 5 offset 7", {"limit": {"type": "integer"}, "offset": {"type": "integer"}},
         {"limit": 5, "offset": 7}),
        ("top 500", {"limit": {"type": "integer", "maximum": 100}}, {}),
        ("nothing here", {"userId": TEXT, "name": TEXT}, {}),
    ],
)  # fmt: skip
def test_patterns_find_what_an_input_may_be(
    query: str, properties: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert offered(query, **properties) == wanted


def test_an_entry_of_another_thing_is_a_guess_and_not_an_input() -> None:
    assert offered("show it", {"manager": {"userId": 3}}, userId=TEXT) == {"userId": "3"}
    assert offered("show it", {"manager": {"user_id": 3}}, userId=TEXT) == {"userId": "3"}
    assert offered("show it", {"manager": {"id": 3}}, userId=TEXT) == {}
    assert offered("show it", {"a": {"userId": 3}, "b": {"userId": 4}}, userId=TEXT) == {}


def test_what_the_context_gave_is_not_guessed_again() -> None:
    assert offered("profile of user 4", {"userId": "3"}, userId=TEXT) == {}


@pytest.mark.parametrize("query", ["'" * 900, "a@" * 450, "9-" * 450, "\x00\u202e", "(" * 500])
def test_no_query_is_too_strange(query: str) -> None:
    schema = {"type": "object", "properties": {"userId": TEXT, "n": {"type": "number"}}}
    assert isinstance(guesses(schema, query, {}, Extraction()), tuple)

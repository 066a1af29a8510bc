"""What a language model says of inputs: believed only where it stands, word by word."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.discovery.extract import Extraction, extract
from engine.core.discovery.reading import believed, question

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where to look."},
        "days": {"type": "integer", "minimum": 1},
        "unit": {"enum": ["Celsius", "Fahrenheit"]},
    },
    "required": ["city"],
}
GOAL = "Weather in New York for 7 days, or 37.5, in fahrenheit"


def read(*said: Any, context: Any = None, goal: str = GOAL) -> Extraction:
    known = context or {}
    answer = {"inputs": [{"name": name, "words": words} for name, words in said]}
    return believed(SCHEMA, answer, goal, known, extract(SCHEMA, known))


@pytest.mark.requirement("inputs-read-verbatim")
def test_what_stands_in_the_goal_is_taken_and_says_from_where() -> None:
    found = read(("city", "New York"), ("days", "7"), ("unit", "fahrenheit"))
    assert found.input == {"city": "New York", "days": 7, "unit": "Fahrenheit"}
    assert {each.source for each in found.taken} == {"llm, query"}
    assert not found.missing


@pytest.mark.requirement("inputs-read-verbatim")
@pytest.mark.parametrize(
    "said",
    [
        ("city", "NYC"),
        ("city", "new york"),
        ("city", "York f"),
        ("city", "ew York"),
        ("city", ""),
        ("city", " "),
        ("city", 7),
        ("nothing", "7"),
        ("days", "37"),
        ("days", "5"),
        ("days", "37.5"),
        ("unit", "Kelvin"),
        ("unit", "days"),
    ],
)
def test_what_does_not_stand_there_or_does_not_fit_is_dropped(said: Any) -> None:
    assert read(said).input == {}


@pytest.mark.requirement("inputs-read-verbatim")
def test_a_value_of_the_context_under_another_name_may_be_pointed_at() -> None:
    found = read(("city", "Oslo"), context={"trip": {"to": "Oslo"}})
    assert [(each.value, each.source) for each in found.taken] == [("Oslo", "llm, context.trip.to")]
    assert read(("days", "4"), context={"n": 4}).input == {"days": 4}


@pytest.mark.requirement("inputs-read-verbatim")
def test_what_the_context_said_is_never_overruled() -> None:
    assert read(("city", "New York"), context={"city": "Rome"}).input == {"city": "Rome"}
    torn = read(("city", "New York"), context={"city": "Rome", "City": "Oslo"})
    assert torn.input == {}
    assert "two things" in torn.missing[0].reason
    assert read(("city", "New York"), ("city", "York")).input == {}


def test_nothing_is_asked_where_nothing_needed_lacks() -> None:
    known = {"city": "Rome"}
    assert question(SCHEMA, GOAL, known, extract(SCHEMA, known)) is None
    torn = {"city": "Rome", "City": "Oslo"}
    assert question(SCHEMA, GOAL, torn, extract(SCHEMA, torn)) is None


def test_the_question_holds_the_goal_as_data_and_names_the_open_inputs() -> None:
    known = {"days": 7}
    asked = question(SCHEMA, "Ignore this", known, extract(SCHEMA, known))
    assert asked is not None
    assert "Ignore this" in asked.words
    assert "Ignore this" not in asked.task
    item = asked.schema["properties"]["inputs"]["items"]
    assert item["properties"]["name"]["enum"] == ["city", "unit"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
SAID = st.fixed_dictionaries(
    {"name": st.sampled_from(["city", "days", "unit", "x"]), "words": st.text(max_size=6) | JUNK}
)


@pytest.mark.requirement("inputs-read-verbatim")
@settings(max_examples=40)
@given(st.fixed_dictionaries({"inputs": st.lists(SAID | JUNK, max_size=4)}) | JUNK, st.text())
def test_whatever_a_model_says_nothing_is_invented(answer: Any, goal: str) -> None:
    found = believed(SCHEMA, answer if isinstance(answer, dict) else {}, goal, {}, Extraction())
    for each in found.taken:
        assert str(each.value).casefold() in goal.casefold()

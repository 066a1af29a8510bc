"""What holds of extraction for every schema and every context."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.discovery.extract import extract
from engine.core.discovery.guess import guesses
from engine.core.schema import explain, with_defaults

# The machine may be slow; that is not what these laws are about.
calm = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
WORDS = st.sampled_from(["user", "id", "order", "name", "city", "date", "2", "input"])
NAMES = st.lists(WORDS, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from(
        ["_".join(words), "-".join(words), words[0] + "".join(map(str.capitalize, words[1:]))]
    )
)
NUMBERS = st.integers(-9, 99) | st.floats(-9, 9, allow_nan=False).map(lambda n: round(n, 2))
TEXTS = st.sampled_from(["3", "3.7", "007", "-1", "true", "RED", "red", "", "2026-03-07", "x y"])
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
CONTEXTS = st.dictionaries(
    NAMES,
    st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=6),
    max_size=5,
)
PARTS = st.sampled_from(
    [
        {"type": "integer"},
        {"type": "number", "minimum": 0},
        {"type": "string"},
        {"type": "boolean"},
        {"type": ["integer", "null"]},
        {"type": "string", "enum": ["Red", "green"]},
        {"type": "string", "format": "date"},
        {"type": "object"},
        {},
    ]
)
SCHEMAS = st.dictionaries(NAMES, PARTS, max_size=4).flatmap(
    lambda parts: st.lists(st.sampled_from(sorted(parts) or ["x"]), unique=True).map(
        lambda needed: {
            "type": "object",
            "properties": parts,
            "required": [name for name in needed if name in parts],
            "additionalProperties": False,
        }
    )
)


def values(context: Any) -> Iterator[Any]:
    for inner in context.values():
        yield inner
        if isinstance(inner, dict):
            yield from values(inner)


def is_the_same(one: Any, other: Any) -> bool:
    """The law of lossless coercion, said without the code that coerces."""
    if isinstance(one, (dict, list)) or one is None or other is None:
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    if isinstance(one, bool) or isinstance(other, bool):
        return str(one).lower() == str(other).lower()
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except ArithmeticError:
        return str(one).casefold() == str(other).casefold()


@pytest.mark.requirement("inputs-never-guessed")
@calm
@given(SCHEMAS, CONTEXTS)
def test_every_value_that_is_taken_stands_in_the_context(schema: Any, context: Any) -> None:
    for each in extract(schema, context).taken:
        assert any(is_the_same(each.value, given) for given in values(context))


@calm
@given(SCHEMAS, CONTEXTS)
def test_what_is_taken_satisfies_the_schema_and_what_lacks_is_told(
    schema: Any, context: Any
) -> None:
    found = extract(schema, context)
    missing, invalid = explain(schema, with_defaults(schema, found.input))
    assert not invalid
    assert {each.name for each in missing} <= {each.field.name for each in found.missing}
    assert not {each.name for each in found.taken} & {each.field.name for each in found.missing}


@calm
@given(SCHEMAS, CONTEXTS, st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(schema: Any, context: Any, chance: Any) -> None:
    entries = list(context.items())
    chance.shuffle(entries)
    assert extract(schema, dict(entries)) == extract(schema, context)


@calm
@given(SCHEMAS, CONTEXTS, st.text(max_size=80) | TEXTS)
def test_a_guess_is_never_among_what_was_taken(schema: Any, context: Any, query: str) -> None:
    found = extract(schema, context)
    offered = guesses(schema, query, context, found)
    names = [each.name for each in offered]
    assert len(names) == len(set(names))
    assert not set(names) & {each.name for each in found.taken}
    for each in offered:
        assert each.source.startswith(("query: ", "context."))

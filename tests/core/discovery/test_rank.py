"""The learned score: numbers out of JSON that are checked, one order, a confidence that rises."""

import json
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.discovery import rank
from engine.core.discovery.features import FEATURES, features, fit, lasting, rarity, weighed
from engine.core.discovery.rank import SIGNS, SURE
from engine.core.discovery.said import Said
from engine.core.discovery.worded import worded
from engine.core.discovery.words import asked
from engine.store.search import WEIGHTS, shipped


def document(**changed: Any) -> dict[str, Any]:
    sets: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return {**sets["lexical"], **changed}


@pytest.mark.parametrize(
    "changed",
    [
        {"weights": {}},
        {"weights": dict.fromkeys((*FEATURES, "strange"), 1.0)},
        {"signs": dict.fromkeys(SIGNS, float("nan"))},
        {"bias": None},
        {"levels": []},
        {"levels": [[0, 0.9]]},
        {"levels": [[20, 0.9], [20, 0.95]]},
        {"levels": [[100, 0.9], [20, 0.95]]},
        {"levels": [[20, 0.9], [100, 1.0]]},
        {"levels": [[20, 0.0]]},
        {"levels": [[20, float("nan")]]},
        {"levels": [[20, 0.9], [float("inf"), 0.9]]},
        {"near": float("inf")},
        {"floor": float("nan")},
        {"least": float("nan")},
        {"least": None},
    ],
)
def test_weights_that_do_not_fit_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"weights|levels"):
        rank.weights(document(**changed), FEATURES)


@pytest.mark.requirement("ranker-reproducible")
def test_what_is_shipped_holds_numbers_and_no_words_of_anybody() -> None:
    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict | list):
            inner = value.values() if isinstance(value, dict) else value
            return [leaf for each in inner for leaf in leaves(each)]
        return [value]

    sets = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    assert all(isinstance(leaf, int | float) for leaf in leaves(sets))
    assert WEIGHTS.stat().st_size < 10_000


@given(st.lists(st.floats(-40, 40), min_size=2, max_size=12))
def test_a_confidence_rises_with_the_chance(odds: list[float]) -> None:
    made = shipped()["lexical"]
    signs = [[odd if name == "first" else 0.0 for name in SIGNS] for odd in sorted(odds)]
    rising = made.signs[0] >= 0
    told = [rank.confidence(made, 100, each) for each in (signs if rising else signs[::-1])]
    assert told == sorted(told)
    assert all(0 <= each <= 1 for each in told)


@given(st.integers(1, 10**9), st.floats(0.001, 1))
def test_what_reaches_the_level_of_its_catalogue_is_sure(documents: int, raw: float) -> None:
    levels = ((20.0, 0.8), (100.0, 0.95), (1_000.0, 0.9))
    level = rank.level(levels, documents)
    assert 0.8 <= level <= 0.95
    assert rank.judged(level, level) == SURE
    assert rank.judged(level, raw) >= SURE or raw < level
    assert rank.judged(level, raw) < SURE or raw > level - 1e-9


@pytest.mark.parametrize(("documents", "level"), [(1, 0.8), (20, 0.8), (100, 0.95), (10**6, 0.9)])
def test_beyond_the_sizes_that_were_measured_the_last_level_stays(
    documents: int, level: float
) -> None:
    levels = ((20.0, 0.8), (100.0, 0.95), (1_000.0, 0.9))
    assert rank.level(levels, documents) == pytest.approx(level)


def test_of_equals_the_name_decides() -> None:
    row = [1.0] * len(FEATURES)
    order, _ = rank.ordered(shipped()["lexical"].weights, ["b", "c", "a"], [row, row, row])
    assert order == (2, 0, 1)


def test_nothing_that_comes_into_question_is_no_answer() -> None:
    answer = rank.answer(shipped()["lexical"], asked("pay"), 3, [], [])
    assert (answer.order, answer.confidence, answer.close) == ((), 0.0, ())


def _row(query: str, said: Said) -> dict[str, float]:
    question = asked(query)
    words = dict.fromkeys(question.words, rarity(100, 2))
    held = weighed(question, words, words)
    mine = worded(said)
    how, lasts = fit(held, mine), lasting(mine, repeat(rarity(100, 2), len(mine.words)))
    return dict(zip(FEATURES, features(held, mine, how, lasts, how.text), strict=True))


def test_each_field_has_a_number_of_its_own() -> None:
    said = Said(("close", "invoic"), ("close", "open", "invoic"), (), ("bill",), ("number",), ())
    row = _row("close the invoice by number", said)
    assert row["name_covered"] == row["anywhere"] == row["name_spelled"] == 1.0
    assert row["in_name"] == pytest.approx(2 / 3)
    assert row["in_inputs"] == pytest.approx(1 / 3)
    assert row["in_labels"] == row["in_about"] == row["rarest_missing"] == 0.0
    assert row["first_of_name"] == row["last_of_name"] == 1.0
    assert row["pairs"] == 0.5


@given(
    st.text("abc de.", max_size=40),
    st.lists(st.lists(st.sampled_from(["a", "b", "ab", "de"]), max_size=5), min_size=6, max_size=6),
)
def test_whatever_is_compared_has_finite_numbers(query: str, fields: list[list[str]]) -> None:
    name, lead, rest, labels, inputs, about = map(tuple, fields)
    row = _row(query, Said(name, lead, rest, labels, inputs, about))
    assert all(-10 <= number <= 10 for number in row.values())

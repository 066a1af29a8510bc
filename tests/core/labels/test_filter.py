"""Filters as values: folded, bounded, and patterns that are never a regular expression."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import Refused
from engine.core.labels.filter import EVERYTHING, MOST_WORDS, Filter, fold, matches, narrowed

TEXT = st.text("ab*?", max_size=8)


@given(TEXT, st.text("ab", max_size=8))
def test_a_pattern_means_what_a_shell_means_by_it(pattern: str, word: str) -> None:
    assert matches(pattern, word) == fnmatch.fnmatchcase(word, pattern)


def test_a_pattern_of_many_stars_takes_no_longer_than_its_length_times_the_word() -> None:
    steps = 0

    class Counted(str):
        def __getitem__(self, key: object) -> str:
            nonlocal steps
            steps += 1
            return super().__getitem__(key)  # type: ignore[index]

    word = Counted("a" * 200)
    assert not matches("*a" * 100 + "b", word)
    assert steps < 200 * 201


@pytest.mark.parametrize("special", ["[a]", "a{2}", "a|b", ".", "^a$", "%", "_"])
def test_only_the_star_and_the_question_mark_mean_something(special: str) -> None:
    assert matches(special, special)
    assert not matches(special, "a")


def test_the_same_filter_has_the_same_key_whatever_its_case_and_order() -> None:
    one = Filter(all_tags=("B", "a "), tag_pattern="Team-*")
    other = Filter(all_tags=("a", "b"), tag_pattern="team-*")
    assert one.key == other.key
    assert one.key != Filter(any_tags=("a", "b"), tag_pattern="team-*").key
    assert one.folded() == other


def test_one_category_stands_beside_several() -> None:
    assert narrowed("a", ("b", ""), effect="read") == Filter(("a", "b"), effect="read")
    assert narrowed() == EVERYTHING
    assert EVERYTHING.empty
    assert fold(" ETL ") == "etl"


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(any_tags=tuple(map(str, range(MOST_WORDS + 1)))),
        Filter(categories=("a" * 201,)),
        Filter(tag_pattern="*" * 201),
        Filter(effect="write"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(wanted: Filter) -> None:
    with pytest.raises(Refused) as refused:
        wanted.folded()
    assert refused.value.code == "invalid_filter"

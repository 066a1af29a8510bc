"""The arithmetic of fitting: it finds what the examples were made by, and always the same."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.discovery.fit import Choice, Verdict, preferences, threshold, verdicts
from engine.core.discovery.rank import chance


def _numbers(count: int) -> list[float]:
    """Numbers between -1 and 1 that look like chance and are always the same."""
    return [math.sin(12.9898 * at) * 43758.5453 % 2 - 1 for at in range(1, count + 1)]


def _choices(weights: tuple[float, ...], count: int) -> list[Choice]:
    numbers = iter(_numbers(count * 6 * len(weights)))
    made = []
    for _ in range(count):
        rows = [[next(numbers) for _ in weights] for _ in range(6)]
        worth = [sum(w * x for w, x in zip(weights, row, strict=True)) for row in rows]
        made.append(Choice(rows, [each == max(worth) for each in worth]))
    return made


def test_the_weights_that_made_the_choices_are_found_again() -> None:
    found = preferences(_choices((3.0, -1.0, 0.0), 300))
    assert found[0] > 0 > found[1]
    assert found[0] / found[1] == pytest.approx(-3.0, rel=0.15)
    assert abs(found[2]) < 0.1 * found[0]


def test_choices_without_a_choice_are_left_out() -> None:
    useful = _choices((1.0, 2.0), 40)
    idle = [Choice([[5.0, 5.0]], [True]), Choice([[9.0, 9.0], [1.0, 1.0]], [False, False])]
    assert preferences([*useful, *idle]) == preferences(useful)


def test_a_choice_of_weight_two_counts_like_two() -> None:
    known = _choices((1.0, 2.0), 40)
    twice = preferences([*known, *known])
    heavy = preferences([Choice(each.rows, each.meant, 2.0) for each in known])
    assert heavy == pytest.approx(twice, rel=1e-3)


def test_a_few_choices_of_great_weight_outweigh_many() -> None:
    many, few = _choices((1.0, 2.0), 40), _choices((-1.0, -2.0), 3)
    assert all(weight > 0 for weight in preferences([*many, *few]))
    heavy = [Choice(each.rows, each.meant, 500.0) for each in few]
    assert all(weight < 0 for weight in preferences([*many, *heavy]))


def test_the_line_between_right_and_wrong_is_found() -> None:
    known = [Verdict([x], x > 0.25) for x in _numbers(400)]
    line = verdicts(known, 1e-4)
    assert -line.bias / line.weights[0] == pytest.approx(0.25, abs=0.05)
    assert chance(line.weights[0] * 0.9 + line.bias) > 0.95


def test_a_verdict_of_weight_two_counts_like_two() -> None:
    known = [Verdict([x], x + y > 0) for x, y in zip(_numbers(99), _numbers(198)[99:], strict=True)]
    twice = verdicts([*known, *known[:50]])
    heavy = verdicts(
        [Verdict(v.row, v.right, 2.0 if at < 50 else 1.0) for at, v in enumerate(known)]
    )
    assert heavy.weights == pytest.approx(twice.weights, rel=1e-2)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.just(1.0)), max_size=60))
def test_from_the_threshold_on_enough_was_right(
    answers: list[tuple[float, bool, float]],
) -> None:
    level = threshold(answers, 0.9)
    taken = [right for raw, right, _ in answers if raw >= level]
    ties = len({raw for raw, _, _ in answers}) < len(answers)
    assert ties or level == 1.0 or sum(taken) >= 0.9 * len(taken)

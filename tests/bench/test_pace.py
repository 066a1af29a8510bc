"""What is judged beside a yardstick is judged alike on a fast and on a slow machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import plan_bench
from tests.bench.pace import Beside, undisturbed, yardstick

paces = st.lists(st.floats(1.0, 3.0), min_size=1, max_size=30)


@given(paces, st.floats(0.5, 500))
def test_a_machine_that_changes_its_pace_changes_no_figure(
    slower: list[float], work: float
) -> None:
    found = [Beside(work * pace, 6.0 * pace) for pace in slower]
    assert undisturbed(found) == pytest.approx(work * min(slower))


@given(paces, st.floats(1.01, 3.0))
def test_work_that_has_become_slower_is_seen(slower: list[float], factor: float) -> None:
    before = undisturbed([Beside(20 * pace, 6 * pace) for pace in slower])
    after = undisturbed([Beside(20 * factor * pace, 6 * pace) for pace in slower])
    assert after == pytest.approx(before * factor)


def test_nothing_is_said_to_be_faster_than_it_was_seen() -> None:
    assert undisturbed([Beside(30, 6), Beside(28, 3), Beside(31, 6)]) == 28


def test_the_yardstick_takes_time() -> None:
    assert yardstick() > 0


def test_the_bench_of_planning_says_what_it_saw_too() -> None:
    report = plan_bench.report(repeats=2)
    assert report["bars"]["validate_and_plan_500"]["value"] > 0
    assert set(report["seen_ms"]) == set(report["ms"]) == {"cold", "warm", "plan"}

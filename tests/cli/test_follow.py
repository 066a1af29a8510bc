"""What is said while a run is waited for."""

from dataclasses import replace

import pytest

from mcp_server.cli.follow import MOST_LINES, news_of, note_of_waiting, progress, settled
from mcp_server.cli.run import outcome
from tests.cli import samples
from tests.cli.samples import NOW
from tests.cli.test_paint import seen


def test_each_change_is_said_once() -> None:
    said: set[str] = set()
    first = news_of(samples.UNDER_WAY, said)
    assert first == [
        f"run {samples.ID} is paused:retry",
        "get-user: done",
        "slow: running, attempt 1 failed with http_503",
    ]
    assert news_of(samples.UNDER_WAY, said) == []
    later = replace(
        samples.COMPLETED, steps=(samples.DONE, replace(samples.RUNNING, status="done"))
    )
    assert news_of(later, said) == [f"run {samples.ID} is completed", "slow: done"]


@pytest.mark.parametrize("width", [12, 40, 80])
def test_progress_fits_the_terminal_however_much_is_under_way(width: int) -> None:
    steps = tuple(replace(samples.RUNNING, path=f"each[{n}]") for n in range(100))
    shown = seen(progress(replace(samples.UNDER_WAY, steps=steps), NOW, width), width).splitlines()
    assert len(shown) == MOST_LINES + 1
    assert max(map(len, shown)) <= width


def test_progress_counts_what_is_over_and_names_what_is_not() -> None:
    shown = seen(progress(samples.UNDER_WAY, NOW, 100), 100)
    assert "user-profile 1.2.0  paused:retry  1 of 3 steps" in shown
    assert "● slow  running, attempt 1 failed with http_503" in shown
    assert "get-user" not in shown
    assert "last" not in shown


def test_waiting_ends_when_the_run_ends_or_somebody_else_must_act() -> None:
    assert settled(samples.COMPLETED)
    assert settled(samples.BROKEN)
    assert not settled(samples.UNDER_WAY)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("completed", 0),
        ("failed:logic", 1),
        ("cancelled", 1),
        ("stale", 1),
        ("paused:auth", 4),
        ("paused:approval", 5),
    ],
)
def test_a_run_that_is_over_gives_the_exit_code_it_earned(status: str, code: int) -> None:
    assert outcome(status) == code


def test_a_run_that_is_left_says_how_it_goes_on() -> None:
    assert f"handrail show {samples.ID} --follow" in note_of_waiting(samples.UNDER_WAY)

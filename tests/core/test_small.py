"""The small pure parts: retry arithmetic, breakers, statuses, plain values, times, ids."""

import doctest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import breaker, plain, reading, retry, run, status, uid
from engine.core.breaker import Breaker, BreakerPolicy, Circuit, admit, record
from engine.core.errors import Failure, Kind, Move, StepError
from engine.core.retry import SECOND, RetryPolicy
from engine.core.status import MOVES, OUTCOMES, TERMINAL, Status

FLAKY = Failure(Kind.TRANSIENT, "http_503", "unavailable")


@pytest.mark.parametrize("module", [breaker, plain, reading, retry, run, status, uid])
def test_the_examples_in_docstrings_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.requirement("retry-after")
def test_retry_after_wins_over_the_computed_delay() -> None:
    told = Failure(Kind.RATE_LIMITED, "http_429", "slow down", retry_after=7 * SECOND)
    assert RetryPolicy().delay(1, told, chance=0.5, elapsed=0) == 7 * SECOND


def test_no_attempt_begins_after_the_total_time() -> None:
    policy = RetryPolicy(initial=SECOND, jitter=0, within=3 * SECOND)
    assert policy.delay(1, FLAKY, 0.5, elapsed=2 * SECOND) == SECOND
    assert policy.delay(1, FLAKY, 0.5, elapsed=2 * SECOND + 1) is None


@given(st.integers(1, 10**6), st.floats(0, 0.999), st.integers(0, 10**12))
def test_a_delay_is_never_negative_nor_above_the_maximum_and_its_jitter(
    attempt: int, chance: float, elapsed: int
) -> None:
    policy = RetryPolicy(attempts=10**9)
    wait = policy.delay(attempt, FLAKY, chance, elapsed)
    assert wait is not None
    assert 0 <= wait <= policy.maximum * (1 + policy.jitter)


def test_a_breaker_opens_after_enough_failures_and_closes_after_enough_trials() -> None:
    policy = BreakerPolicy(failures=2, sampling=100, pause=50, trials=2)
    state = Breaker()
    for now in (1, 2):
        state = record(state, policy, ok=False, now=now)
    assert (state.circuit, admit(state, policy, 51)) == (Circuit.OPEN, None)
    for now in (52, 53):
        admitted = admit(state, policy, now)
        assert admitted is not None
        state = record(admitted, policy, ok=True, now=now)
    assert state.circuit is Circuit.CLOSED


def test_a_failed_trial_opens_the_breaker_again() -> None:
    policy = BreakerPolicy(pause=50)
    trial = admit(Breaker(Circuit.OPEN, since=0), policy, 50)
    assert trial is not None
    assert record(trial, policy, ok=False, now=51) == Breaker(Circuit.OPEN, since=51)


def test_failures_outside_the_window_do_not_count() -> None:
    policy = BreakerPolicy(failures=2, sampling=10)
    state = record(Breaker(), policy, ok=False, now=0)
    assert record(state, policy, ok=False, now=11).circuit is Circuit.CLOSED


def test_a_half_open_breaker_lets_a_few_through_and_forgets_lost_trials() -> None:
    policy = BreakerPolicy(pause=50, trials=1)
    trial = admit(Breaker(Circuit.OPEN, since=0), policy, 50)
    assert trial is not None
    assert admit(trial, policy, 60) is None
    assert admit(trial, policy, 100) is not None


def test_every_status_says_whose_move_it_is_and_every_kind_has_an_outcome() -> None:
    assert set(MOVES) == set(Status)
    assert set(OUTCOMES) == set(Kind)
    assert all(MOVES[one][0] not in (Move.ENGINE, Move.CLOCK) for one in TERMINAL)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner)
    ),
    max_leaves=20,
)  # far from being nested too deep


@given(json_values)
def test_a_json_value_is_plain_already(value: Any) -> None:
    assert plain.plain(value) == value


@pytest.mark.parametrize(
    "value",
    [object(), {1: 2}, float("nan"), {"a": {1, 2}}, b"bytes", "\ud800", [float("inf")]],
)
def test_what_is_not_json_is_refused_where_it_arose(value: Any) -> None:
    with pytest.raises(StepError) as refused:
        plain.plain(value)
    assert refused.value.failure.kind is Kind.LOGIC


def test_an_output_that_is_too_deep_or_too_large_is_refused() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    for value, code in ((deep, "output_not_json"), ("x" * 11, "output_too_large")):
        with pytest.raises(StepError) as refused:
            plain.plain(value, limit=10)
        assert refused.value.failure.code == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [("5s", 5 * SECOND), (2, 2 * SECOND), ({"until": "1970-01-01T00:00:09Z"}, 9 * SECOND)],
)
def test_a_sleep_reads_durations_seconds_and_times(value: Any, expected: int) -> None:
    assert reading.until(value, now=0) == expected


@pytest.mark.parametrize("value", ["soon", None, True, -1, "2026-01-01T00:00:00", {"x": 1}])
def test_a_sleep_refuses_what_is_no_time(value: Any) -> None:
    with pytest.raises(StepError):
        reading.until(value, now=0)


@given(st.integers(0, 10**17), st.binary(min_size=10, max_size=10))
def test_ids_are_valid_and_ordered_by_time(now: int, chance: bytes) -> None:
    one, later = uid.new(now, chance), uid.new(now + 1_000, bytes(10))
    assert uid.valid(one)
    assert one[:13] < later[:13]

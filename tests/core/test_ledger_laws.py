"""Laws of the mutation ledger: whatever is reported in whatever order, by whomever."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import events as ev
from engine.core.errors import Failure, Kind, Refused
from engine.core.ledger import late
from engine.core.model import Effect
from engine.core.retry import RetryPolicy
from engine.core.run import (
    Begin,
    Cancel,
    Fail,
    Found,
    Resend,
    Resolve,
    Run,
    Succeed,
    decide,
    evolve,
    fold,
)

PATHS = st.sampled_from(["a", "l[0]", "l[1]"])
DIGESTS = st.sampled_from(["A", "B"])
SENDS = st.integers(0, 3)
POLICY = RetryPolicy(attempts=2)
NO = Failure(Kind.TRANSIENT, "http_503", "busy", details={"applied": "no"})
LOST = Failure(Kind.NETWORK, "connection_lost", "lost")


def of(path: str) -> str:
    return "l[*]" if path.startswith("l") else path


REPORTS = st.one_of(
    st.builds(
        lambda path, digest: Begin(path, Effect.MUTATION, of(path), digest, digest, "k", 5),
        PATHS, DIGESTS,
    ),
    st.builds(lambda path, digest: Resend(path, digest, "k", 6), PATHS, DIGESTS),
    st.builds(lambda path, send: Succeed(path, 1, "t", 7, "", send), PATHS, SENDS),
    st.builds(
        lambda path, failure, send: Fail(path, failure, POLICY, "t", 7, 8, 0.5, send),
        PATHS, st.sampled_from([NO, LOST]), SENDS,
    ),
    st.builds(
        lambda path, send, word: Found(path, send, word, 1, "t", POLICY, 9, True),
        PATHS, SENDS, st.sampled_from(["yes", "no", "unknown"]),
    ),
    st.builds(
        lambda path, word: Resolve(path, word, 2, "ann", 10),
        PATHS, st.sampled_from(["happened", "did_not_happen", "skip"]),
    ),
    st.just(Cancel("enough")),
)  # fmt: skip
EVENTS = st.one_of(
    st.builds(
        lambda digest: ev.MutationsGranted("apr_1", {"a": digest, "l[*]": digest}, {"l[*]": 2}),
        DIGESTS,
    ),
    st.just(ev.GrantVoided("apr_1", "a", "drifted")),
)
LATE = st.tuples(
    st.one_of(
        st.builds(lambda path, send: Succeed(path, 1, "t", 11, "", send), PATHS, SENDS),
        st.builds(lambda path, send: Fail(path, NO, POLICY, "t", 7, 11, 0.5, send), PATHS, SENDS),
    ),
    st.integers(0, 2),
)
STARTED = (
    ev.RunStarted("u", "n", "w", "1.0.0", "d", "workflow", {}, True),
    ev.LoopOpened("l", 2),
    ev.MutationsGranted("apr_1", {"a": "A", "l[*]": "A"}, {"l[*]": 2}),
)


def told(steps: list[Any]) -> tuple[Run, list[Any]]:
    """A run after whatever was reported of it, and its history."""
    history: list[Any] = list(STARTED)
    run = fold(history)
    for step in steps:
        for event in following(run, step):
            history.append(event)
            evolve(run, event)
    return run, history


def following(run: Run, step: Any) -> tuple[Any, ...]:
    if isinstance(step, tuple):
        return late(run, *step)
    if isinstance(step, ev.MutationsGranted | ev.GrantVoided):
        return () if run.over else (step,)
    try:
        return decide(run, step)
    except Refused:
        return ()


STEPS = st.lists(st.one_of(REPORTS, REPORTS, EVENTS, LATE), max_size=40)


@given(STEPS)
@settings(max_examples=150)
def test_a_history_folds_to_what_was_known_when_it_was_written(steps: list[Any]) -> None:
    run, history = told(steps)
    assert fold(history) == run


@given(STEPS)
@settings(max_examples=150)
def test_nothing_is_sent_twice_without_a_reason_to(steps: list[Any]) -> None:
    _, history = told(steps)
    open_: set[str] = set()
    sends: dict[str, int] = {}
    for event in history:
        path = getattr(event, "path", "")
        if isinstance(event, ev.StepInFlight):
            assert path not in open_, "it was sent while its outcome was open"
            sends[path] = sends.get(path, 0) + 1
            assert event.send == sends[path]
            open_.add(path)
        elif isinstance(event, ev.StepSucceeded | ev.StepFailed | ev.StepUnknown | ev.StepResolved):
            open_.discard(path)


@given(STEPS)
@settings(max_examples=150)
def test_what_is_settled_stays_so_and_every_send_had_a_grant(steps: list[Any]) -> None:
    _, history = told(steps)
    run, granted = Run(), set[str]()
    for event in history:
        before = {path: step.status for path, step in run.steps.items()}
        if isinstance(event, ev.MutationsGranted):
            granted.add(event.grant)
        if isinstance(event, ev.StepInFlight):
            assert event.grant in granted
        evolve(run, event)
        for path, status in before.items():
            if status in {"done", "skipped"}:
                assert run.steps[path].status == status

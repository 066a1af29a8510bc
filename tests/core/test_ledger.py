"""The mutation ledger: what may be sent, what is known of it, and who may say so."""

from dataclasses import replace
from typing import Any

import pytest

from engine.core import events as ev
from engine.core.errors import Failure, Kind, Refused
from engine.core.grants import templates_of
from engine.core.ledger import late
from engine.core.model import Effect
from engine.core.retry import NEVER, RetryPolicy
from engine.core.run import Begin, Fail, Resend, Resolve, Run, Succeed, decide, evolve, fold

STARTED = ev.RunStarted("u", "n", "w", "1.0.0", "d", "workflow", {}, True)
GRANT = ev.MutationsGranted("apr_1", {"a": "A"})
ASK = Begin("a", Effect.MUTATION, "a", "A", "A", "key", 10)
LOST = Failure(Kind.NETWORK, "connection_lost", "lost")
NOT_SENT = replace(LOST, details={"applied": "no"})
SOME = RetryPolicy(attempts=3, jitter=0)


def run_with(*more: Any) -> Run:
    """A run that some events tell."""
    return fold((STARTED, *more))


def tell(run: Run, report: Any) -> tuple[Any, ...]:
    """What follows from a report, folded in."""
    events = decide(run, report)
    for event in events:
        evolve(run, event)
    return events


def failed(failure: Failure, send: int = 1, policy: RetryPolicy = NEVER) -> Fail:
    return Fail("a", failure, policy, "n/t", 10, 20, 0.5, send)


@pytest.mark.parametrize(
    ("granted", "ask", "code"),
    [
        ((), ASK, "needs_approval"),
        ((GRANT,), replace(ASK, approved="B"), "drifted"),
        ((GRANT,), replace(ASK, approved=""), "drifted"),
        ((GRANT,), replace(ASK, path="b"), "needs_approval"),
        ((GRANT, ev.GrantVoided("apr_1", "a", "drifted")), ASK, "needs_approval"),
    ],
)
def test_nothing_begins_that_is_not_what_was_allowed(
    granted: tuple[Any, ...], ask: Begin, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        decide(run_with(*granted), ask)
    assert refused.value.code == code


@pytest.mark.parametrize("status", ["in_flight", "unknown", "indeterminate"])
def test_what_nobody_knows_the_fate_of_is_not_begun_again(status: str) -> None:
    run = run_with(GRANT)
    tell(run, ASK)
    if status != "in_flight":
        evolve(run, ev.StepUnknown("a", 1, "crash", 20))
    if status == "indeterminate":
        evolve(run, ev.StepIndeterminate("a", "no_way", 30))
    with pytest.raises(Refused) as refused:
        decide(run, ASK)
    assert (refused.value.code, run.unresolved) == ("mutation_unresolved", {"a"})


def test_a_template_allows_so_many_steps_and_no_more() -> None:
    grant = ev.MutationsGranted("apr_1", {"l[*]/a": "T"}, {"l[*]/a": 2})
    run = run_with(ev.LoopOpened("l", 3), grant)
    for index in (0, 1):
        tell(run, Begin(f"l[{index}]/a", Effect.MUTATION, "l[*]/a", "T", f"D{index}", "k", 1))
    with pytest.raises(Refused, match="nobody has allowed it"):
        decide(run, Begin("l[2]/a", Effect.MUTATION, "l[*]/a", "T", "D2", "k", 1))
    assert templates_of("a[1]/b[2]~fallback")[-1] == "a[*]/b[*]~fallback"


def test_only_proof_makes_what_was_sent_a_failure() -> None:
    run = run_with(GRANT)
    tell(run, ASK)
    (told,) = tell(run, failed(LOST))
    assert told == ev.StepUnknown("a", 1, "connection_lost", 20, LOST)
    assert run.steps["a"].status == "unknown"
    fresh = run_with(GRANT)
    tell(fresh, ASK)
    (told,) = tell(fresh, failed(NOT_SENT, policy=SOME))
    assert isinstance(told, ev.StepFailed)
    assert (told.again_at, fresh.steps["a"].status, fresh.unresolved) == (100_020, "waiting", set())
    (again,) = tell(fresh, replace(ASK, at=200_000))
    assert (again.attempt, again.send, again.grant) == (2, 2, "apr_1")


def test_a_proof_about_one_send_says_nothing_about_the_one_before_it() -> None:
    run = run_with(GRANT)
    tell(run, ASK)
    tell(run, failed(LOST))
    (again,) = tell(run, Resend("a", "A", "key", 30))
    assert (again.send, again.attempt, again.key) == (2, 1, "key")
    (told,) = tell(run, failed(NOT_SENT, send=2))
    assert isinstance(told, ev.StepUnknown)
    tell(run, Resend("a", "A", "key", 40))
    (told,) = tell(run, Succeed("a", 1, "n/t", 40, send=3))
    assert (told.attempt, run.steps["a"].status, run.unresolved) == (1, "done", set())


@pytest.mark.parametrize("change", [{"digest": "B"}, {"key": "other"}])
def test_only_the_same_operation_is_sent_again_under_the_same_key(change: Any) -> None:
    run = run_with(GRANT)
    tell(run, ASK)
    tell(run, failed(LOST))
    with pytest.raises(Refused) as refused:
        decide(run, replace(Resend("a", "A", "key", 30), **change))
    assert refused.value.code == "drifted"


def test_an_older_send_tells_nothing() -> None:
    run = run_with(GRANT)
    tell(run, ASK)
    tell(run, failed(LOST))
    tell(run, Resend("a", "A", "key", 30))
    for report in (Succeed("a", 1, "n/t", 40, send=1), failed(NOT_SENT, send=1)):
        with pytest.raises(Refused) as refused:
            decide(run, report)
        assert refused.value.code == "old_send"
        assert late(run, report, 0) == ()


@pytest.mark.parametrize(
    ("verdict", "status", "output"),
    [("happened", "done", 7), ("skip", "skipped", None), ("did_not_happen", "waiting", None)],
)
def test_a_person_says_what_became_of_it(verdict: str, status: str, output: Any) -> None:
    run = run_with(GRANT)
    tell(run, ASK)
    with pytest.raises(Refused, match="in_flight"):
        decide(run, Resolve("a", verdict, 7, "ann", 50))
    tell(run, failed(LOST))
    evolve(run, ev.StepIndeterminate("a", "no_way", 30))
    tell(run, Resolve("a", verdict, 7, "ann", 50, "apr_2"))
    step = run.steps["a"]
    assert (step.status, step.output, run.unresolved) == (status, output, set())
    if verdict == "did_not_happen":
        (again,) = tell(run, replace(ASK, key="new"))
        assert (again.send, run.sends["a"].epoch, run.sends["a"].tries) == (2, 1, 1)


@pytest.mark.parametrize(
    ("verdict", "report", "found"),
    [
        ("did_not_happen", Succeed("a", 1, "n/t", 60, send=1), "happened"),
        ("skip", Succeed("a", 1, "n/t", 60, send=1), "happened"),
        ("happened", failed(NOT_SENT), "did_not_happen"),
        ("happened", Succeed("a", 1, "n/t", 60, send=1), ""),
        ("did_not_happen", failed(NOT_SENT), ""),
        ("happened", failed(LOST), ""),
    ],
)
def test_late_truth_is_an_incident_and_changes_nothing(
    verdict: str, report: Any, found: str
) -> None:
    run = run_with(GRANT)
    tell(run, ASK)
    tell(run, failed(LOST))
    tell(run, Resolve("a", verdict, 7, "ann", 50))
    before = run.steps["a"].status
    told: Any = late(run, report, 0)
    assert [(event.said, event.found) for event in told] == ([(verdict, found)] if found else [])
    for event in told:
        evolve(run, event)
    assert run.steps["a"].status == before


def test_late_truth_is_recorded_where_nothing_else_is_known_whatever_became_of_the_run() -> None:
    run = run_with(GRANT)
    tell(run, ASK)
    evolve(run, ev.RunCancelled("enough"))
    with pytest.raises(Refused, match="cannot change"):
        decide(run, Succeed("a", 1, "n/t", 60, send=1))
    looked, told = late(run, Succeed("a", 1, "n/t", 60, send=1), 0)
    assert isinstance(told, ev.StepSucceeded)
    assert isinstance(looked, ev.StepLookedUp)
    assert evolve(evolve(run, looked), told).unresolved == set()

"""The life of one run: what is known of it, how an event changes that, what may be reported.

`evolve` folds an event into a state and never refuses: what happened, happened. It owns the
state it is given and changes it in place, so that folding n events costs n. `decide` looks at
a state and a report and returns the events that follow, or refuses. What to do next is the
planner's business (`plan.py`). What concerns mutations is in `ledger.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any

from engine.core import events as ev
from engine.core import ledger, sent
from engine.core.errors import Refused
from engine.core.ledger import Begin, Fail, Found, Resend, Resolve, Succeed, opened
from engine.core.state import FALLBACK, LoopState, Run, StepState, settle, split
from engine.core.status import Status
from engine.core.value import value

__all__ = [
    "FALLBACK",
    "Begin",
    "Cancel",
    "Fail",
    "Found",
    "LoopState",
    "Report",
    "Resend",
    "Resolve",
    "Run",
    "StepState",
    "Succeed",
    "decide",
    "evolve",
    "fold",
    "opened",
    "split",
]


# -- folding -----------------------------------------------------------------------


def evolve(run: Run, event: Any) -> Run:
    """`run` after `event`, changed in place and returned. An erased event changes nothing."""
    fold = _FOLD.get(type(event))
    if fold is not None:
        fold(run, event)
    return run


def fold(events: Iterable[Any]) -> Run:
    """The run that a whole history tells."""
    return reduce(evolve, events, Run())


def _started(run: Run, event: ev.RunStarted) -> None:
    run.uid, run.namespace, run.workflow = event.uid, event.namespace, event.workflow
    run.version, run.digest, run.input = event.version, event.digest, event.input
    run.deadline, run.retry_of = event.deadline, event.retry_of
    run.root = event.root_uid or event.uid
    run.status = Status.ACTIVE if event.held else Status.PENDING


def _resumed(run: Run, _: ev.RunResumed) -> None:
    run.status = Status.ACTIVE


def _scope(run: Run, event: ev.ScopeOpened) -> None:
    run.scopes[event.path] = event
    run.tasks.setdefault(event.path + "/", {})


def _loop(run: Run, event: ev.LoopOpened) -> None:
    run.loops[event.path] = LoopState(event.count)


def _loop_closed(run: Run, event: ev.LoopClosed) -> None:
    loop = run.loops[event.path]
    results = [loop.results.get(index) for index in range(loop.count)]
    output = {
        "results": results,
        "itemCount": loop.count,
        "successCount": len(loop.results),
        "failureCount": len(loop.failed),
    }
    settle(run, event.path, "done", output)


def _timer(run: Run, event: ev.TimerSet) -> None:
    run.timers[event.path] = event.wake_at


def _succeeded(run: Run, event: ev.StepSucceeded) -> None:
    settle(run, event.path, "done", event.output).attempt = event.attempt


def _skipped(run: Run, event: ev.StepSkipped) -> None:
    settle(run, event.path, "skipped", None)


def _failed(run: Run, event: ev.StepFailed) -> None:
    if event.again_at is None:
        step = settle(run, event.path, "failed", None, event.failure)
    else:
        step = run.steps.setdefault(event.path, StepState())
        step.status, step.again_at = "waiting", event.again_at
        run.unresolved.discard(event.path)
    if run.sends:
        sent.forget_doubt(run, event.path)
    step.attempt, step.failure = event.attempt, event.failure
    step.first_at = step.first_at or event.started_at


def _paused(run: Run, event: ev.RunPaused) -> None:
    run.status, run.failed_step, run.failure = Status(event.status), event.step, event.failure
    run.approval = event.approval


def _completed(run: Run, event: ev.RunCompleted) -> None:
    run.status, run.output = Status.COMPLETED, event.output
    run.failed_step, run.failure = "", None


def _run_failed(run: Run, event: ev.RunFailed) -> None:
    run.status, run.failed_step, run.failure = Status(event.status), event.step, event.failure


def _cancelled(run: Run, _: ev.RunCancelled) -> None:
    run.status = Status.CANCELLED


def _retried(run: Run, event: ev.RunRetried) -> None:
    run.retried_by = event.by
    if not run.over:
        run.status = Status.CANCELLED


_FOLD: dict[type[Any], Any] = {
    ev.RunStarted: _started,
    ev.RunResumed: _resumed,
    ev.ScopeOpened: _scope,
    ev.LoopOpened: _loop,
    ev.LoopClosed: _loop_closed,
    ev.TimerSet: _timer,
    ev.StepSucceeded: _succeeded,
    ev.StepFailed: _failed,
    ev.StepSkipped: _skipped,
    ev.RunPaused: _paused,
    ev.RunCompleted: _completed,
    ev.RunFailed: _run_failed,
    ev.RunCancelled: _cancelled,
    ev.RunRetried: _retried,
    **sent.FOLD,
}


# -- deciding ----------------------------------------------------------------------


@value
class Cancel:
    """Somebody asks the run to stop."""

    reason: str


Report = Begin | Resend | Succeed | Fail | Found | Resolve | Cancel


def decide(run: Run, report: Report) -> tuple[ev.RunEvent, ...]:
    """The events that follow from a report; raises Refused when it does not fit the state."""
    if run.over and type(report) not in _ALWAYS:
        raise Refused("already_ended", f"the run is {run.status} and cannot change any more")
    return _DECIDE[type(report)](run, report)


def _cancel(_: Run, report: Cancel) -> tuple[ev.RunEvent, ...]:
    return (ev.RunCancelled(report.reason),)


_DECIDE: Mapping[type[Any], Callable[[Run, Any], tuple[ev.RunEvent, ...]]] = {
    Cancel: _cancel,
    Begin: ledger.begin,
    Resend: ledger.resend,
    Succeed: ledger.succeed,
    Fail: ledger.fail,
    Found: ledger.found,
    Resolve: ledger.resolve,
}

_ALWAYS = frozenset({Resolve, Found})
"""What may be said of a run that is over: what became of what it sent."""

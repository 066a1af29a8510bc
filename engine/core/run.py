"""The life of one run: what is known of it, how an event changes that, what may be reported.

`evolve` folds an event into a state and never refuses: what happened, happened. It owns the
state it is given and changes it in place, so that folding n events costs n. `decide` looks at
a state and a report and returns the events that follow, or refuses. What to do next is the
planner's business (`plan.py`). A mutation is never begun without a grant: `decide` is the one
place where a step may become in flight, whichever way the command came in (SEMANTICS 5).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Literal

from engine.core import events as ev
from engine.core.errors import Failure, Move, Refused
from engine.core.model import Effect
from engine.core.retry import RetryPolicy
from engine.core.status import TERMINAL, Status
from engine.core.value import value

FALLBACK = "~fallback"
"""What is added to a step's path to name the step that stands in for it."""

StepStatus = Literal["waiting", "in_flight", "done", "skipped", "failed"]


@dataclass(slots=True)
class StepState:
    """Where one step stands."""

    status: StepStatus = "waiting"
    attempt: int = 0
    output: Any = None
    again_at: int = 0
    first_at: int = 0
    failure: Failure | None = None


@dataclass(slots=True)
class LoopState:
    """How far a forEach step is. `results` are by index; missing ones are not settled."""

    count: int
    results: dict[int, Any] = field(default_factory=dict)
    failed: dict[int, Failure] = field(default_factory=dict)


@dataclass(slots=True)
class Run:
    """A run, as far as its history tells. `tasks` holds, per scope prefix, what templates see."""

    uid: str = ""
    namespace: str = ""
    workflow: str = ""
    version: str = ""
    digest: str = ""
    status: Status = Status.PENDING
    input: Any = None
    output: Any = None
    deadline: int | None = None
    retry_of: int | None = None
    retried_by: str = ""
    failed_step: str = ""
    failure: Failure | None = None
    steps: dict[str, StepState] = field(default_factory=dict)
    loops: dict[str, LoopState] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    scopes: dict[str, ev.ScopeOpened] = field(default_factory=dict)
    tasks: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"": {}})

    @property
    def over(self) -> bool:
        """Whether it never moves again."""
        return self.status in TERMINAL


def split(path: str) -> tuple[str, str, int | None]:
    """Scope prefix, step id and item index of a path.

    >>> split("checkout/notify[3]")
    ('checkout/', 'notify', 3)
    >>> split("charge")
    ('', 'charge', None)
    """
    head, slash, tail = path.rpartition("/")
    name, bracket, rest = tail.partition("[")
    if not bracket or path.endswith(FALLBACK):
        return head + slash, tail, None
    return head + slash, name, int(rest[:-1])


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
    _settle(run, event.path, "done", output)


def _timer(run: Run, event: ev.TimerSet) -> None:
    run.timers[event.path] = event.wake_at


def _in_flight(run: Run, event: ev.StepInFlight) -> None:
    step = run.steps.setdefault(event.path, StepState())
    step.status, step.attempt = "in_flight", event.attempt


def _succeeded(run: Run, event: ev.StepSucceeded) -> None:
    _settle(run, event.path, "done", event.output).attempt = event.attempt


def _skipped(run: Run, event: ev.StepSkipped) -> None:
    _settle(run, event.path, "skipped", None)


def _failed(run: Run, event: ev.StepFailed) -> None:
    if event.again_at is None:
        step = _settle(run, event.path, "failed", None, event.failure)
    else:
        step = run.steps.setdefault(event.path, StepState())
        step.status, step.again_at = "waiting", event.again_at
    step.attempt, step.failure = event.attempt, event.failure
    step.first_at = step.first_at or event.started_at


def _settle(
    run: Run, path: str, status: StepStatus, output: Any, failure: Failure | None = None
) -> StepState:
    step = run.steps.get(path)
    if step is None:
        step = run.steps[path] = StepState()
    step.status, step.output = status, output
    prefix, name, index = split(path) if path[-1] == "]" or "/" in path else ("", path, None)
    if index is None:
        run.tasks[prefix][name] = {"output": output, "status": status}
        return step
    loop = run.loops[path[: path.rindex("[")]]
    if failure is None:
        loop.failed.pop(index, None)
        loop.results[index] = output
    else:
        loop.failed[index] = failure
    return step


def _paused(run: Run, event: ev.RunPaused) -> None:
    run.status, run.failed_step, run.failure = Status(event.status), event.step, event.failure


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
    ev.StepInFlight: _in_flight,
    ev.StepSucceeded: _succeeded,
    ev.StepFailed: _failed,
    ev.StepSkipped: _skipped,
    ev.RunPaused: _paused,
    ev.RunCompleted: _completed,
    ev.RunFailed: _run_failed,
    ev.RunCancelled: _cancelled,
    ev.RunRetried: _retried,
}


# -- deciding ----------------------------------------------------------------------


@value
class Begin:
    """A worker wants to start an attempt of a step. Only a mutation leaves a trace."""

    path: str
    effect: Effect
    grant: str = ""


@value
class Succeed:
    """A worker reports an output."""

    path: str
    output: Any
    target: str
    started_at: int
    source: str = ""


@value
class Fail:
    """A worker reports a failure; `chance` in [0, 1) is the jitter's."""

    path: str
    failure: Failure
    policy: RetryPolicy
    target: str
    started_at: int
    now: int
    chance: float


@value
class Cancel:
    """Somebody asks the run to stop."""

    reason: str


Report = Begin | Succeed | Fail | Cancel


def decide(run: Run, report: Report) -> tuple[ev.RunEvent, ...]:
    """The events that follow from a report; raises Refused when it does not fit the state."""
    if run.over:
        raise Refused("already_ended", f"the run is {run.status} and cannot change any more")
    return _DECIDE[type(report)](run, report)


def _cancel(_: Run, report: Cancel) -> tuple[ev.RunEvent, ...]:
    return (ev.RunCancelled(report.reason),)


def _succeed(run: Run, report: Succeed) -> tuple[ev.RunEvent, ...]:
    path, attempt = report.path, _open(run, report.path).attempt + 1
    target, at, source = report.target, report.started_at, report.source
    return (ev.StepSucceeded(path, report.output, attempt, target, at, source),)


def _begin(run: Run, report: Begin) -> tuple[ev.RunEvent, ...]:
    step = _open(run, report.path)
    if report.effect is not Effect.MUTATION:
        return ()
    if not report.grant:
        raise Refused(
            "needs_approval",
            f"step {report.path!r} would change a system outside, and nobody has allowed it",
            "Approvals arrive with the gate; until then use a dry run to see what it would do.",
            move=Move.PERSON,
        )
    return (ev.StepInFlight(report.path, step.attempt + 1, report.grant),)


def _attempt_failed(run: Run, report: Fail) -> tuple[ev.RunEvent, ...]:
    step = _open(run, report.path)
    elapsed = report.now - (step.first_at or report.started_at)
    wait = report.policy.delay(step.attempt + 1, report.failure, report.chance, elapsed)
    again_at = None if wait is None else report.now + wait
    attempt, target, began = step.attempt + 1, report.target, report.started_at
    return (ev.StepFailed(report.path, attempt, target, report.failure, began, again_at),)


_DECIDE: Mapping[type[Any], Callable[[Run, Any], tuple[ev.RunEvent, ...]]] = {
    Cancel: _cancel,
    Begin: _begin,
    Succeed: _succeed,
    Fail: _attempt_failed,
}


_FRESH = StepState()


def _open(run: Run, path: str) -> StepState:
    step = run.steps.get(path)
    if step is None:
        return _FRESH
    if step.status in {"done", "skipped", "failed"}:
        raise Refused("step_settled", f"step {path!r} is already {step.status}")
    return step

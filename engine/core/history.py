"""A run's history as a reader wants to see it: steps, attempts, whose turn it is."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any

from engine.core import events as ev
from engine.core.log import Recorded
from engine.core.model import Workflow
from engine.core.run import FALLBACK, Run, StepState, fold
from engine.core.state import SETTLED, UNRESOLVED
from engine.core.status import next_step, whose_move
from engine.core.views import AttemptView, LookupView, OutcomeView, RunView, SendView, StepView


@dataclass(slots=True)
class _Story:
    """What the events say of one step."""

    target: str = ""
    note: str = ""
    attempts: list[AttemptView] = field(default_factory=list)
    outcome: OutcomeView | None = None


def view(
    recorded: Sequence[Recorded],
    workflow: Workflow | None,
    busy: Collection[str] = (),
    retry_of: str = "",
    run: Run | None = None,
) -> RunView:
    """The run that `recorded` tells. `busy` are the calls under way in this process.

    `workflow` adds the steps that were not reached yet; `retry_of` is the public id of the run
    that this one retries; `run` is what `recorded` folds to, where that is known already.
    """
    run = run or fold(entry.event for entry in recorded)
    started, times = recorded[0].event, _times(recorded)
    assert isinstance(started, ev.RunStarted)
    return RunView(
        id=run.uid,
        namespace=run.namespace,
        workflow=run.workflow,
        version=run.version,
        kind=started.kind,
        status=run.status.value,
        whose_move=whose_move(run.status, times.wake_at),
        next_step=next_step(run.status, times.wake_at),
        created_at=recorded[0].at,
        started_at=times.started_at,
        ended_at=times.ended_at,
        wake_at=times.wake_at,
        deadline=run.deadline,
        actor=recorded[0].actor,
        input=run.input,
        output=run.output if run.status == "completed" else _partial(run),
        steps=_steps(run, recorded, workflow, busy),
        failed_step=run.failed_step,
        failure=run.failure,
        retry_of=retry_of,
        retried_by=run.retried_by,
        approval=run.approval,
    )


@dataclass(slots=True)
class _Times:
    """When a run began, ended, and goes on."""

    started_at: int | None = None
    ended_at: int | None = None
    wake_at: int | None = None


def _times(recorded: Sequence[Recorded]) -> _Times:
    times = _Times(started_at=recorded[0].at if recorded[0].event.held else None)
    for entry in recorded:
        event = entry.event
        kind = type(event)
        if kind is ev.RunResumed:
            times.started_at, times.wake_at = times.started_at or entry.at, None
        elif kind is ev.RunPaused:
            times.wake_at = event.wake_at
        elif kind in _ENDS:
            times.ended_at, times.wake_at = times.ended_at or entry.at, None
    return times


_ENDS = frozenset({ev.RunCompleted, ev.RunFailed, ev.RunCancelled, ev.RunRetried})


def _partial(run: Run) -> dict[str, Any]:
    done = run.tasks[""].items()
    return {
        name: task["output"]
        for name, task in done
        if task["status"] == "done" and not name.endswith(FALLBACK)
    }


def _steps(
    run: Run,
    recorded: Sequence[Recorded],
    workflow: Workflow | None,
    busy: Collection[str],
) -> tuple[StepView, ...]:
    stories: dict[str, _Story] = {}
    for entry in recorded:
        _tell(stories, entry)
    for path in busy:
        stories.setdefault(path, _Story())
    for step in workflow.steps if workflow else ():
        stories.setdefault(step.id, _Story())
    return tuple(_step(run, path, story, busy) for path, story in stories.items())


def _step(run: Run, path: str, story: _Story, busy: Collection[str]) -> StepView:
    state = run.steps.get(path, _UNTOUCHED)
    status: Any = state.status
    if status not in _SETTLED:
        status = _unsettled(run, path, busy)
    outcome = story.outcome
    if outcome is not None:
        outcome = OutcomeView(state.status, *_KNOWN(outcome))
    attempts = tuple(story.attempts)
    return StepView(path, story.target, status, attempts, state.output, story.note, outcome)


_UNTOUCHED = StepState()
_KNOWN = attrgetter(*[each.name for each in fields(OutcomeView) if each.name != "state"])
_SETTLED = SETTLED | UNRESOLVED


def _unsettled(run: Run, path: str, busy: Collection[str]) -> str:
    """What a reader should think of a step that has not come to its end."""
    under = (path + "/", path + "[", path + FALLBACK)
    if path in busy or any(one.startswith(under) for one in busy):
        return "running"
    return "cancelled" if run.over else "waiting"


def _tell(stories: dict[str, _Story], entry: Recorded) -> None:
    teller = _TELLERS.get(type(entry.event))
    if teller is not None:
        path = entry.event.path
        story = stories.get(path)
        if story is None:
            story = stories[path] = _Story()
        teller(story, entry.event, entry.at)


def _succeeded(story: _Story, event: ev.StepSucceeded, at: int) -> None:
    story.target, story.note = event.target, event.source
    if event.source != "fallback":
        story.attempts.append(AttemptView(event.attempt, event.started_at, at, None))


def _failed(story: _Story, event: ev.StepFailed, at: int) -> None:
    story.target = event.target
    story.attempts.append(
        AttemptView(event.attempt, event.started_at, at, event.failure, event.again_at)
    )


def _skipped(story: _Story, event: ev.StepSkipped, _: int) -> None:
    story.note = event.reason


def _scope(story: _Story, event: ev.ScopeOpened, _: int) -> None:
    story.target = f"{event.namespace}/{event.workflow}@{event.version}"


def _loop(story: _Story, event: ev.LoopOpened, _: int) -> None:
    story.note = f"{event.count} items"


def _timer(story: _Story, _: ev.TimerSet, __: int) -> None:
    story.note = "sleeping"


def _sent(story: _Story, event: ev.StepInFlight, _: int) -> None:
    before = story.outcome.sends if story.outcome is not None else ()
    send = SendView(event.send, event.attempt, event.at, event.grant, event.key)
    story.outcome = OutcomeView("in_flight", "", (*before, send))


def _known(story: _Story, **more: Any) -> None:
    story.outcome = replace(story.outcome or OutcomeView("", "", ()), **more)


def _unknown(story: _Story, event: ev.StepUnknown, at: int) -> None:
    _known(story, reason=event.reason, failure=event.failure)
    sends = story.outcome.sends if story.outcome is not None else ()
    if event.failure is not None and sends:
        attempt = AttemptView(sends[-1].attempt, sends[-1].at, at, event.failure)
        story.attempts.append(attempt)


def _looked_up(story: _Story, event: ev.StepLookedUp, at: int) -> None:
    look = LookupView(at, event.verdict, event.proven, event.failure)
    before = story.outcome.lookups if story.outcome is not None else ()
    _known(story, lookups=(*before, look))


def _indeterminate(story: _Story, event: ev.StepIndeterminate, _: int) -> None:
    _known(story, reason=event.reason)


def _resolved(story: _Story, event: ev.StepResolved, _: int) -> None:
    _known(story, verdict=event.verdict, by=event.by, approval=event.approval)
    story.note = f"{event.by} said: {event.verdict.replace('_', ' ')}"


def _conflicted(story: _Story, event: ev.TruthConflicted, _: int) -> None:
    said, found = event.said.replace("_", " "), event.found.replace("_", " ")
    before = story.outcome.incidents if story.outcome is not None else ()
    _known(story, incidents=(*before, f"send {event.send}: said {said}, found {found}"))


def _voided(story: _Story, event: ev.GrantVoided, _: int) -> None:
    story.note = f"not sent: {event.reason}; what was left of {event.grant} is void"


_TELLERS: Mapping[type[Any], Callable[[_Story, Any, int], None]] = {
    ev.StepSucceeded: _succeeded,
    ev.StepFailed: _failed,
    ev.StepSkipped: _skipped,
    ev.ScopeOpened: _scope,
    ev.LoopOpened: _loop,
    ev.TimerSet: _timer,
    ev.StepInFlight: _sent,
    ev.StepUnknown: _unknown,
    ev.StepLookedUp: _looked_up,
    ev.StepIndeterminate: _indeterminate,
    ev.StepResolved: _resolved,
    ev.TruthConflicted: _conflicted,
    ev.GrantVoided: _voided,
}

"""A run's history as a reader wants to see it: steps, attempts, whose turn it is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core import events as ev
from engine.core.log import Recorded
from engine.core.model import Workflow
from engine.core.run import FALLBACK, Run, StepState, fold
from engine.core.status import next_step, whose_move
from engine.core.views import AttemptView, RunView, StepView


@dataclass(slots=True)
class _Story:
    """What the events say of one step."""

    target: str = ""
    note: str = ""
    attempts: list[AttemptView] = field(default_factory=list)


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
        whose_move=whose_move(run.status),
        next_step=next_step(run.status),
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
        match entry.event:
            case ev.RunResumed():
                times.started_at, times.wake_at = times.started_at or entry.at, None
            case ev.RunPaused(_, wake_at):
                times.wake_at = wake_at
            case ev.RunCompleted() | ev.RunFailed() | ev.RunCancelled() | ev.RunRetried():
                times.ended_at, times.wake_at = times.ended_at or entry.at, None
    return times


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
    state = run.steps.get(path, StepState())
    status: Any = state.status if state.status in ("done", "skipped", "failed") else "waiting"
    under = (path + "/", path + "[", path + FALLBACK)
    if status == "waiting" and (path in busy or any(one.startswith(under) for one in busy)):
        status = "running"
    if status == "waiting" and run.over:
        status = "cancelled"
    return StepView(path, story.target, status, tuple(story.attempts), state.output, story.note)


def _tell(stories: dict[str, _Story], entry: Recorded) -> None:
    match entry.event:
        case ev.StepSucceeded(path, _, attempt, target, started_at, source):
            story = stories.setdefault(path, _Story())
            story.target, story.note = target, source
            if source != "fallback":
                story.attempts.append(AttemptView(attempt, started_at, entry.at, None))
        case ev.StepFailed(path, attempt, target, failure, started_at, again_at):
            story = stories.setdefault(path, _Story())
            story.target = target
            story.attempts.append(AttemptView(attempt, started_at, entry.at, failure, again_at))
        case ev.StepSkipped(path, reason):
            stories.setdefault(path, _Story()).note = reason
        case ev.ScopeOpened(path, namespace, name, version):
            story = stories.setdefault(path, _Story())
            story.target = f"{namespace}/{name}@{version}"
        case ev.LoopOpened(path, count):
            stories.setdefault(path, _Story()).note = f"{count} items"
        case ev.TimerSet(path, _):
            stories.setdefault(path, _Story()).note = "sleeping"
        case _:
            return

"""What a run that is retried by hand hands on to its successor (SEMANTICS section 2).

Results are copied where the version is the same. Where it is another, only what was changed
outside is: such a step is never done twice, so its whole top-level step is taken over as far as it
went. While the outcome of a mutation is open, nothing is handed on at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from engine.core import events as ev
from engine.core.errors import Move, Refused
from engine.core.ledger import unresolved
from engine.core.model import Workflow
from engine.core.state import Run

_RESULTS = (ev.StepSucceeded, ev.StepSkipped, ev.ScopeOpened, ev.LoopOpened, ev.LoopClosed)


def carried(run: Run, history: Iterable[Any], workflow: Workflow, *, same: bool) -> tuple[Any, ...]:
    """The events that a new run of `workflow` begins with, in their order.

    Raises Refused `mutation_unresolved`, or `mutation_applied` when the version has no place for
    what was changed already.
    """
    for path in sorted(run.unresolved):
        raise unresolved(path, run.steps[path].status)
    tops = {_top(path) for path in run.sends if _applied(run, path)}
    if not same:
        _check(tops, workflow)
    return (
        *_sends(run),
        *(
            _copied(event)
            for event in history
            if _kept(event) and (same or _top(event.path) in tops)
        ),
    )


def _kept(event: Any) -> bool:
    if isinstance(event, ev.StepResolved):
        return event.verdict != "did_not_happen"
    return isinstance(event, _RESULTS)


def _applied(run: Run, path: str) -> bool:
    step = run.steps.get(path)
    return step is not None and step.status in {"done", "skipped"}


def _top(path: str) -> str:
    """The step of the workflow itself that a path belongs to.

    >>> _top("loop[3]/charge"), _top("charge~fallback")
    ('loop', 'charge')
    """
    return path.partition("/")[0].partition("[")[0].partition("~")[0]


def _check(tops: set[str], workflow: Workflow) -> None:
    gone = tops - {step.id for step in workflow.steps}
    for name in sorted(gone):
        raise Refused(
            "mutation_applied",
            f"step {name!r} has changed something outside, and {workflow.name} "
            f"{workflow.version} has no such step",
            "Retry with the same version, or with one that has it.",
            move=Move.PERSON,
            details={"step": name},
        )


def _sends(run: Run) -> Iterator[ev.SendsCarried]:
    for path, sending in run.sends.items():
        yield ev.SendsCarried(path, sending.epoch, sending.first_at)


def _copied(event: Any) -> Any:
    if isinstance(event, ev.StepSucceeded) and event.source != "fallback":
        return replace(event, source="copied")
    return event

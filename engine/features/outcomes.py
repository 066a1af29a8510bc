"""Mutations whose outcome a person has to settle: one row each, gone when it is known.

Only what went wrong is drawn: a mutation that is answered leaves no trace here, so that the many
that go well cost nothing, neither when they are recorded nor when the tables are drawn again.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from engine.core import events as ev
from engine.core.log import EventKind, Feature, Param, Recorded, Write


def _put(recorded: Recorded, path: str, status: str, reason: str) -> Iterable[Write]:
    row: dict[str, Param] = {
        "run": recorded.stream,
        "path": path,
        "tenant": recorded.tenant,
        "status": status,
        "reason": reason,
        "since": recorded.at,
    }
    return (Write("outcome_put", row),)


def _gone(recorded: Recorded) -> Iterable[Write]:
    path: str = recorded.event.path
    return (Write("outcome_drop", {"run": recorded.stream, "path": path}),)


def _indeterminate(recorded: Recorded) -> Iterable[Write]:
    event: ev.StepIndeterminate = recorded.event
    return _put(recorded, event.path, "indeterminate", event.reason)


def _looked_up(recorded: Recorded) -> Iterable[Write]:
    """A look-up that decides, or an answer that came late."""
    return _gone(recorded) if recorded.event.proven else ()


def _conflicted(recorded: Recorded) -> Iterable[Write]:
    event: ev.TruthConflicted = recorded.event
    reason = f"said {event.said}, found {event.found}"
    return _put(recorded, f"{event.path}#{event.send}", "conflict", reason)


_PROJECT: dict[type[Any], Any] = {
    ev.StepIndeterminate: _indeterminate,
    ev.StepLookedUp: _looked_up,
    ev.StepResolved: _gone,
    ev.TruthConflicted: _conflicted,
}

FEATURE = Feature(
    name="outcomes",
    kinds=(
        EventKind("step.looked_up", ev.StepLookedUp),
        EventKind("step.indeterminate", ev.StepIndeterminate),
        EventKind("step.resolved", ev.StepResolved),
        EventKind("truth.conflicted", ev.TruthConflicted),
    ),
    tables=("outcomes",),
    project=MappingProxyType(_PROJECT),
)

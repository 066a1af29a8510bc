"""Runs as lists and counts see them: one row a run."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from engine.core import events as ev
from engine.core.calls import is_call
from engine.core.log import EventKind, Feature, Param, Recorded, Write

_MINUTE = 60_000_000


def _started(recorded: Recorded) -> Iterable[Write]:
    event: ev.RunStarted = recorded.event
    row = Write(
        "run_insert",
        {
            "id": recorded.stream,
            "tenant": recorded.tenant,
            "uid": event.uid,
            "namespace": event.namespace,
            "workflow": event.workflow,
            "version": event.version,
            "digest": event.digest,
            "kind": event.kind,
            "status": "active" if event.held else "pending",
            "actor": recorded.actor,
            "created_at": recorded.at,
            "started_at": recorded.at if event.held else None,
            "deadline": event.deadline,
            "retry_of": event.retry_of,
            "root": event.root,
            "key": event.key,
        },
    )
    return (row, _start_key(recorded, event)) if event.key else (row,)


def _start_key(recorded: Recorded, event: ev.RunStarted) -> Write:
    # A call's key goes on to the next run once its time is over; any other names one run for ever.
    statement = "call_key_put" if is_call(event.key) else "start_key_insert"
    return Write(
        statement,
        {
            "tenant": recorded.tenant,
            "namespace": event.namespace,
            "workflow": event.workflow,
            "key": event.key,
            "run": recorded.stream,
            "input_digest": event.input_digest,
        },
    )


def _resumed(recorded: Recorded) -> Iterable[Write]:
    return (Write("run_resumed", {"id": recorded.stream, "at": recorded.at}),)


def _paused(recorded: Recorded) -> Iterable[Write]:
    event: ev.RunPaused = recorded.event
    failure = event.failure
    paused = Write(
        "run_paused",
        {
            "id": recorded.stream,
            "status": event.status,
            "wake_at": event.wake_at,
            "failed_step": event.step,
            "failure_kind": failure.kind.value if failure else "",
            "failure_code": failure.code if failure else "",
        },
    )
    return (paused,)


def _granted(recorded: Recorded) -> Iterable[Write]:
    """A standing grant is counted; one that a person gave for this run is used up by it."""
    event: ev.MutationsGranted = recorded.event
    if event.grant.startswith("apr_"):
        return ()
    operations = sum(event.templates.get(name, 1) for name in event.ops)
    place: dict[str, Param] = {"tenant": recorded.tenant, "name": event.grant}
    minute = recorded.at // _MINUTE
    return (Write("grant_use", {**place, "minute": minute, "operations": operations}),)


def _completed(recorded: Recorded) -> Iterable[Write]:
    return (_ended(recorded, "completed", "", "", ""),)


def _failed(recorded: Recorded) -> Iterable[Write]:
    event: ev.RunFailed = recorded.event
    failure = event.failure
    return (_ended(recorded, event.status, event.step, failure.kind.value, failure.code),)


def _cancelled(recorded: Recorded) -> Iterable[Write]:
    return (_ended(recorded, "cancelled", "", "", ""),)


def _ended(recorded: Recorded, status: str, step: str, kind: str, code: str) -> Write:
    return Write(
        "run_ended",
        {
            "id": recorded.stream,
            "status": status,
            "at": recorded.at,
            "failed_step": step,
            "failure_kind": kind,
            "failure_code": code,
        },
    )


def _retried(recorded: Recorded) -> Iterable[Write]:
    event: ev.RunRetried = recorded.event
    return (Write("run_retried", {"id": recorded.stream, "by": event.by, "at": recorded.at}),)


def _as_it_was(body: dict[str, Any]) -> dict[str, Any]:
    """Fields were added since, and what is missing has its default."""
    return body


FEATURE = Feature(
    name="runs",
    kinds=(
        EventKind("run.started", ev.RunStarted, (_as_it_was,)),
        EventKind("run.resumed", ev.RunResumed),
        EventKind("scope.opened", ev.ScopeOpened),
        EventKind("loop.opened", ev.LoopOpened),
        EventKind("loop.closed", ev.LoopClosed),
        EventKind("timer.set", ev.TimerSet),
        EventKind("mutations.granted", ev.MutationsGranted),
        EventKind("grant.voided", ev.GrantVoided),
        EventKind("step.in_flight", ev.StepInFlight, (_as_it_was,)),
        EventKind("step.unknown", ev.StepUnknown),
        EventKind("sends.carried", ev.SendsCarried),
        EventKind("step.succeeded", ev.StepSucceeded),
        EventKind("step.failed", ev.StepFailed),
        EventKind("step.skipped", ev.StepSkipped),
        EventKind("run.paused", ev.RunPaused, (_as_it_was,)),
        EventKind("run.completed", ev.RunCompleted),
        EventKind("run.failed", ev.RunFailed),
        EventKind("run.cancelled", ev.RunCancelled),
        EventKind("run.retried", ev.RunRetried),
    ),
    tables=("runs", "start_keys", "grant_uses"),
    project=MappingProxyType(
        {
            ev.RunStarted: _started,
            ev.RunResumed: _resumed,
            ev.RunPaused: _paused,
            ev.MutationsGranted: _granted,
            ev.RunCompleted: _completed,
            ev.RunFailed: _failed,
            ev.RunCancelled: _cancelled,
            ev.RunRetried: _retried,
        }
    ),
)

"""Runs as lists and counts see them: one row a run."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from engine.core import events as ev
from engine.core.log import EventKind, Feature, Recorded, Write


def project(recorded: Recorded) -> Iterable[Write]:
    """The rows that an event of a run touches."""
    write = _WRITES.get(type(recorded.event))
    return write(recorded, recorded.event) if write else ()


def _started(recorded: Recorded, event: ev.RunStarted) -> Iterable[Write]:
    yield Write(
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
    if event.key:
        yield Write(
            "start_key_insert",
            {
                "tenant": recorded.tenant,
                "namespace": event.namespace,
                "workflow": event.workflow,
                "key": event.key,
                "run": recorded.stream,
                "input_digest": event.input_digest,
            },
        )


def _resumed(recorded: Recorded, _: ev.RunResumed) -> Iterable[Write]:
    yield Write("run_resumed", {"id": recorded.stream, "at": recorded.at})


def _paused(recorded: Recorded, event: ev.RunPaused) -> Iterable[Write]:
    failure = event.failure
    yield Write(
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


def _completed(recorded: Recorded, _: ev.RunCompleted) -> Iterable[Write]:
    yield _ended(recorded, "completed", "", "", "")


def _failed(recorded: Recorded, event: ev.RunFailed) -> Iterable[Write]:
    failure = event.failure
    yield _ended(recorded, event.status, event.step, failure.kind.value, failure.code)


def _cancelled(recorded: Recorded, _: ev.RunCancelled) -> Iterable[Write]:
    yield _ended(recorded, "cancelled", "", "", "")


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


def _retried(recorded: Recorded, event: ev.RunRetried) -> Iterable[Write]:
    yield Write("run_retried", {"id": recorded.stream, "by": event.by, "at": recorded.at})


_WRITES: Mapping[type[Any], Callable[[Recorded, Any], Iterable[Write]]] = MappingProxyType(
    {
        ev.RunStarted: _started,
        ev.RunResumed: _resumed,
        ev.RunPaused: _paused,
        ev.RunCompleted: _completed,
        ev.RunFailed: _failed,
        ev.RunCancelled: _cancelled,
        ev.RunRetried: _retried,
    }
)

FEATURE = Feature(
    name="runs",
    kinds=(
        EventKind("run.started", ev.RunStarted),
        EventKind("run.resumed", ev.RunResumed),
        EventKind("scope.opened", ev.ScopeOpened),
        EventKind("loop.opened", ev.LoopOpened),
        EventKind("loop.closed", ev.LoopClosed),
        EventKind("timer.set", ev.TimerSet),
        EventKind("step.in_flight", ev.StepInFlight),
        EventKind("step.succeeded", ev.StepSucceeded),
        EventKind("step.failed", ev.StepFailed),
        EventKind("step.skipped", ev.StepSkipped),
        EventKind("run.paused", ev.RunPaused),
        EventKind("run.completed", ev.RunCompleted),
        EventKind("run.failed", ev.RunFailed),
        EventKind("run.cancelled", ev.RunCancelled),
        EventKind("run.retried", ev.RunRetried),
    ),
    tables=("runs", "start_keys"),
    project=project,
)

"""Runs, their steps and attempts as they cross the protocol."""

from typing import TYPE_CHECKING

from mcp_server.foreign import INLINE, LINE, message
from mcp_server.wire.basics import Json, called, failure, millis, rfc3339, size, without_empty

if TYPE_CHECKING:
    from engine.core.views import AttemptView, FailureGroup, OutcomeView, RunRow, RunView, StepView

_OPEN = frozenset({"in_flight", "unknown", "indeterminate"})
"""A change was sent, and nobody knows yet what became of it."""
_APPLIED = "The other system said that it happened; only its result is missing. "
MOST_STEPS = 200
"""Steps listed in a result; a run's resource has them all."""


def run(view: "RunView", *, full: bool = False, whole: bool = False) -> Json:
    """A run: where it stands, its result or its failure, and its steps.

    `full` adds its input and every attempt; `whole` leaves nothing out for its size.
    """
    facts: Json = {
        "status": view.status,
        "executionId": view.id,
        "workflow": called(view.namespace, view.workflow),
        "version": view.version,
        "whoseMove": view.whose_move.value,
        "nextStep": view.next_step,
        "createdAt": rfc3339(view.created_at),
        "failedTask": view.failed_step,
        "retryOf": view.retry_of,
        "retriedBy": view.retried_by,
        "reused": view.reused,
        "kind": "" if view.kind == "workflow" else view.kind,
    }
    facts = without_empty(facts, "nextStep", "failedTask", "retryOf", "retriedBy", "reused", "kind")
    _put_times(facts, view)
    if view.failure is not None:
        facts["errorMessage"] = message(view.failure.message)
        facts["error"] = failure(view.failure)
    _put_output(facts, view, whole)
    most = len(view.steps) if whole else MOST_STEPS
    facts["tasks"] = [step(each, full=full) for each in view.steps[:most]]
    if len(view.steps) > most:
        facts["tasksOmitted"] = len(view.steps) - most
    if full:
        facts |= {"input": view.input, "actor": message(view.actor, LINE)}
    if full and not whole:
        _leave_out_what_is_long(facts, view.id)
    return facts


def _leave_out_what_is_long(facts: Json, run_id: str) -> None:
    """The input and the steps' outputs together stay within `INLINE`; the first ones win."""
    left = INLINE
    for holder, name in ((facts, "input"), *((each, "output") for each in facts["tasks"])):
        length = size(holder[name])
        if length > left:
            del holder[name]
            holder[f"{name}Omitted"] = {"characters": length, "resource": f"run://{run_id}"}
        else:
            left -= length


def run_brief(view: "RunView") -> Json:
    """A run without its steps and results, for an answer about a change of it."""
    facts: Json = {
        "status": view.status,
        "executionId": view.id,
        "workflow": called(view.namespace, view.workflow),
        "version": view.version,
        "whoseMove": view.whose_move.value,
        "nextStep": view.next_step,
        "retryOf": view.retry_of,
    }
    return without_empty(facts, "nextStep", "retryOf")


def _put_times(facts: Json, view: "RunView") -> None:
    times = (("endedAt", view.ended_at), ("wakeAt", view.wake_at), ("deadline", view.deadline))
    facts |= {name: rfc3339(at) for name, at in times if at is not None}
    if view.ended_at is not None:
        facts["durationMs"] = millis(view.ended_at - view.created_at)
    if view.started_at is not None:
        facts["startedAt"] = rfc3339(view.started_at)


def _put_output(facts: Json, view: "RunView", whole: bool) -> None:
    name = "output" if view.status == "completed" else "partialOutput"
    if name == "partialOutput" and (view.output is None or view.output == {}):
        facts |= {name: {}} if view.failure is not None else {}
        return
    length = size(view.output)
    if length > INLINE and not whole:
        facts["outputOmitted"] = {"characters": length, "resource": f"run://{view.id}"}
    else:
        facts[name] = view.output


def step(view: "StepView", *, full: bool) -> Json:
    """A step of a run: where it stands and how often it was tried."""
    shown: Json = {"id": view.path, "status": view.status, "attempts": len(view.attempts)}
    if view.attempts:
        first, last = view.attempts[0], view.attempts[-1]
        if first.started_at is not None:
            shown["durationMs"] = millis(last.ended_at - first.started_at)
        if last.failure is not None:
            shown["error"] = failure(last.failure)
        if last.again_at is not None:
            shown["againAt"] = rfc3339(last.again_at)
    if view.note:
        shown["note"] = message(view.note, LINE)
    if view.outcome is not None and (full or view.status in _OPEN or view.outcome.incidents):
        shown["outcome"] = outcome(view.outcome)
    if full:
        shown |= {"target": view.target, "output": view.output}
        shown["attemptLog"] = [attempt(each) for each in view.attempts]
    return shown


def outcome(view: "OutcomeView") -> Json:
    """What is known of a change that was sent: whoever finds out what became of it needs it."""
    applied = view.failure is not None and view.failure.details.get("applied") == "yes"
    shown: Json = {
        "state": view.state,
        "reason": message(f"{_APPLIED if applied else ''}{view.reason}", LINE),
        "sends": len(view.sends),
        "lookups": len(view.lookups),
        "reference": message(view.key, LINE),
        "verdict": view.verdict,
        "by": message(view.by, LINE),
        "incidents": [message(each, LINE) for each in view.incidents],
    }
    if view.sends:
        shown["sentAt"] = rfc3339(view.sent_at)
    return without_empty(shown, "reason", "lookups", "reference", "verdict", "by", "incidents")


def attempt(view: "AttemptView") -> Json:
    """One attempt of a step."""
    shown: Json = {"attempt": view.attempt, "endedAt": rfc3339(view.ended_at)}
    if view.started_at is not None:
        shown["startedAt"] = rfc3339(view.started_at)
        shown["durationMs"] = millis(view.ended_at - view.started_at)
    if view.failure is not None:
        shown["error"] = failure(view.failure)
    if view.again_at is not None:
        shown["againAt"] = rfc3339(view.again_at)
    return shown


def run_row(view: "RunRow") -> Json:
    """A run as a list shows it."""
    shown: Json = {
        "executionId": view.id,
        "workflow": called(view.namespace, view.workflow),
        "version": view.version,
        "status": view.status,
        "whoseMove": view.whose_move.value,
        "createdAt": rfc3339(view.created_at),
        "kind": "" if view.kind == "workflow" else view.kind,
        "failedTask": view.failed_step,
        "errorKind": view.failure_kind,
        "errorCode": view.failure_code,
        "retryOf": view.retry_of,
    }
    if view.ended_at is not None:
        shown["endedAt"] = rfc3339(view.ended_at)
        shown["durationMs"] = millis(view.ended_at - view.created_at)
    if view.wake_at is not None:
        shown["wakeAt"] = rfc3339(view.wake_at)
    return without_empty(shown, "kind", "failedTask", "errorKind", "errorCode", "retryOf")


def group(view: "FailureGroup") -> Json:
    """Runs that failed in the same way."""
    shown: Json = {
        "workflow": view.workflow.removeprefix("default/"),
        "kind": view.kind,
        "code": view.code,
        "count": view.count,
        "lastAt": rfc3339(view.last_at),
        "lastRun": view.last_run,
        "failedTask": view.step,
    }
    return without_empty(shown, "failedTask")

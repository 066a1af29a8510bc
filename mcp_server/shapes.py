"""The shape of everything a tool takes and returns, as JSON Schema.

Each tool has one outcome model: an object whose `status` says which outcome it is, valid for
success, for failure and for a refusal alike, because clients check the structured result of an
error too. The full model is served as `schema://tool/{name}`; what `tools/list` publishes is
derived from it by leaving things out (`compact`), so whatever fits the full one fits the other.
"""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from engine.core.status import StepStatus

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
ANY: Schema = {}
OBJECT: Schema = {"type": "object"}
TIME: Schema = {"type": "string", "format": "date-time"}
MOVE: Schema = {"enum": ["engine", "clock", "person", "outside", "caller", "none"]}
EFFECT: Schema = {"enum": ["pure", "read", "mutation"]}
STEP_STATUS: Schema = {"enum": list(get_args(StepStatus))}
RUN_STATUS: Schema = {
    "enum": [
        "pending", "active", "paused:retry", "paused:timer", "paused:signal", "paused:approval",
        "paused:reconciliation", "paused:auth", "paused:permission", "paused:precondition",
        "paused:budget", "completed", "failed:logic", "failed:internal", "failed:exhausted",
        "failed:denied", "cancelled", "stale",
    ]
}  # fmt: skip


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """A closed object: these fields and no others."""
    schema: Schema = {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }
    return {**schema, "required": list(required)} if required else schema


def listing(items: Schema) -> Schema:
    """An array of `items`."""
    return {"type": "array", "items": items}


def described(schema: Schema, description: str, **more: Any) -> Schema:
    """`schema` with limits, a default, and words where its name does not say enough."""
    return {**schema, **more, **({"description": description} if description else {})}


def outcome(status: str | Schema, required: Mapping[str, Schema], **optional: Schema) -> Schema:
    """One way a call can end."""
    said = {"const": status} if isinstance(status, str) else status
    return record({"status": said, **required}, optional)


FIELD = record(
    {"name": TEXT, "type": TEXT, "description": TEXT},
    {"required": FLAG, "default": ANY, "enum": {"type": "array"}},
)
INVALID = record({"name": TEXT, "type": TEXT, "description": TEXT, "error": TEXT, "received": TEXT})
FAILURE = record(
    {"kind": TEXT, "code": TEXT, "message": TEXT, "retryable": FLAG},
    {"hint": TEXT, "retryAfterMs": COUNT, "cause": listing(TEXT), "details": OBJECT},
)
ATTEMPT = record(
    {"attempt": COUNT, "endedAt": TIME},
    {"startedAt": TIME, "durationMs": COUNT, "error": FAILURE, "againAt": TIME},
)
OMITTED = record({"characters": COUNT, "resource": TEXT})
OUTCOME = record(
    {"state": TEXT, "sends": COUNT},
    {
        "reason": TEXT, "sentAt": TIME, "lookups": COUNT, "reference": TEXT, "verdict": TEXT,
        "by": TEXT, "incidents": listing(TEXT),
    },
)  # fmt: skip
STEP = record(
    {"id": TEXT, "status": STEP_STATUS, "attempts": COUNT},
    {
        "durationMs": COUNT, "target": TEXT, "note": TEXT, "error": FAILURE, "againAt": TIME,
        "output": ANY, "outputOmitted": OMITTED, "attemptLog": listing(ATTEMPT),
        "outcome": OUTCOME,
    },
)  # fmt: skip
STATISTICS = record(
    {"runs": COUNT, "completed": COUNT, "failed": COUNT},
    {
        "successRate": {"type": "number"}, "p50Ms": COUNT, "p95Ms": COUNT, "lastRunAt": TIME,
        "lastRun": TEXT, "lastStatus": TEXT,
    },
)  # fmt: skip
WORKFLOW = record(
    {
        "name": TEXT, "version": TEXT, "description": TEXT, "effect": EFFECT,
        "inputs": listing(FIELD),
    },
    {
        "categories": listing(TEXT), "tags": listing(TEXT), "steps": COUNT, "pending": FLAG,
        "deprecated": FLAG, "score": {"type": "number"}, "why": TEXT, "stats": STATISTICS,
    },
)  # fmt: skip
PROBLEM = record(
    {"file": TEXT, "severity": {"enum": ["error", "warning"]}, "code": TEXT, "message": TEXT},
    {"line": COUNT, "path": TEXT, "hint": TEXT, "subject": TEXT},
)
VERSION = record(
    {"version": TEXT, "default": FLAG, "effect": EFFECT, "publishedAt": TIME, "runs": OBJECT},
    {"digest": TEXT, "pinned": FLAG, "deprecated": FLAG, "pending": FLAG},
)
STEP_INFO = record(
    {"id": TEXT, "targets": listing(TEXT), "type": TEXT, "effect": EFFECT},
    {"dependsOn": listing(TEXT), "condition": TEXT, "forEach": TEXT, "description": TEXT},
)
EXAMPLE = record({"name": TEXT, "input": OBJECT}, {"description": TEXT, "expectedOutput": ANY})
TASK = record(
    {"name": TEXT, "type": TEXT, "effect": EFFECT, "description": TEXT, "usedBy": listing(TEXT)},
    {"category": TEXT, "tags": listing(TEXT), "inputs": listing(TEXT)},
)
RUN_ROW = record(
    {
        "executionId": TEXT, "workflow": TEXT, "version": TEXT, "status": RUN_STATUS,
        "whoseMove": MOVE, "createdAt": TIME,
    },
    {
        "kind": TEXT, "endedAt": TIME, "durationMs": COUNT, "wakeAt": TIME, "failedTask": TEXT,
        "errorKind": TEXT, "errorCode": TEXT, "retryOf": TEXT,
    },
)  # fmt: skip
GROUP = record(
    {"workflow": TEXT, "kind": TEXT, "code": TEXT, "count": COUNT, "lastAt": TIME, "lastRun": TEXT},
    {"failedTask": TEXT},
)
PLANNED = record(
    {"id": TEXT, "effect": EFFECT, "would": {"enum": ["run", "skip", "depends"]}},
    {"target": TEXT, "reason": TEXT, "input": ANY, "request": TEXT},
)
PLAN = record(
    {"steps": listing(PLANNED), "parallelGroups": listing(listing(TEXT)), "mutations": COUNT}
)
WRONG = record({"name": TEXT, "error": TEXT}, {"received": TEXT})

APPROVAL_STATUS: Schema = {
    "enum": [
        "approval_required", "setup_required", "approved", "done", "denied", "expired",
        "cancelled", "superseded", "void", "revoked",
    ]
}  # fmt: skip
WAITING_FOR = record(
    {"status": APPROVAL_STATUS, "approvalId": TEXT, "code": TEXT, "summary": TEXT},
    {"approveUrl": TEXT, "command": TEXT, "expiresAt": TIME},
)

_RUN_FACTS: dict[str, Schema] = {
    "workflow": TEXT, "version": TEXT, "kind": TEXT, "whoseMove": MOVE, "nextStep": TEXT,
    "createdAt": TIME, "startedAt": TIME, "endedAt": TIME, "wakeAt": TIME, "deadline": TIME,
    "durationMs": COUNT, "actor": TEXT, "retryOf": TEXT, "retriedBy": TEXT, "reused": FLAG,
    "input": ANY, "output": ANY, "partialOutput": ANY, "outputOmitted": OMITTED,
    "inputOmitted": OMITTED, "tasks": listing(STEP), "tasksOmitted": COUNT, "failedTask": TEXT,
    "errorMessage": TEXT, "error": FAILURE, "approval": WAITING_FOR,
}  # fmt: skip

DETAILS = outcome(
    "ok",
    {
        "name": TEXT, "version": TEXT, "description": TEXT, "effect": EFFECT,
        "inputs": listing(FIELD), "steps": listing(STEP_INFO),
        "parallelGroups": listing(listing(TEXT)),
    },
    categories=listing(TEXT), tags=listing(TEXT), pending=FLAG, deprecated=FLAG,
    examples=listing(EXAMPLE), outputs=listing(TEXT), inputSchema=OBJECT, document=OBJECT,
    versions=listing(VERSION),
)  # fmt: skip
REFUSED = outcome(
    "refused",
    {"code": TEXT, "message": TEXT, "whoseMove": MOVE},
    hint=TEXT, suggestions=listing(TEXT), arguments=listing(WRONG), errorId=TEXT,
)  # fmt: skip
RUN = outcome(RUN_STATUS, {"executionId": TEXT, "workflow": TEXT, "version": TEXT}, **_RUN_FACTS)
RUN_BRIEF = outcome(
    RUN_STATUS,
    {"executionId": TEXT, "workflow": TEXT, "version": TEXT, "whoseMove": MOVE},
    nextStep=TEXT, retryOf=TEXT,
)  # fmt: skip
INVALID_INPUT = outcome(
    "invalid_input",
    {
        "workflow": TEXT, "missingInputs": listing(FIELD), "invalidInputs": listing(INVALID),
        "suggestedPrompt": TEXT, "whoseMove": MOVE, "nextStep": TEXT,
    },
)  # fmt: skip
DRY_RUN = outcome(
    "dry_run",
    {"workflow": TEXT, "version": TEXT, "plan": PLAN, "nextStep": TEXT},
    output=ANY, missingInputs=listing(FIELD), invalidInputs=listing(INVALID),
    suggestedPrompt=TEXT, pending=FLAG,
)  # fmt: skip
APPROVAL = outcome(
    APPROVAL_STATUS,
    {
        "approvalId": TEXT, "code": TEXT, "kind": TEXT, "summary": TEXT, "whoseMove": MOVE,
        "expiresAt": TIME,
    },
    workflow=TEXT, executionId=TEXT, approveUrl=TEXT, command=TEXT, nextStep=TEXT, outcome=TEXT,
    result=ANY, decidedAt=TIME, decidedBy=TEXT, comment=TEXT, successor=TEXT,
)  # fmt: skip


def page(name: str, items: Schema, **more: Schema) -> Schema:
    """A page of a list."""
    return outcome("ok", {name: listing(items)}, total=COUNT, nextCursor=TEXT, **more)


_FOUND = listing(record({"name": TEXT, "value": ANY, "from": TEXT}))
_BEST = record(
    {
        "workflow": TEXT, "confidence": {"type": "number"}, "extractedInputs": _FOUND,
        "missingInputs": listing(record(
            {"name": TEXT, "type": TEXT, "description": TEXT},
            {"required": FLAG, "default": ANY, "enum": {"type": "array"}, "reason": TEXT},
        )),
        "canAutoExecute": FLAG, "why": TEXT,
    },
    {"suggestedInputs": _FOUND, "suggestedPrompt": TEXT},
)  # fmt: skip
MATCHES = outcome(
    "ok",
    {"workflows": listing(WORKFLOW)},
    total=COUNT, bestMatch=_BEST, noGoodMatch=FLAG, nextStep=TEXT,
)  # fmt: skip


def outcomes(*branches: Schema) -> Schema:
    """Everything a tool can answer; a refusal is always among it."""
    return {"type": "object", "anyOf": [*branches, REFUSED]}


_QUIET = frozenset(
    {
        "breaks", "items", "source", "note",
        "errorId", "arguments", "actor", "kind", "reused", "deadline", "wakeAt", "tasksOmitted",
        "inputOmitted", "outputOmitted", "createdAt", "startedAt", "endedAt", "retryOf",
        "retriedBy", "hint", "suggestions", "command", "expiresAt", "decidedAt", "decidedBy",
        "comment", "successor", "outcome", "input", "partialOutput", "errorMessage", "categories",
        "tags", "examples", "inputSchema", "document", "durationMs", "failedTask",
        "code", "message", "whoseMove", "summary", "approveUrl", "result", "total", "version",
        "pending", "deprecated", "outputs", "parallelGroups", "problems", "suggestedPrompt",
        "effect", "description", "analysisDepth", "truncatedAtDepth", "taskName", "workflowName",
        "connectorName", "graph", "pinnedTasks", "runsUnderWay", "notFollowed", "manyUsers",
        "omitted", "tried", "untried", "breaksOmitted", "edgesOmitted", "pinnedTasksOmitted",
        "remaining", "changeId", "workflow", "approval", "plan", "name",
    }
)  # fmt: skip
"""Of use to a person only, rarely there, or in every answer alike: allowed in a compact schema
without being listed. The words of every refusal and every question are told once, by the server's
instructions and the full schemas, and not again by each tool."""


def compact(full: Schema) -> Schema:
    """`full` with one level of fields and without words: the same values fit, and more.

    >>> compact(outcomes(outcome("ok", {"n": COUNT})))["required"]
    ['status']
    """
    branches = full["anyOf"]
    fields: dict[str, list[Schema]] = {}
    for branch in branches:
        for name, schema in branch["properties"].items():
            fields.setdefault(name, []).append(schema)
    always = set.intersection(*(set(branch["required"]) for branch in branches))
    return {
        "type": "object",
        "properties": {
            name: _widest(schemas) for name, schemas in fields.items() if name not in _QUIET
        },
        "required": sorted(always - _QUIET),
    }


def _widest(schemas: Iterable[Schema]) -> Schema:
    kinds = {_kind(schema) for schema in schemas}
    return {"type": kinds.pop()} if len(kinds) == 1 and None not in kinds else {}


def _kind(schema: Schema) -> str | None:
    if "const" in schema or "enum" in schema:
        return "string"
    kind = schema.get("type")
    return kind if isinstance(kind, str) else None

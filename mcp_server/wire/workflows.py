"""Workflows, tasks, versions and plans as they cross the protocol."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mcp_server.foreign import LINE, message
from mcp_server.wire.basics import Json, called, millis, rfc3339, size, without_empty

if TYPE_CHECKING:
    from engine.core.model import Example
    from engine.core.statistics import Statistics
    from engine.core.views import (
        DryRun,
        InputField,
        InvalidInput,
        PlannedStep,
        Problem,
        StepInfo,
        TaskInfo,
        VersionInfo,
        WorkflowDetails,
        WorkflowInfo,
    )

MOST_STEPS = 200
"""Steps listed in a plan."""
MOST_INPUT = 4_000
"""Characters of JSON that are shown of what a planned step would be given."""


def field(view: "InputField") -> Json:
    """One input of a workflow."""
    shown: Json = {
        "name": view.name,
        "type": view.type,
        "description": message(view.description, LINE),
        "required": view.required,
    }
    if view.default is not None:
        shown["default"] = view.default
    if view.enum:
        shown["enum"] = list(view.enum)
    return shown


def fields(views: Iterable["InputField"]) -> list[Json]:
    """Several inputs."""
    return [field(each) for each in views]


def invalid(view: "InvalidInput") -> Json:
    """One input that is there and wrong."""
    return {
        "name": view.name,
        "type": view.type,
        "description": message(view.description, LINE),
        "error": message(view.error, LINE),
        "received": message(view.received, LINE),
    }


def workflow(view: "WorkflowInfo") -> Json:
    """A workflow as a list shows it."""
    shown: Json = {
        "name": called(view.namespace, view.name),
        "version": view.version,
        "description": message(view.description, LINE),
        "effect": view.effect.value,
        "inputs": [field(each) for each in view.inputs],
        "steps": view.steps,
        "categories": [message(each, LINE) for each in view.categories],
        "tags": [message(each, LINE) for each in view.tags],
        "pending": view.pending,
        "deprecated": view.deprecated,
    }
    return without_empty(shown, "categories", "tags", "pending", "deprecated")


def statistics(view: "Statistics") -> Json:
    """How the newest runs of a workflow went; durations in milliseconds, from start to end."""
    shown: Json = {"runs": view.runs, "completed": view.completed, "failed": view.failed}
    rate, p50, p95, last = view.success_rate, view.p50, view.p95, view.last_at
    shown |= {} if rate is None else {"successRate": round(rate, 3)}
    shown |= {} if p50 is None or p95 is None else {"p50Ms": millis(p50), "p95Ms": millis(p95)}
    if last is not None:
        shown |= {"lastRunAt": rfc3339(last), "lastRun": view.last_run}
        shown |= {"lastStatus": view.last_status}
    return shown


def details(view: "WorkflowDetails", *, full: bool) -> Json:
    """Everything needed to run a workflow; `full` adds its schema, document and versions."""
    shown = {
        **workflow(view.info),
        "description": message(view.info.description, 4_000),
        "steps": [step_info(each) for each in view.steps],
        "parallelGroups": [list(group) for group in view.groups],
        "examples": [example(each) for each in view.examples],
        "outputs": list(view.output),
    }
    if full:
        shown["inputSchema"] = dict(view.input_schema)
        shown["document"] = dict(view.document)
        shown["versions"] = [version(each) for each in view.versions]
    return without_empty(shown, "examples", "outputs")


def step_info(view: "StepInfo") -> Json:
    """A step of a workflow."""
    shown: Json = {
        "id": view.id,
        "targets": list(view.targets),
        "type": view.type,
        "effect": view.effect.value,
        "dependsOn": list(view.depends),
        "condition": message(view.condition, LINE),
        "forEach": message(view.for_each, LINE),
        "description": message(view.description, LINE),
    }
    return without_empty(shown, "dependsOn", "condition", "forEach", "description")


def example(view: "Example") -> Json:
    """A worked example from the document."""
    shown: Json = {
        "name": message(view.name, LINE),
        "input": dict(view.input),
        "description": message(view.description, LINE),
        "expectedOutput": view.expected_output,
    }
    if view.expected_output is None:
        del shown["expectedOutput"]
    return without_empty(shown, "description")


def version(view: "VersionInfo") -> Json:
    """One version with its run counts."""
    shown: Json = {
        "version": view.version,
        "default": view.is_default,
        "effect": view.effect.value,
        "publishedAt": rfc3339(view.published_at),
        "runs": dict(view.runs),
        "digest": view.digest[:12],
        "pinned": view.pinned,
        "deprecated": view.deprecated,
        "pending": view.pending,
    }
    return without_empty(shown, "pinned", "deprecated", "pending")


def problem(view: "Problem") -> Json:
    """Something wrong in a document."""
    shown: Json = {
        "file": view.file,
        "severity": view.severity,
        "code": view.code,
        "message": message(view.message, LINE),
        "line": view.line,
        "path": view.path,
        "hint": message(view.hint, LINE),
        "subject": view.subject,
    }
    return without_empty(shown, "line", "path", "hint", "subject")


def task(view: "TaskInfo") -> Json:
    """A task as a list shows it."""
    properties = view.input_schema.get("properties")
    shown: Json = {
        "name": called(view.namespace, view.name),
        "type": view.type,
        "effect": view.effect.value,
        "description": message(view.description, LINE),
        "usedBy": [called(*name.split("/", 1)) for name in view.used_by],
        "category": message(view.category, LINE),
        "tags": [message(each, LINE) for each in view.tags],
        "inputs": list(properties) if isinstance(properties, Mapping) else [],
    }
    return without_empty(shown, "category", "tags", "inputs")


def plan(view: "DryRun") -> Json:
    """What a run would do, step by step."""
    return {
        "steps": [planned(each) for each in view.steps[:MOST_STEPS]],
        "parallelGroups": [list(group) for group in view.groups],
        "mutations": view.mutations,
    }


def planned(view: "PlannedStep") -> Json:
    """What a run would do about one step."""
    shown: Json = {
        "id": view.id,
        "effect": view.effect.value,
        "would": view.would,
        "target": view.target,
        "reason": message(view.reason, LINE),
        "request": message(view.request, LINE),
    }
    if view.input is not None and size(view.input) <= MOST_INPUT:
        shown["input"] = view.input
    return without_empty(shown, "target", "reason", "request")

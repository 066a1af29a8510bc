"""Compiled workflows and tasks put into the values that readers see."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.core.model import (
    Effect,
    Step,
    Target,
    Task,
    Workflow,
    WorkflowRef,
    strongest,
    targets_of,
)
from engine.core.reading import target_name
from engine.core.schema import fields
from engine.core.views import StepInfo, TaskInfo, VersionInfo, WorkflowDetails, WorkflowInfo
from engine.shell.library import Known


def workflow_info(workflow: Workflow, known: Known) -> WorkflowInfo:
    """A workflow as a list shows it, at one of its versions."""
    return WorkflowInfo(
        namespace=workflow.namespace,
        name=workflow.name,
        version=known.version,
        description=workflow.description,
        effect=workflow.effect,
        pending=known.pending,
        deprecated=known.deprecated,
        categories=workflow.categories,
        tags=workflow.tags,
        inputs=fields(workflow.input_schema),
        steps=len(workflow.steps),
    )


def workflow_details(
    workflow: Workflow, known: Known, versions: Iterable[VersionInfo]
) -> WorkflowDetails:
    """Everything a reader needs to run it."""
    output = workflow.output.source if workflow.output is not None else {}
    return WorkflowDetails(
        info=workflow_info(workflow, known),
        input_schema=workflow.input_schema,
        output=output,
        steps=tuple(step_info(step) for step in workflow.steps),
        groups=workflow.groups,
        examples=workflow.examples,
        versions=tuple(versions),
        document=workflow.bundle.get("workflow", workflow.bundle),
    )


def step_info(step: Step) -> StepInfo:
    """A step in short."""
    targets = list(targets_of(step))
    first = targets[0] if targets else None
    return StepInfo(
        id=step.id,
        targets=tuple(dict.fromkeys(target_name(target) for target in targets)),
        type="workflow" if isinstance(first, WorkflowRef) else first.type if first else "switch",
        effect=strongest(*(effect_of(target) for target in targets)),
        depends=step.depends,
        condition=step.condition.source if step.condition else "",
        for_each=str(step.for_each.items.source) if step.for_each else "",
        description=first.description if isinstance(first, Task) else "",
    )


def effect_of(target: Target) -> Effect:
    """The effect of a task; a sub-workflow's is its version's, and is judged when it is opened."""
    return target.effect if isinstance(target, Task) else Effect.READ


def task_info(task: Task, used_by: Iterable[str]) -> TaskInfo:
    """A task as a list shows it."""
    return TaskInfo(
        namespace=task.namespace,
        name=task.name,
        type=task.type,
        effect=task.effect,
        description=task.description,
        category=task.category,
        tags=task.tags,
        input_schema=task.input_schema or {},
        output_schema=task.output_schema or {},
        used_by=tuple(sorted(used_by)),
    )


def version_info(known: Known, runs: Mapping[str, int]) -> VersionInfo:
    """A version with its run counts by status."""
    return VersionInfo(
        namespace=known.namespace,
        name=known.name,
        version=known.version,
        digest=known.digest,
        is_default=known.is_default,
        pinned=known.pinned,
        deprecated=known.deprecated,
        pending=known.pending,
        effect=known.effect,
        published_at=known.published_at,
        runs=runs,
    )


def users(workflows: Iterable[Workflow]) -> dict[str, set[str]]:
    """By task, the workflows that use it."""
    found: dict[str, Any] = {}
    for workflow in workflows:
        for step in workflow.steps:
            for target in targets_of(step):
                found.setdefault(target_name(target), set()).add(
                    f"{workflow.namespace}/{workflow.name}"
                )
    return found

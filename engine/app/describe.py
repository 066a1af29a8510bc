"""Compiled workflows and tasks put into the values that readers see."""

from collections.abc import Iterable, Mapping

from engine.core.describe import workflow_info
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
from engine.core.views import StepInfo, VersionInfo, WorkflowDetails, WorkflowInfo
from engine.shell.library import Known


def workflow_details(
    workflow: Workflow, known: Known, versions: Iterable[VersionInfo]
) -> WorkflowDetails:
    """Everything a reader needs to run it."""
    output = workflow.output.source if workflow.output is not None else {}
    return WorkflowDetails(
        info=info_at(workflow, known),
        input_schema=workflow.input_schema,
        output=output,
        steps=tuple(step_info(step) for step in workflow.steps),
        groups=workflow.groups,
        examples=workflow.examples,
        versions=tuple(versions),
        document=workflow.bundle.get("workflow", workflow.bundle),
    )


def info_at(workflow: Workflow, known: Known) -> WorkflowInfo:
    """A workflow as a list shows it, at one of its versions."""
    return workflow_info(
        workflow, known.version, pending=known.pending, deprecated=known.deprecated
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

"""Compiled workflows and tasks put into the values that lists show."""

from collections.abc import Iterable

from engine.core.model import Task, Workflow
from engine.core.schema import fields
from engine.core.views import TaskInfo, WorkflowInfo


def workflow_info(
    workflow: Workflow, version: str = "", *, pending: bool = False, deprecated: bool = False
) -> WorkflowInfo:
    """A workflow as a list shows it, at one of its versions."""
    return WorkflowInfo(
        namespace=workflow.namespace,
        name=workflow.name,
        version=version,
        description=workflow.description,
        effect=workflow.effect,
        pending=pending,
        deprecated=deprecated,
        categories=workflow.categories,
        tags=workflow.tags,
        inputs=fields(workflow.input_schema),
        steps=len(workflow.steps),
    )


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

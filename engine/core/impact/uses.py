"""What a workflow or a task uses, by name, as its compiled document says."""

from collections.abc import Iterable
from typing import NamedTuple

from engine.core.documents.names import DEFAULT_NAMESPACE
from engine.core.model import Target, Task, Workflow, WorkflowRef, targets_of


class Use(NamedTuple):
    """Something that is used; `version` is "" unless a workflow is asked for by one."""

    kind: str
    namespace: str
    name: str
    version: str = ""


def uses_of(workflow: Workflow) -> set[Use]:
    """The tasks and workflows that the steps of a workflow may carry out."""
    return {_use(target) for step in workflow.steps for target in targets_of(step)}


def task_uses(task: Task, connectors: Iterable[tuple[str, str]]) -> set[Use]:
    """The workflow that a task starts, and the connectors that it calls, by their keys."""
    called = {Use("connector", *key) for key in connectors}
    return called if task.workflow is None else called | {_use(task.workflow)}


def _use(target: Target) -> Use:
    if isinstance(target, WorkflowRef):
        return Use("workflow", target.namespace, target.name, target.version or "")
    return Use("task", target.namespace, target.name)


def shown(namespace: str, name: str) -> str:
    """The name by which something is asked for.

    >>> shown("default", "pay"), shown("shop", "pay")
    ('pay', 'shop/pay')
    """
    return name if namespace == DEFAULT_NAMESPACE else f"{namespace}/{name}"


def parted(name: str) -> tuple[str, str]:
    """Namespace and name of what is asked for by a name.

    >>> parted("pay"), parted("shop/pay")
    (('default', 'pay'), ('shop', 'pay'))
    """
    namespace, slash, own = name.partition("/")
    return (namespace, own) if slash else (DEFAULT_NAMESPACE, name)

"""Which workflow a sub-workflow step means, and what it is given: looked up and checked."""

from typing import Any

from engine.core.asks import MAX_DEPTH, Library
from engine.core.errors import Failure, Kind, StepError
from engine.core.model import Workflow, WorkflowRef
from engine.core.reading import wrong
from engine.core.schema import explain, with_defaults


def found(library: Library, ref: WorkflowRef, prefix: str) -> Workflow:
    """The workflow that `ref` means now, `prefix` being where it is to run.

    Raises StepError `too_deep`, `unknown_workflow`, `pending_version`.
    """
    if prefix.count("/") >= MAX_DEPTH:
        raise wrong("too_deep", f"sub-workflows are nested deeper than {MAX_DEPTH}")
    if ref.version is None:
        workflow = library.default(ref.namespace, ref.name)
    else:
        workflow = library.version(ref.namespace, ref.name, ref.version)
    if workflow is None:
        raise wrong("unknown_workflow", f"there is no workflow {ref.namespace}/{ref.name}")
    if not library.accepted(workflow):
        raise StepError(
            Failure(
                Kind.PERMISSION,
                "pending_version",
                f"{ref.namespace}/{ref.name} changes systems outside and is not accepted yet",
                "A person must accept it first.",
            )
        )
    return workflow


def checked(workflow: Workflow, value: Any) -> Any:
    """The input of a sub-workflow with defaults; raises StepError `invalid_input`."""
    given = with_defaults(workflow.input_schema, value)
    missing, invalid = explain(workflow.input_schema, given)
    if missing or invalid:
        names = ", ".join([field.name for field in missing] + [one.name for one in invalid])
        raise wrong("invalid_input", f"input of {workflow.name} is wrong: {names}")
    return given

"""Dry runs: what a run would do, without recording or calling anything."""

from typing import Any

from engine.app.describe import info_at
from engine.app.running import check_input
from engine.core.errors import Refused
from engine.core.model import Workflow
from engine.core.preview import Preview, mutations
from engine.core.views import DryRun
from engine.shell.library import Known


def rehearsed(workflow: Workflow, known: Known, given: Any) -> DryRun:
    """What a run would do; an input that is not right is described, anything else refused."""
    missing: Any = ()
    invalid: Any = ()
    try:
        given = check_input(workflow, given)
    except Refused as refused:
        missing = refused.details.get("missing", ())
        invalid = refused.details.get("invalid", ())
        if not missing and not invalid:
            raise
    preview = Preview(workflow, given)
    steps = preview.steps()
    output = None if missing or invalid else preview.output()
    return DryRun(
        info_at(workflow, known), not missing and not invalid, steps, workflow.groups,
        mutations(steps), output, missing, invalid,
    )  # fmt: skip

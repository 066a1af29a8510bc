"""Dry runs: what a run would do, without recording or calling anything."""

from typing import Any

from engine.app.describe import info_at
from engine.app.matching import validated
from engine.core.model import Workflow
from engine.core.preview import Preview, mutations
from engine.core.views import DryRun
from engine.shell.library import Known


def rehearsed(workflow: Workflow, known: Known, given: Any) -> DryRun:
    """What a run would do; an input that is not right is described, anything else refused."""
    checked = validated(workflow, workflow.name, given)
    preview = Preview(workflow, checked.input)
    steps = preview.steps()
    output = preview.output() if checked.valid else None
    return DryRun(
        info_at(workflow, known), checked.valid, steps, workflow.groups, mutations(steps), output,
        checked.missing, checked.invalid,
    )  # fmt: skip

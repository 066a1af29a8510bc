"""Does what a step gives fit what the next one takes? Warnings only, made from the schemas.

A document's schemas may be incomplete, so a mismatch is a warning; `strict` makes errors of them
for those who want their folder clean.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.core.documents.raw import Report
from engine.core.model import Workflow
from engine.core.views import Problem

MISMATCHES = frozenset(
    {"unknown_property", "type_clash", "missing_input", "unknown_input", "bad_value_for_schema"}
)
"""The codes of problems that say: these two do not fit."""


def strict(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems with every mismatch made an error."""
    return tuple(
        replace(problem, severity="error") if problem.code in MISMATCHES else problem
        for problem in problems
    )


def check_flow(
    workflow: Workflow, report: Report, workflows: Mapping[tuple[str, str], Workflow]
) -> None:
    """Warn about everything that does not fit between the steps of a workflow."""

"""Templates and conditions of a document, compiled, with their mistakes at the right place."""

from collections.abc import Collection, Iterable
from typing import Any

from engine.core.documents.raw import Report, inside, join
from engine.core.template import (
    Condition,
    Template,
    TemplateError,
    compile_condition,
    compile_template,
)
from engine.core.words import did_you_mean, listed

Reference = tuple[str | int, ...]

EMPTY = compile_template({})
"""The template of a step without input, and the stand-in for one that does not compile."""

TASK_ROOTS = ("input",)
STEP_ROOTS = ("input", "tasks")
LOOP_ROOTS = ("input", "tasks", "forEach")


def read_template(report: Report, path: str, value: Any, roots: Collection[str]) -> Template:
    """The compiled template; one that is wrong is reported and answered with an empty one."""
    try:
        template = compile_template(value)
    except TemplateError as error:
        report.error(inside(path, error.path), "bad_template", error.message, error.hint)
        return EMPTY
    return template if _roots_known(report, path, template, roots) else EMPTY


def read_condition(
    report: Report, path: str, text: str, roots: Collection[str]
) -> Condition | None:
    """The compiled condition, or None when it is wrong."""
    try:
        condition = compile_condition(text)
    except TemplateError as error:
        report.error(path, "bad_condition", error.message, error.hint)
        return None
    return condition if _roots_known(report, path, condition, roots) else None


def _roots_known(
    report: Report, path: str, compiled: Template | Condition, roots: Collection[str]
) -> bool:
    strange = [found for found in compiled.references() if found[0] not in roots]
    for reference in sorted(strange, key=str)[:1]:
        root = str(reference[0])
        where = locate(path, compiled.source, reference)
        hint = did_you_mean(root, roots) or f"here it may begin with: {listed(roots)}"
        if root == "forEach":
            hint = "forEach is known only in the input of a step that has forEach"
        report.error(where, "unknown_root", f"a reference cannot begin with {root!r}", hint)
    return not strange


def locate(path: str, value: Any, reference: Reference) -> str:
    """The path of the text inside `value` that makes `reference`; only asked after a mistake."""
    children: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for key, child in children:
        if reference in compile_template(child).references():
            return locate(join(path, key), child, reference)
    return path

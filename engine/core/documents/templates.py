"""Templates and conditions of a document, compiled, with their mistakes at the right place."""

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from engine.core.documents.raw import Report, inside, join
from engine.core.template import (
    ROOTS,
    Condition,
    Template,
    TemplateError,
    compile_condition,
    compile_template,
)
from engine.core.words import listed

Reference = tuple[str | int, ...]

EMPTY = compile_template({})
"""The template of a step without input, and the stand-in for one that does not compile."""

TASK_ROOTS = ("input",)
CONNECTOR_ROOTS = ("input", "secrets")
STEP_ROOTS = ("input", "tasks")
LOOP_ROOTS = ("input", "tasks", "forEach")


MOST_EXPRESSIONS = 5_000
_LONGEST_KEPT = 1_000
_MOST_SEARCHED = 500


def read_template(report: Report, path: str, value: Any, roots: Collection[str]) -> Template:
    """The compiled template; one that is wrong is reported and answered with an empty one."""
    report.expressions += _expressions(value)
    if report.expressions > MOST_EXPRESSIONS:
        message = f"a document has at most {MOST_EXPRESSIONS:,} expressions"
        report.error(path, "too_many", message, "move a part of it into a document of its own")
        return EMPTY
    try:
        template = compile_template(value, _known_names(roots))
    except TemplateError as error:
        report.error(inside(path, error.path), "bad_template", error.message, error.hint)
        return EMPTY
    return template if _roots_known(report, path, template, roots) else EMPTY


def _known_names(roots: Collection[str]) -> Collection[str]:
    """All names there are where the usual ones are meant, so that a wrong one is told well."""
    return ROOTS if ROOTS.issuperset(roots) else frozenset(roots)


def _expressions(value: Any) -> int:
    return repr(value).count("{{")  # no two braces stand together but inside a text


@lru_cache(maxsize=512)
def _kept_condition(text: str) -> Condition:
    return compile_condition(text)


def _condition(text: str, roots: Collection[str]) -> Condition:
    if not ROOTS.issuperset(roots):
        return compile_condition(text, frozenset(roots))
    return _kept_condition(text) if len(text) <= _LONGEST_KEPT else compile_condition(text)


def read_condition(
    report: Report, path: str, text: str, roots: Collection[str]
) -> Condition | None:
    """The compiled condition, or None when it is wrong."""
    try:
        condition = _condition(text, roots)
    except TemplateError as error:
        report.error(path, "bad_condition", error.message, error.hint)
        return None
    return condition if _roots_known(report, path, condition, roots) else None


def _roots_known(
    report: Report, path: str, compiled: Template | Condition, roots: Collection[str]
) -> bool:
    strange = [found for found in compiled.references() if found[0] not in roots]
    if not strange:
        return True
    for reference in sorted(strange, key=str)[:1]:
        root = str(reference[0])
        where = locate(report, path, compiled, reference)
        hint = report.nearest(root, roots) or f"here it may begin with: {listed(roots)}"
        if root == "forEach":
            hint = "forEach is known only in the input of a step that has forEach"
        report.error(where, "unknown_root", f"a reference cannot begin with {root!r}", hint)
    return False


def locate(report: Report, path: str, compiled: Template | Condition, reference: Reference) -> str:
    """The path of the text that makes `reference`; only asked after a mistake."""
    if isinstance(compiled, Condition) or not isinstance(compiled.source, dict | list):
        return path
    # Asked once per mistake, of which one value may hold thousands: look through it only once.
    kept = report.places.get(id(compiled))
    if kept is None:
        few = _expressions(compiled.source) <= _MOST_SEARCHED
        found = dict(_places(path, compiled.source)) if few else {}
        kept = report.places[id(compiled)] = (compiled, found)
    return kept[1].get(reference, path)


def _places(path: str, value: Any) -> Iterator[tuple[Reference, str]]:
    if isinstance(value, str):
        yield from ((reference, path) for reference in compile_template(value).references())
        return
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if isinstance(child, str | dict | list):
            yield from _places(join(path, key), child)

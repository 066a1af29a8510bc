"""What if something were deleted, replaced, or took and gave something else: what breaks, where.

The documents concerned are checked twice by the checks that they always go through, as they are
and as they would be; what is wrong only the second time is what the change would break. So there
is one opinion on what fits, and every finding has the place that an author would look for.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.core.definition import parse_documents
from engine.core.documents.header import TASK, WORKFLOW
from engine.core.documents.names import DEFAULT_NAMESPACE
from engine.core.documents.raw import RawDocument
from engine.core.errors import Refused
from engine.core.impact.uses import shown
from engine.core.model import Effect
from engine.core.value import value
from engine.core.views import Problem

Document = Mapping[str, Any]
NOUNS = {"task": TASK, "workflow": WORKFLOW}
_REFS = {"task": "taskRef", "workflow": "workflowRef"}
_STEP = re.compile(r"spec\.tasks\[(\d+)\]")


@value
class Change:
    """What would become of a task or workflow: exactly one of the three.

    `input_schema` and `output_schema` are None where they stay as they are.
    """

    delete: bool = False
    replace_with: str = ""
    input_schema: Mapping[str, Any] | None = None
    output_schema: Mapping[str, Any] | None = None


@value
class Break:
    """Something that a change would break: where, what, and what to do.

    `kind` and `name` are of the document that breaks, `step` the step in it ("" for none), and
    `place` the path in it. An error keeps it from running; a warning says that it no longer fits.
    """

    kind: str
    name: str
    step: str
    place: str
    severity: str
    code: str
    message: str
    hint: str


def change_of(given: Mapping[str, Any]) -> Change:
    """The change that `delete`, `replaceWith`, `inputSchema`, `outputSchema` mean.

    Raises Refused `invalid_what_if`.
    """
    change = Change(
        given.get("delete") is True, str(given.get("replaceWith") or ""),
        given.get("inputSchema"), given.get("outputSchema"),
    )  # fmt: skip
    schemas = change.input_schema is not None or change.output_schema is not None
    if [change.delete, bool(change.replace_with), schemas].count(True) != 1:
        raise Refused(
            "invalid_what_if",
            "a change is one of: deleted, replaced, or with other schemas",
            "Give delete: true, or replaceWith: NAME, or inputSchema and outputSchema.",
        )
    return change


def breaks(
    documents: Sequence[Document],
    kind: str,
    name: str,
    change: Change,
    functions: Mapping[str, Effect],
) -> tuple[Break, ...]:
    """What a change of a task or workflow breaks in some documents, which stand in one order.

    They hold whatever each of them needs, and what it is replaced with.
    """
    before = {_told(each) for each in _problems(documents, functions)}
    after = _problems([*_changed(documents, kind, name, change)], functions)
    steps = {_subject(each): each for each in documents}
    return tuple(_break(each, steps) for each in after if _told(each) not in before)


def _problems(
    documents: Sequence[Document], functions: Mapping[str, Effect]
) -> tuple[Problem, ...]:
    raw = [RawDocument(f"{n:06}", 0, dict(each), {}) for n, each in enumerate(documents)]
    return parse_documents(raw, functions).problems


def _told(problem: Problem) -> tuple[str, ...]:
    return problem.subject, problem.path, problem.code, problem.message


def _break(problem: Problem, documents: Mapping[str, Document]) -> Break:
    kind, _, name = problem.subject.partition(" ")
    found = _STEP.match(problem.path)
    step = ""
    if found is not None and problem.subject in documents:
        step = str(documents[problem.subject]["spec"]["tasks"][int(found[1])].get("id", ""))
    noun = next((noun for noun, word in NOUNS.items() if word == kind), kind.lower())
    return Break(
        noun, shown(*name.split("/", 1)) if "/" in name else name, step, problem.path,
        problem.severity, problem.code, problem.message, problem.hint,
    )  # fmt: skip


# -- the documents as they would be -------------------------------------------------------------


def _changed(
    documents: Iterable[Document], kind: str, name: str, change: Change
) -> Iterator[Document]:
    own = f"{NOUNS[kind]} {_full(name)}"
    for each in documents:
        if _subject(each) == own:
            if not change.delete:
                yield _with_schemas(each, kind, change)
        elif change.replace_with:
            space = str(each.get("metadata", {}).get("namespace", DEFAULT_NAMESPACE))
            yield {**each, "spec": _pointed(each.get("spec"), kind, name, change, space)}
        else:
            yield each


def _with_schemas(document: Document, kind: str, change: Change) -> Document:
    spec = dict(document["spec"])
    if change.input_schema is not None:
        spec["inputSchema" if kind == "task" else "input"] = change.input_schema
    if change.output_schema is not None and kind == "task":
        spec["outputSchema"] = change.output_schema
    return {**document, "spec": spec}


def _pointed(value: Any, kind: str, name: str, change: Change, space: str) -> Any:
    """A part of a document in which every reference leads to what it is replaced with."""
    if isinstance(value, list):
        return [_pointed(each, kind, name, change, space) for each in value]
    if not isinstance(value, dict):
        return value
    word = _REFS[kind]
    named = {_full(name)} | ({_full(name).partition("/")[2]} if _near(name, space) else set())
    return {
        key: _full(change.replace_with)
        if key == word and str(inner).partition("@")[0] in named
        else _pointed(inner, kind, name, change, space)
        for key, inner in value.items()
    }


def _near(name: str, space: str) -> bool:
    """Whether a bare name means it in a document of this namespace."""
    return _full(name).partition("/")[0] in {space, DEFAULT_NAMESPACE}


def _full(name: str) -> str:
    return name if "/" in name else f"{DEFAULT_NAMESPACE}/{name}"


def _subject(document: Document) -> str:
    head = document.get("metadata", {})
    space = head.get("namespace", DEFAULT_NAMESPACE)
    return f"{document.get('kind')} {space}/{head.get('name')}"

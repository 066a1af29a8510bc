"""From documents to a catalogue, and from a stored version back to a workflow.

Reading never fails: whatever is wrong is a `Problem` with file, line, path and hint, of the
document that is wrong and of those that cannot do without it. Every other document loads. The
order is connectors, tasks, workflows, since each may refer only to those before it and to its
own kind; then effects flow up from sub-workflows, and versions get their digests.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from engine.core.catalogue import Catalogue
from engine.core.check import check_flow
from engine.core.documents.bundle import FORMAT, canonical, digest, make_bundle
from engine.core.documents.callers import circles, stranded, tell_circle, tell_stranded
from engine.core.documents.connectors import read_connector
from engine.core.documents.effects import needs_acceptance, references, settled, settled_task
from engine.core.documents.graph import sort
from engine.core.documents.header import CONNECTOR, TASK, WORKFLOW, Header, read_header
from engine.core.documents.inputs import read_input
from engine.core.documents.known import Known
from engine.core.documents.names import Held, Key, Names, written
from engine.core.documents.raw import RawDocument, Report
from engine.core.documents.tasks import read_task
from engine.core.documents.workflows import read_workflow
from engine.core.model import Effect, Workflow, strongest
from engine.core.views import Problem
from engine.core.words import shorten

__all__ = [
    "Catalogue",
    "RawDocument",
    "canonical",
    "digest",
    "needs_acceptance",
    "parse_documents",
    "rebuild",
    "stored_input",
]

DEEPEST = 64
_NESTED: frozenset[type[Any]] = frozenset({dict, list})
T = TypeVar("T")


@dataclass(slots=True)
class _Shelf:
    """Documents of one kind while they are read. A name belongs to its first good document."""

    found: dict[Key, Any] = field(default_factory=dict)
    headers: dict[Key, Header] = field(default_factory=dict)
    broken: set[Key] = field(default_factory=set)

    def fill(self, headers: Iterable[Header], read: Callable[[Header], Any]) -> None:
        for header in headers:
            if header.key in self.found:
                tell_duplicate(header, self.headers[header.key])
                continue
            value = read(header)
            if value is None:
                self.broken.add(header.key)
            else:
                self.found[header.key] = value
                self.headers[header.key] = header


def parse_documents(raw: Sequence[RawDocument], functions: Mapping[str, Effect]) -> Catalogue:
    """Read and compile all documents together. Never raises: problems are values.

    `functions` are the registered Python functions with the effect each declared.
    """
    reports = [Report(document) for document in raw]
    headers = [header for report in reports if (header := headed(report)) is not None]
    connectors, tasks, workflows = _Shelf(), _Shelf(), _Shelf()
    connectors.fill(_of(headers, CONNECTOR), read_connector)
    known = _known(functions, connectors, tasks, _promised(headers))
    tasks.fill(_of(headers, TASK), lambda header: read_task(header, known))
    known = _known(functions, connectors, tasks, _promised(headers))
    workflows.fill(_of(headers, WORKFLOW), lambda header: read_workflow(header, known))
    effects = _finish(workflows, tasks, known)
    finished = {key: settled_task(task, effects) for key, task in tasks.found.items()}
    for key, workflow in workflows.found.items():
        check_flow(workflow, workflows.headers[key].report, workflows.found)
    problems = _problems(reports)
    return Catalogue(workflows.found, finished, connectors.found, problems)


def rebuild(bundle: Mapping[str, Any], functions: Mapping[str, Effect]) -> Workflow:
    """Compile a stored version again. Raises ValueError when the bundle is damaged.

    A function that is gone keeps the effect it had; one that has become stronger is believed.
    """
    if bundle.get("format") != FORMAT:
        raise ValueError("this is not a bundle of a known format")
    connectors, tasks = _Shelf(), _Shelf()
    known = _recorded(bundle, functions, connectors, tasks)
    connectors.fill(
        _headers(_part(bundle, "connectors").values(), CONNECTOR), _sound(read_connector)
    )
    known = _recorded(bundle, functions, connectors, tasks)
    tasks.fill(
        _headers(_part(bundle, "tasks").values(), TASK),
        _sound(lambda header: read_task(header, known)),
    )
    known = _recorded(bundle, functions, connectors, tasks)
    (header,) = _headers([bundle.get("workflow")], WORKFLOW)
    workflow = _sound(lambda header: read_workflow(header, known))(header)
    return replace(workflow, bundle=bundle, digest=digest(bundle))


def stored_input(bundle: Mapping[str, Any]) -> Mapping[str, Any]:
    """The input schema of a stored version, without compiling anything else of it."""
    document = bundle["workflow"]
    report = Report(RawDocument("", 0, document))
    return read_input(report, "spec.input", document["spec"].get("input"))


# -- reading ------------------------------------------------------------------------------


def headed(report: Report) -> Header | None:
    """What a document says it is, None with the reasons reported when it does not."""
    try:
        # A copy: what comes out shares nothing with the caller and is certainly JSON.
        value = json.loads(canonical(report.raw.value).encode())
    except (ValueError, TypeError, RecursionError) as error:
        report.error("", "not_json", f"the document is not JSON: {shorten(str(error))}")
        return None
    if _too_deep(value):
        report.error("", "too_deep", f"the document is more than {DEEPEST} levels deep")
        return None
    if not isinstance(value, dict):
        hint = "a document begins with apiVersion, kind, metadata and spec"
        report.error("", "not_a_document", "this is not a document", hint)
        return None
    report.raw = replace(report.raw, value=value)
    return read_header(report)


def _too_deep(value: Any) -> bool:
    level = [value] if value.__class__ in _NESTED else []
    for _ in range(DEEPEST + 1):
        level = [
            child
            for node in level
            for child in (node.values() if node.__class__ is dict else node)
            if child.__class__ in _NESTED
        ]
        if not level:
            return False
    return True


def _of(headers: Iterable[Header], kind: str) -> list[Header]:
    return [header for header in headers if header.kind == kind]


def _promised(headers: Iterable[Header]) -> Mapping[Key, Effect]:
    # Effects flow up once every workflow is read; until then a sub-workflow counts for nothing.
    return {header.key: Effect.PURE for header in _of(headers, WORKFLOW)}


def _known(
    functions: Mapping[str, Effect],
    connectors: _Shelf,
    tasks: _Shelf,
    workflows: Mapping[Key, Effect],
    *,
    strict: bool = True,
) -> Known:
    asked: set[tuple[str, str]] = set()
    return Known(
        functions,
        Names("connector", Held(connectors.found, connectors.broken), asked),
        Names("task", Held(tasks.found, tasks.broken), asked),
        Names("workflow", Held(workflows), asked),
        strict,
    )


def tell_duplicate(header: Header, first: Header) -> None:
    """Write down that a document of an earlier place has the name already."""
    report = header.report
    where = f"{first.report.raw.file}:{first.report.line('metadata.name')}"
    message = f"{written(header.key)} stands in {where} already"
    if header.document == first.document:
        report.warn("metadata.name", "duplicate_document", message, "remove one of the two")
    else:
        report.error("metadata.name", "duplicate_document", message, "rename one of the two")


# -- workflows that refer to workflows ------------------------------------------------------


def _finish(workflows: _Shelf, tasks: _Shelf, known: Known) -> Mapping[Key, Effect]:
    needs = {key: needs_of(workflow) for key, workflow in workflows.found.items()}
    for key, shown in circles(needs).items():
        tell_circle(workflows.headers[key].report, shown)
        del needs[key], workflows.found[key]
    for key, missing in stranded(needs, needs.__contains__).items():
        tell_stranded(workflows.headers[key].report, missing)
        del needs[key], workflows.found[key]
    effects: dict[Key, Effect] = {}
    for key in sort(needs).order:
        workflow = finished(workflows.found[key], workflows.headers[key], known, effects)
        workflows.found[key] = workflow
        effects[key] = workflow.effect
    return effects


def needs_of(workflow: Workflow) -> set[Key]:
    """The workflows that it may start."""
    return {(ref.namespace, ref.name) for ref in references(workflow.steps)}


def finished(
    workflow: Workflow, header: Header, known: Known, effects: Mapping[Key, Effect]
) -> Workflow:
    """A workflow that was read, with the effects of those it starts, its bundle and digest."""
    workflow = settled(workflow, effects)
    bundle = make_bundle(header.document, workflow.steps, known, effects)
    return replace(workflow, bundle=bundle, digest=digest(bundle))


# -- stored versions ------------------------------------------------------------------------


def _part(bundle: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = bundle.get(name, {})
    if not isinstance(part, Mapping):
        raise ValueError(f"the bundle's {name} are damaged")
    return part


def _headers(documents: Iterable[Any], kind: str) -> list[Header]:
    found = []
    for document in documents:
        report = Report(RawDocument("", 0, document))
        header = headed(report)
        if header is None or header.kind != kind:
            raise ValueError(
                _first_error(report.problems, f"the bundle holds no {kind} where one belongs")
            )
        found.append(header)
    return found


def _sound(read: Callable[[Header], T | None]) -> Callable[[Header], T]:
    def reading(header: Header) -> T:
        value = read(header)
        if value is None:
            raise ValueError(_first_error(header.report.problems, "the bundle is damaged"))
        return value

    return reading


def _first_error(problems: Iterable[Problem], otherwise: str) -> str:
    errors = [problem for problem in problems if problem.severity == "error"]
    return f"{errors[0].path}: {errors[0].message}" if errors else otherwise


def _recorded(
    bundle: Mapping[str, Any], functions: Mapping[str, Effect], connectors: _Shelf, tasks: _Shelf
) -> Known:
    past = {name: Effect(word) for name, word in _part(bundle, "functions").items()}
    now = {name: strongest(effect, functions.get(name, effect)) for name, effect in past.items()}
    subs: dict[Key, Effect] = {}
    for text, word in _part(bundle, "workflows").items():
        namespace, _, name = text.partition("/")
        subs[(namespace, name)] = Effect(word)
    return _known(now, connectors, tasks, subs, strict=False)


def _problems(reports: Iterable[Report]) -> tuple[Problem, ...]:
    found = [problem for report in reports for problem in report.problems]
    return tuple(sorted(found, key=lambda problem: (problem.file, problem.line)))

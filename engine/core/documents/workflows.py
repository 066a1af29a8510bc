"""`Workflow` documents: the steps put in order, and everything a reader needs to run them."""

from collections.abc import Mapping
from typing import Any

from engine.core.documents.effects import total_effect
from engine.core.documents.graph import Sorted, sort
from engine.core.documents.header import (
    Header,
    read_categories,
    read_description,
    read_version,
)
from engine.core.documents.inputs import read_input
from engine.core.documents.known import Known
from engine.core.documents.raw import Report, join
from engine.core.documents.section import Section
from engine.core.documents.steps import Around, check_id, read_step, step_of
from engine.core.documents.templates import STEP_ROOTS, read_template
from engine.core.model import Example, Step, Workflow
from engine.core.schema import explain
from engine.core.template import Template
from engine.core.words import listed, shorten

MOST_STEPS = 500
MOST_ABREAST = 10_000
WORKFLOW_FIELDS = (
    "description",
    "version",
    "input",
    "tasks",
    "output",
    "timeout",
    "concurrency",
    "category",
    "categories",
    "tags",
    "examples",
)
WORKFLOW_LATER = {
    "triggers": "the workflow runs when somebody starts it",
    "schedule": "the workflow runs when somebody starts it",
    "topics": "workflows that run on events are not started",
    "producers": "workflows that run on events are not started",
    "consumers": "workflows that run on events are not started",
    "budget": "nothing is counted or stopped",
    "compliance": "its rules are not enforced",
    "deployment": "every run takes the default version",
    "cache": "every call is made",
}
EXAMPLE_FIELDS = ("name", "description", "input", "expectedOutput")


def read_workflow(header: Header, known: Known) -> Workflow | None:
    """The workflow without its bundle, or None with every reason reported."""
    report = header.report
    metadata = Section(report, "metadata", header.document.get("metadata"))
    spec = Section(report, "spec", header.document.get("spec"), WORKFLOW_FIELDS, WORKFLOW_LATER)
    description = read_description(metadata, spec)
    if not description:
        metadata.warn(
            "description", "no_description", "the workflow has no description", "say what it does"
        )
    schema = read_input(report, "spec.input", spec.get("input"))
    around, steps = _steps(spec, known, header.key[0])
    output = _output(spec, around)
    ordered = _ordered(report, around, steps)
    words: dict[str, Any] = {
        "version": read_version(metadata, spec),
        "categories": read_categories(metadata, spec),
        "tags": spec.strings("tags"),
        "examples": _examples(spec, schema),
        "timeout": spec.duration("timeout"),
        "concurrency": spec.integer("concurrency", 0, 1, MOST_ABREAST),
    }
    if report.failed or ordered is None:
        return None
    by_id = {step.id: step for step in steps}
    in_order = tuple(by_id[name] for name in ordered.order)
    return Workflow(
        *header.key,
        digest="",
        description=description,
        input_schema=schema,
        steps=in_order,
        groups=ordered.groups,
        output=output,
        effect=total_effect(in_order, known.workflows.__getitem__),
        **words,
    )


def _steps(spec: Section, known: Known, home: str) -> tuple[Around, list[Step]]:
    values = spec.sequence("tasks")
    ids: dict[str, int] = {}
    around = Around(home, known, ids)
    if not values:
        spec.error("tasks", "missing_field", "a workflow needs at least one step in tasks")
    if len(values) > MOST_STEPS:
        message = f"a workflow has at most {MOST_STEPS} steps, not {len(values):,}"
        spec.error("tasks", "too_many", message, "move a part of it into a sub-workflow")
        return around, []
    for index, value in enumerate(values):
        _note_id(spec, index, value, ids)
    path = spec.at("tasks")
    read = [
        read_step(spec.report, join(path, at), value, around) for at, value in enumerate(values)
    ]
    return around, [step for step in read if step is not None]


def _note_id(spec: Section, index: int, value: Any, ids: dict[str, int]) -> None:
    if not isinstance(value, dict):
        return
    name = check_id(spec.report, index, value)
    if name in ids:
        path = join("spec.tasks", index)
        message = f"two steps are called {shorten(name)!r}"
        spec.report.error(
            join(path, "id"), "duplicate_id", message, f"the first is step {ids[name] + 1}"
        )
    elif name:
        ids[name] = index


def _ordered(report: Report, around: Around, steps: list[Step]) -> Sorted[str] | None:
    if [step.id for step in steps] != list(around.ids):
        return None  # one is missing or stands there twice, which has been reported
    found = sort({step.id: step.depends for step in steps})
    if found.cycle:
        path = join("spec.tasks", around.ids[found.cycle[0]])
        circle = " -> ".join(found.cycle[:9])
        report.error(
            path, "cycle", f"these steps wait for each other: {circle}", "cut one dependency"
        )
        return None
    return found


def _output(spec: Section, around: Around) -> Template | None:
    value = spec.get("output")
    if value is None:
        return None
    template = read_template(spec.report, "spec.output", value, STEP_ROOTS)
    for reference in sorted(template.references(), key=str):
        step_of(spec.report, "spec.output", template, reference, around)
    return template


def _examples(spec: Section, schema: Mapping[str, Any]) -> tuple[Example, ...]:
    found = []
    for inner in spec.sections("examples", EXAMPLE_FIELDS):
        given = inner.mapping("input")
        missing, invalid = explain(schema, given)
        if missing or invalid:
            names = listed([*(one.name for one in missing), *(one.name for one in invalid)])
            message = f"the example's input does not satisfy the workflow: {names}"
            inner.warn("input", "bad_example", message)
        example = Example(
            inner.text("name"), inner.text("description"), given, inner.get("expectedOutput")
        )
        found.append(example)
    return tuple(found)

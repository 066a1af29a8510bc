"""Does what one step gives fit what the next one takes? Warnings, made from the schemas.

A document's schemas may be incomplete or out of date, so a mismatch is a warning. Only what is
certain is said: a reference to a property that a closed schema does not have, types that have
nothing in common, a required input that is absent, an input that a closed schema does not know.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from engine.core.documents.raw import Report, join
from engine.core.documents.shapes import (
    LOOP_OUTPUT,
    Part,
    Shape,
    Types,
    child_of,
    lacks,
    names_of,
    shape_of_output,
    types_of,
)
from engine.core.documents.templates import Reference, locate
from engine.core.documents.values import Finding, compare
from engine.core.model import Step, Target, Task, Workflow, WorkflowRef
from engine.core.template import Condition, Template
from engine.core.value import value
from engine.core.words import listed, shorten

Workflows = Mapping[tuple[str, str], Workflow]

MOST = 200
"""Of one workflow: after so many nobody reads on, and each costs a search for what was meant."""


def check_flow(workflow: Workflow, report: Report, workflows: Workflows) -> None:
    """Warn about everything that does not fit between the steps of a workflow."""
    flow = _Flow(workflow, report, workflows)
    for step in workflow.steps:
        if len(flow.said) >= MOST:
            return
        path = join("spec.tasks", flow.places[step.id])
        for place, compiled in _compiled(step):
            flow.references(path, place, compiled)
        flow.inputs(step, path)
    if workflow.output is not None:
        flow.references("spec", ".output", workflow.output)


@value
class _Value:
    """An input with its place in the step and the task or workflow that takes it."""

    target: Target
    template: Template
    place: str


class _Flow:
    """One workflow with the shapes of what its steps give."""

    def __init__(self, workflow: Workflow, report: Report, workflows: Workflows) -> None:
        self.report = report
        self.workflows = workflows
        steps = report.raw.value["spec"]["tasks"]
        self.places = {step["id"]: index for index, step in enumerate(steps)}
        self.parts: dict[int, Part] = {}
        self.given: dict[int, Part | None] = {}
        self.taken: dict[int, Part | None] = {}
        self.input = (self._part(workflow.input_schema),)
        self.outputs: dict[str | int, Shape] = {
            step.id: self._output(step) for step in workflow.steps
        }
        self.said: set[tuple[str, str]] = set()

    def _part(self, schema: Mapping[str, Any]) -> Part:
        # Many steps carry out the same task; what follows from its schemas is worked out once.
        found = self.parts.get(id(schema))
        if found is None:
            found = self.parts[id(schema)] = Part(schema, schema)
        return found

    def _output(self, step: Step) -> Shape:
        if step.for_each is not None:
            return (self._part(LOOP_OUTPUT),)
        return tuple([self._gives(target) for target in _targets(step)])

    def _gives(self, target: Target) -> Part | None:
        if id(target) not in self.given:
            schema = shape_of_output(target, self._look)
            self.given[id(target)] = None if schema is None else self._part(schema)
        return self.given[id(target)]

    def _look(self, reference: WorkflowRef) -> Workflow | None:
        # A pinned version is not in the folder, so nothing is certain about it.
        key = (reference.namespace, reference.name)
        return None if reference.version else self.workflows.get(key)

    def references(self, path: str, place: str, compiled: Template | Condition) -> None:
        """Warn about references to properties that are certainly not there."""
        for reference in compiled.references():
            if len(self.said) >= MOST:
                return
            missing = self._missing(reference)
            if missing is not None:
                where = locate(self.report, path + place, compiled, reference)
                self._say(replace(missing, path=where))

    def _start(self, reference: Reference) -> tuple[Shape, int]:
        """What a reference begins with, and how many of its keys lead there."""
        if reference[0] == "input":
            return self.input, 1
        if len(reference) > 2 and reference[0] == "tasks" and reference[2] == "output":
            return self.outputs.get(reference[1], _ANYTHING), 3
        return _ANYTHING, 0

    def _missing(self, reference: Reference) -> Finding | None:
        shape, start = self._start(reference)
        if shape == _ANYTHING:
            return None
        for depth in range(start, len(reference)):
            key = reference[depth]
            if isinstance(key, str) and lacks(shape, key):
                name = ".".join(map(str, reference[:start]))
                name = reduce(join, reference[start:depth], name)
                return self._absent(name, key, names_of(shape))
            shape = child_of(shape, key)
        return None

    def _absent(self, name: str, key: str, known: frozenset[str]) -> Finding:
        hint = self.report.nearest(key, sorted(known))
        hint = hint or f"it has: {listed(sorted(known)) or 'nothing'}"
        return Finding("", "unknown_property", f"{name} has no {shorten(key)!r}", hint)

    def nearest(self, word: str, options: Iterable[str]) -> str:
        """A hint with the nearest of some options."""
        return self.report.nearest(word, options)

    def types(self, reference: Reference) -> Types | None:
        """The types that a reference can have, None when anything is possible."""
        if reference[::2] == ("tasks", "status"):
            return _STATUS
        shape, start = self._start(reference)
        for key in reference[start:]:
            shape = child_of(shape, key)
        return types_of(shape)

    def inputs(self, step: Step, path: str) -> None:
        """Warn about what the step's targets do not take."""
        for one in _values(step):
            part = self._takes(one.target)
            if part is not None:
                given = _unwrapped(one.target, one.template.source)
                for finding in compare(part, given, path + one.place, self):
                    self._say(finding)

    def _takes(self, target: Target) -> Part | None:
        if id(target) not in self.taken:
            schema = _input_schema(target, self.workflows)
            self.taken[id(target)] = None if schema is None else self._part(schema)
        return self.taken[id(target)]

    def _say(self, finding: Finding) -> None:
        # The arms of a switch often take the same input: once is enough.
        if (finding.path, finding.message) not in self.said:
            self.said.add((finding.path, finding.message))
            self.report.warn(finding.path, finding.code, finding.message, finding.hint)


_STATUS: Types = frozenset({"string"})
_ANYTHING: Shape = (None,)


def _targets(step: Step) -> Iterator[Target]:
    if step.switch is not None:
        yield from (case.target for case in step.switch.cases)
    elif step.target is not None:
        yield step.target
    if step.fallback is not None:
        yield step.fallback.target


def _compiled(step: Step) -> Iterator[tuple[str, Template | Condition]]:
    yield ".input", step.input
    if step.condition is not None:
        yield ".condition", step.condition
    if step.switch is not None:
        yield ".switch.value", step.switch.value
    if step.for_each is not None:
        yield ".forEach.items", step.for_each.items
    if step.fallback is not None and step.fallback.input is not None:
        yield ".fallback.input", step.fallback.input


def _values(step: Step) -> Iterator[_Value]:
    if step.switch is not None:
        for case in step.switch.cases:
            yield _Value(case.target, step.input, ".input")
    elif step.target is not None:
        yield _Value(step.target, step.input, ".input")
    if step.fallback is not None:
        own = step.fallback.input
        place = ".input" if own is None else ".fallback.input"
        yield _Value(step.fallback.target, own or step.input, place)


def _input_schema(target: Target, workflows: Workflows) -> Mapping[str, Any] | None:
    reference = target if isinstance(target, WorkflowRef) else target.workflow
    if isinstance(target, Task) and target.input_schema is not None:
        return target.input_schema
    if reference is None or reference.version is not None:
        return None
    found = workflows.get((reference.namespace, reference.name))
    return None if found is None else found.input_schema


def _unwrapped(target: Target, given: Any) -> Any:
    wrapped = isinstance(given, dict) and given.keys() == {"data"}
    if isinstance(target, Task) and target.transform is not None and wrapped:
        return given["data"]
    return given

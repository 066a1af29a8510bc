"""One step of a workflow: what it carries out, when, how often, and what if it fails."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core.documents.known import Known, find_task, find_workflow
from engine.core.documents.names import ID, ID_RULE
from engine.core.documents.policies import (
    LOOP_FIELDS,
    either,
    read_breaker,
    read_limit,
    read_retry,
)
from engine.core.documents.raw import Report, join
from engine.core.documents.section import Section
from engine.core.documents.tasks import BODY_FIELDS, COMMON_FIELDS, build_task
from engine.core.documents.templates import (
    EMPTY,
    LOOP_ROOTS,
    STEP_ROOTS,
    Reference,
    locate,
    read_condition,
    read_template,
)
from engine.core.model import Case, Fallback, ForEach, Step, Switch, Target, Task
from engine.core.template import Condition, Template
from engine.core.words import listed, shorten

STEP_FIELDS = (
    "id",
    "name",
    "description",
    "taskRef",
    "workflowRef",
    *BODY_FIELDS,
    *COMMON_FIELDS,
    "input",
    "dependsOn",
    "condition",
    "if",
    "when",
    "switch",
    "forEach",
    "timeout",
    "retry",
    "retryPolicy",
    "circuitBreaker",
    "fallback",
)
_FIELDS = frozenset(STEP_FIELDS)
STEP_LATER = {"cache": "every call is made", "onError": "use fallback, or retry"}
TARGET_FIELDS = ("taskRef", "workflowRef")
MOST_ARMS = 1_000
_RARE = frozenset({"switch", "forEach", "fallback", "retry", "retryPolicy", "circuitBreaker"})
"""Most steps have none of these and are not asked for each."""

_BESIDE_TASKS = frozenset(("workflowRef", *BODY_FIELDS))
"""What a step may carry out instead of a task that it names."""

_CONDITIONS = ("condition", "if", "when")
_CONDITIONAL = frozenset(_CONDITIONS)

_RESERVED = ("$parent", "$root")
_TASK_WORDS = ("output", "status")


@dataclass(slots=True)
class Uses:
    """The templates and conditions of a step with their paths, to find what it depends on."""

    found: list[tuple[str, Template | Condition]] = field(default_factory=list)

    def keep(self, path: str, compiled: Template) -> Template:
        """Note a template and hand it on."""
        self.found.append((path, compiled))
        return compiled


@dataclass(frozen=True, slots=True)
class Around:
    """What a step is read in: its workflow's namespace, everything in reach, the step ids.

    `tasks` are those that steps of this workflow have named already, by the reference as written:
    many steps carry out the same task.
    """

    home: str
    known: Known
    ids: Mapping[str, int]
    tasks: dict[str, Task] = field(default_factory=dict)


def read_step(report: Report, path: str, value: Any, around: Around) -> Step | None:
    """The step, or None with every reason reported."""
    section = Section(report, path, value, _FIELDS, STEP_LATER)
    before = report.errors
    name = section.text("id")
    uses = Uses()
    if _RARE.isdisjoint(section.value):
        return _common(section, around, name, before, uses)
    switch = _switch(section, around, uses)
    loop = _loop(section, uses)
    roots = STEP_ROOTS if loop is None else LOOP_ROOTS
    target = _target(section, around, switch, name)
    condition = _condition(section, uses)
    given = {} if section.get("input") is None else section.get("input")
    step_input = uses.keep(
        section.at("input"), read_template(report, section.at("input"), given, roots)
    )
    fallback = _fallback(section, around, roots, uses)
    depends = _depends(section, name, around, uses, loop)
    policies = (section.duration("timeout"), read_retry(section), read_breaker(section))
    if report.errors > before:
        return None
    return Step(name, target, step_input, depends, condition, switch, loop, *policies, fallback)


def _common(section: Section, around: Around, name: str, before: int, uses: Uses) -> Step | None:
    target = _target(section, around, None, name)
    condition = _condition(section, uses)
    given = section.get("input")
    path = section.at("input")
    template = read_template(section.report, path, {} if given is None else given, STEP_ROOTS)
    step_input = uses.keep(path, template)
    depends = _depends(section, name, around, uses, None)
    timeout = section.duration("timeout")
    if section.report.errors > before:
        return None
    return Step(name, target, step_input, depends, condition, timeout=timeout)


def check_id(report: Report, index: int, value: Mapping[str, Any]) -> str:
    """The id of the step at `index`, "" with the reason reported when it has none to use."""
    name = value.get("id")
    if isinstance(name, str) and ID.match(name):
        return name
    shown = "a step has no id" if name is None else f"{shorten(str(name))!r} is not a step id"
    path = join(join("spec.tasks", index), "id")
    report.error(path, "bad_id", shown, f"an id has {ID_RULE}")
    return ""


def _target(section: Section, around: Around, switch: Switch | None, name: str) -> Target | None:
    if "taskRef" in section and _BESIDE_TASKS.isdisjoint(section.value):
        return _task(section, around)
    inline = _present(section, BODY_FIELDS)
    given = _present(section, TARGET_FIELDS) + inline[:1]
    if len(given) > 1:
        message = f"a step carries out one thing, not both {given[0]} and {given[1]}"
        section.error(given[1], "conflict", message, f"remove {given[0]} or {given[1]}")
        return None
    if not given and "switch" not in section:
        message = "the step has nothing to carry out"
        section.error("taskRef", "missing_field", message, "give it taskRef, workflowRef or a type")
        return None
    if inline:
        words = {"document": {"spec": section.value}, "description": section.text("description")}
        return build_task(section, around.known, around.home, name or "step", **words)
    return _referred(section, around) if given else None


def _present(section: Section, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word in section.value]


def _referred(section: Section, around: Around) -> Target | None:
    if "workflowRef" in section:
        return find_workflow(section, "workflowRef", around.known, around.home)
    return _task(section, around)


def _task(section: Section, around: Around) -> Task | None:
    text = section.get("taskRef")
    task = around.tasks.get(text) if isinstance(text, str) else None
    if task is None:
        task = find_task(section, "taskRef", around.known, around.home)
        if task is not None:
            around.tasks[text] = task
    return task


def _one_of(section: Section, around: Around) -> Target | None:
    given = _present(section, TARGET_FIELDS)
    if len(given) != 1:
        section.error("taskRef", "missing_field", "name either a taskRef or a workflowRef here")
        return None
    return _referred(section, around)


def _switch(section: Section, around: Around, uses: Uses) -> Switch | None:
    if section.get("switch") is None:
        return None
    inner = section.section("switch", ("value", "cases", "default"))
    value = read_template(inner.report, inner.at("value"), inner.get("value"), STEP_ROOTS)
    if inner.get("value") is None:
        inner.error("value", "missing_field", "a switch needs a value to look at")
    uses.keep(inner.at("value"), value)
    if len(inner.sequence("cases")) > MOST_ARMS:
        message = f"a switch has at most {MOST_ARMS:,} cases, not {len(inner.sequence('cases')):,}"
        inner.error("cases", "too_many", message, "look the value up in a task instead")
        return None
    return Switch(value, _cases(inner, around))


def _cases(inner: Section, around: Around) -> tuple[Case, ...]:
    cases: list[Case] = []
    seen: set[str] = set()
    for arm in inner.sections("cases", ("match", *TARGET_FIELDS)):
        match = _match(arm)
        if match in seen:
            arm.warn("match", "unreachable", f"the case {shorten(match)!r} stands here twice")
        seen.add(match)
        target = _one_of(arm, around)
        if target is not None:
            cases.append(Case(match, target))
    if inner.get("default") is not None:
        target = _one_of(inner.section("default", TARGET_FIELDS), around)
        if target is not None:
            cases.append(Case(None, target))
    if not inner.sequence("cases") and "default" not in inner:
        inner.error("cases", "missing_field", "a switch needs cases")
    return tuple(cases)


def _match(arm: Section) -> str:
    value = arm.get("match")
    if "match" not in arm or isinstance(value, dict | list):
        arm.error("match", "missing_field", "a case needs a match: a string, number or boolean")
        return ""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)


def _loop(section: Section, uses: Uses) -> ForEach | None:
    if section.get("forEach") is None:
        return None
    inner = section.section("forEach", LOOP_FIELDS)
    key, items = either(inner, "items", "in")
    if items is None:
        inner.error("items", "missing_field", "forEach needs items, such as '{{input.userIds}}'")
    elif not isinstance(items, str | list):
        inner.error(key, "wrong_type", "items must be a list, or a template that gives one")
    template = uses.keep(
        inner.at(key), read_template(inner.report, inner.at(key), items, STEP_ROOTS)
    )
    item = _variable(inner, *either(inner, "itemVar", "as", "item"))
    index = _variable(
        inner, "indexVar", "index" if inner.get("indexVar") is None else inner.get("indexVar")
    )
    if item == index:
        inner.error("indexVar", "conflict", f"item and index are both called {shorten(item)!r}")
    return ForEach(template, item, index, read_limit(inner))


def _variable(inner: Section, key: str, name: Any) -> str:
    if isinstance(name, str) and ID.match(name):
        return name
    inner.error(key, "bad_name", f"{shorten(str(name))!r} is not a variable name", ID_RULE)
    return "item"


def _condition(section: Section, uses: Uses) -> Condition | None:
    if _CONDITIONAL.isdisjoint(section.value):
        return None
    given = [key for key in _CONDITIONS if section.value.get(key) is not None]
    if not given:
        return None
    if len(given) > 1:
        section.error(given[1], "conflict", f"{given[0]} and {given[1]} say the same thing")
    key, value = given[0], section.get(given[0])
    path = section.at(key)
    if isinstance(value, dict):
        inner = section.section(key, ("if",))
        path, value = inner.at("if"), inner.get("if")
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str) or not value.strip():
        section.report.error(
            path, "wrong_type", "a condition must be text, such as 'input.total > 100'"
        )
        return None
    condition = read_condition(section.report, path, value, STEP_ROOTS)
    if condition is not None:
        uses.found.append((path, condition))
    return condition


def _fallback(
    section: Section, around: Around, roots: tuple[str, ...], uses: Uses
) -> Fallback | None:
    if section.get("fallback") is None:
        return None
    inner = section.section("fallback", (*TARGET_FIELDS, "input"))
    target = _one_of(inner, around)
    given = inner.get("input")
    template = None
    if given is not None:
        template = uses.keep(
            inner.at("input"), read_template(inner.report, inner.at("input"), given, roots)
        )
    return Fallback(target, template) if target is not None else None


def _depends(
    section: Section, name: str, around: Around, uses: Uses, loop: ForEach | None
) -> tuple[str, ...]:
    needed: set[str] = set()
    for index, wanted in enumerate(section.strings("dependsOn")):
        if wanted in around.ids and wanted != name:
            needed.add(wanted)
        else:
            path = join(section.at("dependsOn"), index)
            _step_known(section.report, path, wanted, name, around)
    for path, compiled in uses.found:
        for reference in compiled.references():
            if reference[0] == "tasks":
                needed.add(step_of(section.report, path, compiled, reference, around, name))
            elif reference[0] == "forEach":
                _variable_known(section.report, path, compiled, reference, loop)
    needed.discard("")
    return tuple(sorted(needed))


def step_of(
    report: Report,
    path: str,
    compiled: Template | Condition,
    reference: Reference,
    around: Around,
    name: str = "",
) -> str:
    """The step that a reference reads, "" when it reads none; mistakes are reported."""
    if reference[0] != "tasks":
        return ""
    if len(reference) < 2:
        where = locate(report, path, compiled, reference)
        report.error(where, "bad_reference", "name the step: tasks.<id>.output", "")
        return ""
    wanted = str(reference[1])
    if wanted not in around.ids or wanted == name:
        where = path if reference[1] in around.ids else locate(report, path, compiled, reference)
        _step_known(report, where, wanted, name, around)
        return ""
    if len(reference) > 2 and reference[2] not in _TASK_WORDS:
        where = locate(report, path, compiled, reference)
        hint = report.nearest(str(reference[2]), _TASK_WORDS) or "a step has output and status"
        report.warn(
            where, "unknown_property", f"a step has no {shorten(str(reference[2]))!r}", hint
        )
    return wanted


def _step_known(report: Report, path: str, wanted: str, name: str, around: Around) -> None:
    if wanted not in around.ids:
        hint = report.nearest(wanted, around.ids) or f"the steps are: {listed(around.ids)}"
        report.error(path, "unknown_step", f"there is no step {shorten(wanted)!r}", hint)
    elif wanted == name:
        report.error(path, "cycle", f"the step {shorten(name)!r} waits for itself")


def _variable_known(
    report: Report,
    path: str,
    compiled: Template | Condition,
    reference: Reference,
    loop: ForEach | None,
) -> None:
    if loop is None or len(reference) < 2:
        return
    names = ("item", "index", loop.item_var, loop.index_var, *_RESERVED)
    if reference[1] not in names:
        where = locate(report, path, compiled, reference)
        wanted = shorten(str(reference[1]))
        hint = report.nearest(wanted, names) or f"known: {listed(dict.fromkeys(names))}"
        report.error(where, "unknown_variable", f"forEach has no variable {wanted!r}", hint)


__all__ = ["EMPTY", "Around", "check_id", "read_step", "step_of"]

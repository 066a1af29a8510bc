"""A dry run: what a run would do, as far as that can be known without calling anybody.

Conditions, switches and inputs are worked out where everything they refer to is known: the
run's input, and the results of transforms over it. What hangs on the answer of a call is said
to depend on it. Nothing is recorded and nothing is called.
"""

from collections.abc import Mapping
from typing import Any, Literal

from engine.core.errors import StepError
from engine.core.model import Effect, Step, Target, Task, Workflow, strongest
from engine.core.reading import as_text, target_name
from engine.core.schema import coerce_json
from engine.core.views import PlannedStep

Would = Literal["run", "skip", "depends"]


class Preview:
    """Works through the steps of one workflow in order."""

    def __init__(self, workflow: Workflow, given: Any) -> None:
        self._workflow = workflow
        self._names: dict[str, Any] = {"input": given, "tasks": {}}

    def steps(self) -> tuple[PlannedStep, ...]:
        """What would happen to each step."""
        return tuple(self._step(step) for step in self._workflow.steps)

    def output(self) -> Any:
        """The output's keys that are known already."""
        template = self._workflow.output
        if template is None or not self._known(template.references()):
            return None
        return template.render(self._names)

    def _step(self, step: Step) -> PlannedStep:
        try:
            return self._planned(step)
        except StepError as error:
            failure = error.failure
            return PlannedStep(
                step.id, target_name(step.target), _effect(step), "run",
                f"would fail: {failure.message}", None,
            )  # fmt: skip

    def _planned(self, step: Step) -> PlannedStep:
        would, reason = self._condition(step)
        if would == "skip":
            self._names["tasks"][step.id] = {"output": None, "status": "skipped"}
            return PlannedStep(
                step.id, target_name(step.target), _effect(step), "skip", reason, None
            )
        target, why = self._target(step)
        if target is None and why == "no case of the switch matches" and would == "run":
            self._names["tasks"][step.id] = {"output": None, "status": "skipped"}
            return PlannedStep(step.id, "", Effect.PURE, "skip", why, None)
        given = self._input(step, target)
        if would == "run" and isinstance(target, Task):
            self._work_out(step, target, given)
        effect = target.effect if isinstance(target, Task) else _effect(step)
        reasons = [part for part in (reason, why, self._items(step)) if part]
        return PlannedStep(
            step.id, target_name(target), effect, would, "; ".join(reasons), given, _request(target)
        )

    def _condition(self, step: Step) -> tuple[Would, str]:
        if step.condition is None:
            return "run", ""
        if not self._known(step.condition.references()):
            return "depends", f"if {step.condition.source}"
        if step.condition.evaluate(self._names):
            return "run", f"condition is true: {step.condition.source}"
        return "skip", f"condition is false: {step.condition.source}"

    def _target(self, step: Step) -> tuple[Target | None, str]:
        if step.switch is None:
            return step.target, ""
        if not self._known(step.switch.value.references()):
            return step.target, f"the case depends on {step.switch.value.source}"
        value = as_text(step.switch.value.render(self._names))
        for case in step.switch.cases:
            if case.match is None:
                return case.target, f"switch: {value!r} takes the default"
            if case.match == value:
                return case.target, f"switch: case {value!r}"
        return None, "no case of the switch matches"

    def _input(self, step: Step, target: Target | None) -> Any:
        if step.for_each is not None or not self._known(step.input.references()):
            return _sketch(step.input.source)
        given = step.input.render(self._names)
        return coerce_json(given, target.input_schema) if isinstance(target, Task) else given

    def _items(self, step: Step) -> str:
        if step.for_each is None:
            return ""
        if not self._known(step.for_each.items.references()):
            return f"once for each of {step.for_each.items.source}"
        items = step.for_each.items.render(self._names)
        return f"{len(items)} times" if isinstance(items, list) else "once for each item"

    def _work_out(self, step: Step, task: Task, given: Any) -> None:
        ready = step.for_each is None and self._known(step.input.references())
        if task.transform is not None and ready and not task.transform.needs_seed:
            output = {"result": task.transform.apply(given, 0)}
            self._names["tasks"][step.id] = {"output": output, "status": "done"}

    def _known(self, references: Any) -> bool:
        tasks = self._names["tasks"]
        return all(
            reference[0] == "input"
            or (reference[0] == "tasks" and len(reference) > 1 and reference[1] in tasks)
            for reference in references
        )


def _effect(step: Step) -> Effect:
    arms = [case.target for case in step.switch.cases] if step.switch else [step.target]
    return strongest(*(t.effect if isinstance(t, Task) else Effect.READ for t in arms if t))


def _sketch(source: Any) -> Any:
    """The input as its author wrote it: what is not a template is known."""
    if isinstance(source, Mapping):
        return {key: _sketch(value) for key, value in source.items()}
    return source


def _request(target: Target | None) -> str:
    if not isinstance(target, Task) or target.http is None:
        return ""
    spec = target.http
    url = str(spec.url.source).replace(f"connector://{spec.connector}/", f"{spec.base}/", 1)
    return f"{spec.method} {url}"


def mutations(steps: tuple[PlannedStep, ...]) -> int:
    """How many steps would, or might, change a system outside."""
    return sum(1 for step in steps if step.effect is Effect.MUTATION and step.would != "skip")

"""Walking the steps of a run: what is decided on the spot, what must be called, what waits.

This is the planner's inside; `plan.py` says what it is for and which rules it keeps. A walker
looks at every step of a scope that is not settled, folds into the run what it can decide, and
collects the calls and the earliest time to look again.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from engine.core import events as ev
from engine.core.asks import (
    MAX_DEPTH,
    MAX_STEPS,
    MAX_WIDTH,
    TIMEOUT,
    Broken,
    Call,
    Decision,
    Library,
    Loop,
    Scope,
    Verdict,
)
from engine.core.errors import Failure, Kind, StepError
from engine.core.levels import Levels
from engine.core.model import Step, Target, Task, Workflow, WorkflowRef
from engine.core.reading import (
    as_list,
    as_text,
    because,
    bounded,
    target_name,
    until,
    usual_retry,
    wrong,
)
from engine.core.run import FALLBACK, Run, evolve
from engine.core.schema import coerce_json, explain, with_defaults


class Walker:
    """Walks the scopes of one run. It owns `run` and folds what it decides into it."""

    def __init__(self, run: Run, workflow: Workflow, library: Library) -> None:
        self.run = run
        self.root = Scope(workflow, "", run.input)
        self._library = library
        self._inputs: dict[str, Any] = {}
        self._loops: dict[str, Loop] = {}
        self._levels: dict[str, Levels] = {}
        self.now = 0
        self.busy: Collection[str] = ()
        self.out = Decision()

    # -- scopes ------------------------------------------------------------------------

    def walk(self, scope: Scope) -> Verdict:
        """Look at every step of a scope that may go on; True when all are settled."""
        levels = self._levels.get(scope.prefix)
        if levels is None:
            levels = self._levels[scope.prefix] = Levels(scope.workflow)
        broken: Broken | None = None
        for step in levels.ready(self.run.tasks[scope.prefix]):
            verdict = self._step(scope, step)
            if isinstance(verdict, Broken):
                broken = broken or verdict
        return broken or levels.over()

    def _step(self, scope: Scope, step: Step) -> Verdict:
        path = scope.prefix + step.id
        try:
            return self._begun(scope, step, path)
        except StepError as error:
            return self._break(scope, step, path, error.failure)

    def _begun(self, scope: Scope, step: Step, path: str) -> Verdict:
        names = self._names(scope)
        condition = None if path in self.run.steps else step.condition
        if condition is not None and not condition.evaluate(names):
            return self._skip(path, f"condition is false: {condition.source}")
        target = self._target(step, names)
        if target is None:
            return self._skip(path, "no case of the switch matches")
        if step.for_each is not None:
            return self._each(scope, step, target, path, names)
        return self._unit(scope, step, target, path, names)

    def _target(self, step: Step, names: Mapping[str, Any]) -> Target | None:
        if step.switch is None:
            return step.target
        value = as_text(step.switch.value.render(names))
        for case in step.switch.cases:
            if case.match is None or case.match == value:
                return case.target
        return None

    # -- one unit: a step, or one item of a forEach ---------------------------------------

    def _unit(
        self, scope: Scope, step: Step, target: Target, path: str, names: Mapping[str, Any]
    ) -> Verdict:
        state = self.run.steps.get(path)
        if state is not None and state.status == "done":
            return True
        if state is not None and state.status == "failed":
            assert state.failure is not None
            return self._saved(scope, step, path, state.failure, names)
        try:
            return self._carry_out(scope, step, target, path, names)
        except StepError as error:
            return self._break(scope, step, path, error.failure, names)

    def _carry_out(
        self, scope: Scope, step: Step, target: Target, path: str, names: Mapping[str, Any]
    ) -> Verdict:
        if path in self.busy:
            return False
        state = self.run.steps.get(path)
        if state is not None and state.again_at > self.now:
            return self._wait(state.again_at)
        reference = target if isinstance(target, WorkflowRef) else target.workflow
        if reference is not None:
            return self._nested(scope, step, reference, path, names)
        assert isinstance(target, Task)
        return self._leaf(step, target, path, names)

    def _leaf(self, step: Step, task: Task, path: str, names: Mapping[str, Any]) -> Verdict:
        template = step.input
        if path.endswith(FALLBACK) and step.fallback is not None and step.fallback.input:
            template = step.fallback.input
        given = coerce_json(template.render(names), task.input_schema)
        if task.transform is not None:
            output = {"result": task.transform.apply(given, self._seed(path))}
            return self._succeed(path, output, task)
        if task.sleep is not None:
            return self._sleep(task, path, given)
        state = self.run.steps.get(path)
        attempt = 1 if state is None else state.attempt + 1
        timeout = step.timeout or task.timeout or TIMEOUT
        retry = step.retry or task.retry or usual_retry(task.effect)
        self.out.calls.append(Call(path, task, given, attempt, timeout, retry, step.breaker))
        return False

    def _sleep(self, task: Task, path: str, given: Any) -> Verdict:
        wake_at = self.run.timers.get(path)
        if wake_at is None:
            assert task.sleep is not None
            wake_at = until(task.sleep.render({"input": given}), self.now)
            self.emit(ev.TimerSet(path, wake_at))
        if wake_at > self.now:
            return self._wait(wake_at)
        return self._succeed(path, {"wokeAt": wake_at // 1000}, task)

    def _succeed(self, path: str, output: Any, task: Task) -> bool:
        target = f"{task.namespace}/{task.name}"
        self.emit(ev.StepSucceeded(path, output, 1, target, self.now))
        return True

    # -- sub-workflows -------------------------------------------------------------------

    def _nested(
        self, scope: Scope, step: Step, ref: WorkflowRef, path: str, names: Mapping[str, Any]
    ) -> Verdict:
        inner = self._scope(scope, step, ref, path, names)
        verdict = self.walk(inner)
        if isinstance(verdict, Broken):
            if not self.drained(inner.prefix):
                return False
            raise StepError(because(verdict.path, verdict.failure))
        if not verdict:
            return False
        target = f"{inner.workflow.namespace}/{inner.workflow.name}"
        output = self.output(inner)
        self.emit(ev.StepSucceeded(path, output, 1, target, self.now))
        return True

    def _scope(
        self, scope: Scope, step: Step, ref: WorkflowRef, path: str, names: Mapping[str, Any]
    ) -> Scope:
        opened = self.run.scopes.get(path)
        if opened is None:
            workflow = self._found(ref, scope.prefix)
            given = self._given(workflow, step.input.render(names))
            opened = ev.ScopeOpened(
                path, workflow.namespace, workflow.name, workflow.version or "", workflow.digest
            )
            self.emit(opened)
            self._inputs[path] = given
        workflow = self._library.pinned(opened.digest)
        if path not in self._inputs:
            self._inputs[path] = self._given(workflow, step.input.render(names))
        return Scope(workflow, path + "/", self._inputs[path], names.get("forEach"))

    def _found(self, ref: WorkflowRef, prefix: str) -> Workflow:
        if prefix.count("/") >= MAX_DEPTH:
            raise wrong("too_deep", f"sub-workflows are nested deeper than {MAX_DEPTH}")
        if ref.version is None:
            workflow = self._library.default(ref.namespace, ref.name)
        else:
            workflow = self._library.version(ref.namespace, ref.name, ref.version)
        if workflow is None:
            raise wrong("unknown_workflow", f"there is no workflow {ref.namespace}/{ref.name}")
        if not self._library.accepted(workflow):
            raise StepError(
                Failure(
                    Kind.PERMISSION,
                    "pending_version",
                    f"{ref.namespace}/{ref.name} changes systems outside and is not accepted yet",
                    "A person must accept it first.",
                )
            )
        return workflow

    def _given(self, workflow: Workflow, value: Any) -> Any:
        given = with_defaults(workflow.input_schema, value)
        missing, invalid = explain(workflow.input_schema, given)
        if missing or invalid:
            names = ", ".join([field.name for field in missing] + [one.name for one in invalid])
            raise wrong("invalid_input", f"input of {workflow.name} is wrong: {names}")
        return given

    # -- loops ---------------------------------------------------------------------------

    def _each(
        self, scope: Scope, step: Step, target: Target, path: str, names: Mapping[str, Any]
    ) -> Verdict:
        state = self.run.steps.get(path)
        if state is not None and state.failure is not None:
            return Broken(path, state.failure)
        try:
            return self._iterate(scope, step, target, path, names)
        except StepError as error:
            # A fallback stands in for single items; the loop itself has none.
            self.emit(ev.StepFailed(path, 1, target_name(target), error.failure, self.now))
            return Broken(path, error.failure)

    def _iterate(
        self, scope: Scope, step: Step, target: Target, path: str, names: Mapping[str, Any]
    ) -> Verdict:
        loop = self._opened(step, path, names)
        broken = self._items(scope, step, target, path, loop, names)
        if broken is not None:
            if not self.drained(path + "["):
                return False
            raise StepError(because(broken.path, broken.failure))
        if loop.open or loop.following < len(loop.items):
            return False
        self.emit(ev.LoopClosed(path))
        return True

    def _opened(self, step: Step, path: str, names: Mapping[str, Any]) -> Loop:
        known = self._loops.get(path)
        if known is not None:
            return known
        assert step.for_each is not None
        items = as_list(step.for_each.items.render(names))
        if path not in self.run.loops:
            self.emit(ev.LoopOpened(path, len(items)))
        known = self._loops[path] = Loop(items)
        return known

    def _items(
        self,
        scope: Scope,
        step: Step,
        target: Target,
        path: str,
        loop: Loop,
        names: Mapping[str, Any],
    ) -> Broken | None:
        broken: Broken | None = None
        limit = min((step.for_each and step.for_each.limit) or MAX_WIDTH, MAX_WIDTH)
        waiting = sorted(loop.open)
        while waiting or (loop.following < len(loop.items) and len(loop.open) < limit):
            if waiting:
                index = waiting.pop(0)
            else:
                index, loop.following = loop.following, loop.following + 1
            verdict = self._item(scope, step, target, path, index, loop, names)
            if verdict is False:
                loop.open.add(index)
                continue
            loop.open.discard(index)
            if verdict is not True:
                loop.open.add(index)  # it stays broken however often it is looked at
                broken = broken or verdict
                break
        return broken

    def _item(
        self,
        scope: Scope,
        step: Step,
        target: Target,
        path: str,
        index: int,
        loop: Loop,
        names: Mapping[str, Any],
    ) -> Verdict:
        each = step.for_each
        assert each is not None
        inner = {"item": loop.items[index], "index": index}
        inner |= {each.item_var: loop.items[index], each.index_var: index}
        if scope.loop is not None:
            inner["$parent"] = scope.loop
            inner["$root"] = scope.loop.get("$root", scope.loop)
        return self._unit(scope, step, target, f"{path}[{index}]", {**names, "forEach": inner})

    # -- failing and falling back ----------------------------------------------------------

    def _break(
        self,
        scope: Scope,
        step: Step,
        path: str,
        failure: Failure,
        names: Mapping[str, Any] | None = None,
    ) -> Verdict:
        state = self.run.steps.get(path)
        if state is None or state.status != "failed":
            attempt = 1 if state is None else state.attempt + 1
            self.emit(ev.StepFailed(path, attempt, target_name(step.target), failure, self.now))
        if path.endswith(FALLBACK):
            return Broken(path, failure)
        return self._saved(scope, step, path, failure, names or self._names(scope))

    def _saved(
        self, scope: Scope, step: Step, path: str, failure: Failure, names: Mapping[str, Any]
    ) -> Verdict:
        if path.endswith(FALLBACK) or step.fallback is None or failure.code == "needs_approval":
            return Broken(path, failure)
        stand_in = path + FALLBACK
        verdict = self._unit(scope, step, step.fallback.target, stand_in, names)
        if isinstance(verdict, Broken):
            return Broken(path, replace(verdict.failure, cause=(failure.message,)))
        if not verdict:
            return False
        state = self.run.steps[stand_in]
        target, attempt = target_name(step.fallback.target), self.run.steps[path].attempt
        self.emit(
            ev.StepSucceeded(path, state.output, attempt, target, self.now, source="fallback")
        )
        return True

    def drained(self, prefix: str) -> bool:
        """Begin nothing more under `prefix`; True when nothing is under way there any more."""
        self.out.calls = [call for call in self.out.calls if not call.path.startswith(prefix)]
        return not any(path.startswith(prefix) for path in self.busy)

    # -- small things ------------------------------------------------------------------------

    def _skip(self, path: str, reason: str) -> bool:
        self.emit(ev.StepSkipped(path, reason))
        return True

    def _wait(self, until: int) -> bool:
        wake_at = self.out.wake_at
        self.out.wake_at = until if wake_at is None else min(wake_at, until)
        return False

    def emit(self, event: Any) -> None:
        """Fold an event into the run and have it recorded."""
        if len(self.run.steps) > MAX_STEPS:
            raise wrong("too_many_steps", f"the run has more than {MAX_STEPS:,} steps")
        self.out.events.append(event)
        evolve(self.run, event)

    def _names(self, scope: Scope) -> dict[str, Any]:
        names = {"input": scope.input, "tasks": self.run.tasks[scope.prefix]}
        return names if scope.loop is None else {**names, "forEach": scope.loop}

    def output(self, scope: Scope) -> Any:
        """What a scope whose steps are settled returns; raises StepError."""
        template = scope.workflow.output
        if template is not None:
            return bounded(template.render(self._names(scope)))
        return {name: task["output"] for name, task in self.run.tasks[scope.prefix].items()}

    def _seed(self, path: str) -> int:
        digest = hashlib.sha256(f"{self.run.uid}/{path}".encode()).digest()
        return int.from_bytes(digest[:8])

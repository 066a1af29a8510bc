"""Walking the steps of a run: what is decided on the spot, what must be called, what waits.

This is the planner's inside; `plan.py` says what it is for and which rules it keeps. A walker
looks at every step of a scope that is not settled, folds into the run what it can decide, and
collects the calls and the earliest time to look again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.core import events as ev
from engine.core.ahead import Ahead, loop_names
from engine.core.asks import (
    MAX_WIDTH,
    TIMEOUT,
    Broken,
    Call,
    Library,
    Loop,
    Scope,
    Verdict,
)
from engine.core.errors import Failure, StepError
from engine.core.levels import Levels
from engine.core.model import Effect, Step, Target, Task, Workflow, WorkflowRef
from engine.core.outside import Outside
from engine.core.reading import (
    as_list,
    as_text,
    because,
    bounded,
    target_name,
    until,
    usual_retry,
)
from engine.core.schema import coerce_json
from engine.core.scopes import checked, found
from engine.core.state import FALLBACK, Run

_PAST = frozenset({"done", "skipped"})


class Walker(Outside):
    """Walks the scopes of one run. It owns `run` and folds what it decides into it."""

    def __init__(self, run: Run, workflow: Workflow, library: Library) -> None:
        super().__init__(run, library)
        self.root = Scope(workflow, "", run.input)
        self._inputs: dict[str, Any] = {}
        self._loops: dict[str, Loop] = {}
        self._levels: dict[str, Levels] = {}

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
        if self.over(path):
            return False
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
        if state is not None and state.status in _PAST:
            return True
        if self.over(path):
            return False
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
            return self.wait(state.again_at)
        reference = target if isinstance(target, WorkflowRef) else target.workflow
        if reference is not None:
            return self._nested(scope, step, reference, path, names)
        assert isinstance(target, Task)
        return self._leaf(scope, step, target, path, names)

    def _leaf(
        self, scope: Scope, step: Step, task: Task, path: str, names: Mapping[str, Any]
    ) -> Verdict:
        template = step.input
        if path.endswith(FALLBACK) and step.fallback is not None and step.fallback.input:
            template = step.fallback.input
        given = coerce_json(template.render(names), task.input_schema)
        if task.transform is not None:
            output = {"result": task.transform.apply(given, self.seed(path))}
            return self._succeed(path, output, task)
        if task.sleep is not None:
            return self._sleep(task, path, given)
        state = self.run.steps.get(path)
        attempt = 1 if state is None else state.attempt + 1
        timeout = step.timeout or task.timeout or TIMEOUT
        retry = step.retry or task.retry or usual_retry(task.effect)
        digest = scope.workflow.digest
        call = Call(path, task, given, attempt, timeout, retry, step.breaker, digest)
        if task.effect is Effect.MUTATION:
            return self.mutate(call)
        self.out.calls.append(call)
        return False

    def _sleep(self, task: Task, path: str, given: Any) -> Verdict:
        wake_at = self.run.timers.get(path)
        if wake_at is None:
            assert task.sleep is not None
            wake_at = until(task.sleep.render({"input": given}), self.now)
            self.emit(ev.TimerSet(path, wake_at))
        if wake_at > self.now:
            return self.wait(wake_at)
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
        if not verdict or self.closing:
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
            workflow = found(self.library, ref, scope.prefix)
            given = checked(workflow, step.input.render(names))
            opened = ev.ScopeOpened(
                path, workflow.namespace, workflow.name, workflow.version or "", workflow.digest
            )
            self.emit(opened)
            self._inputs[path] = given
        workflow = self.library.pinned(opened.digest)
        if path not in self._inputs:
            self._inputs[path] = checked(workflow, step.input.render(names))
        return Scope(workflow, path + "/", self._inputs[path], names.get("forEach"))

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
        self._ask_for_items(scope, step, target, path, loop, names)
        broken = self._items(scope, step, target, path, loop, names)
        if broken is not None:
            if not self.drained(path + "["):
                return False
            raise StepError(because(broken.path, broken.failure))
        if loop.open or loop.following < len(loop.items) or self.closing:
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

    def _ask_for_items(
        self,
        scope: Scope,
        step: Step,
        target: Target,
        path: str,
        loop: Loop,
        names: Mapping[str, Any],
    ) -> None:
        reference = target if isinstance(target, WorkflowRef) else target.workflow
        if self.closing or not self._wants_one(path, loop):
            return
        if reference is not None:
            self.propose_inner(reference, path, loop.items, scope.prefix)
        elif isinstance(target, Task) and target.effect is Effect.MUTATION:

            def named(index: int) -> Mapping[str, Any]:
                return {**names, "forEach": loop_names(scope, step, index, loop.items[index])}

            self.propose_items(step, target, path, loop.items, named, scope.workflow.digest)

    def _wants_one(self, path: str, loop: Loop) -> bool:
        """Whether there may be something to ask for; items are allowed together, or none is."""
        following = [loop.following] if loop.following < len(loop.items) else []
        return any(self.wants(f"{path}[{index}]") for index in (*loop.open, *following))

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
        inner = loop_names(scope, step, index, loop.items[index])
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
        if path.endswith(FALLBACK) or step.fallback is None:
            return Broken(path, failure)
        stand_in = path + FALLBACK
        verdict = self._unit(scope, step, step.fallback.target, stand_in, names)
        if isinstance(verdict, Broken):
            return Broken(path, replace(verdict.failure, cause=(failure.message,)))
        if not verdict or self.closing:
            return False
        state = self.run.steps[stand_in]
        target, attempt = target_name(step.fallback.target), self.run.steps[path].attempt
        self.emit(
            ev.StepSucceeded(path, state.output, attempt, target, self.now, source="fallback")
        )
        return True

    def drained(self, prefix: str) -> bool:
        """Begin nothing more under `prefix`; True when nothing is under way there any more.

        What was sent and not answered is under way until somebody knows what became of it.
        """
        out = self.out
        out.calls = [c for c in out.calls if c.again or not c.path.startswith(prefix)]
        out.proposals = {p: ask for p, ask in out.proposals.items() if not p.startswith(prefix)}
        if any(path.startswith(prefix) for path in self.run.unresolved):
            return False
        return not any(path.startswith(prefix) for path in self.busy)

    def ahead(self) -> Ahead:
        """What the run will change further on, besides what it proposes now."""
        ahead = Ahead(self.run, self.library, self.out.proposals)
        ahead.look(self.root)
        for path, opened in self.run.scopes.items():
            if path in self._inputs and "[" not in path and path not in self.run.steps:
                workflow = self.library.pinned(opened.digest)
                ahead.look(Scope(workflow, path + "/", self._inputs[path]))
        return ahead

    # -- small things ------------------------------------------------------------------------

    def _skip(self, path: str, reason: str) -> bool:
        self.emit(ev.StepSkipped(path, reason))
        return True

    def _names(self, scope: Scope) -> dict[str, Any]:
        names = {"input": scope.input, "tasks": self.run.tasks[scope.prefix]}
        return names if scope.loop is None else {**names, "forEach": scope.loop}

    def output(self, scope: Scope) -> Any:
        """What a scope whose steps are settled returns; raises StepError."""
        template = scope.workflow.output
        if template is not None:
            return bounded(template.render(self._names(scope)))
        return {name: task["output"] for name, task in self.run.tasks[scope.prefix].items()}

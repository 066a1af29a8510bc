"""What a run will change further on, as far as that is known before it gets there.

When a run has to ask, it asks for everything at once: the later steps too whose condition, target
and input hang on nothing that is still to come. What hangs on more is told in words: it will ask
again. Nothing is begun here and nothing of the run is changed. It is the dry run of `preview.py`
begun in the middle.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from engine.core.asks import MAX_DEPTH, MOST_EXACT, Library, Proposal, Scope
from engine.core.errors import StepError
from engine.core.grants import grant_for
from engine.core.model import Effect, Step, Target, Task, Workflow, WorkflowRef, targets_of
from engine.core.outside import repeated
from engine.core.reading import as_list, as_text
from engine.core.schema import coerce_json
from engine.core.scopes import checked, found
from engine.core.state import Run

_UNKNOWN = object()


class Ahead:
    """Looks at what one run has not come to yet. `asked` are the paths proposed already."""

    def __init__(self, run: Run, library: Library, asked: Collection[str]) -> None:
        self._run, self._library, self._asked = run, library, asked
        self.proposals: dict[str, Proposal] = {}
        self.later: list[str] = []

    def look(self, scope: Scope) -> None:
        """Take note of every change that `scope` may still make."""
        tasks = dict(self._run.tasks.get(scope.prefix, {}))
        names = {"input": scope.input, "tasks": tasks}
        if scope.loop is not None:
            names["forEach"] = scope.loop
        for step in scope.workflow.steps:
            if step.id not in tasks and not self._begun(scope.prefix + step.id):
                self._step(scope, step, names)

    def _begun(self, path: str) -> bool:
        """Whether the run has come to a step: it asks for itself then."""
        run, under = self._run, (path + "/", path + "[", path + "~")
        if path in run.steps or path in run.scopes or path in run.loops:
            return True
        return any(one == path or one.startswith(under) for one in self._asked)

    def _step(self, scope: Scope, step: Step, names: dict[str, Any]) -> None:
        try:
            condition = step.condition
            if condition is not None:
                if not _known(condition.references(), names):
                    self._later(scope, step, f"if {condition.source}")
                    return
                if not condition.evaluate(names):
                    names["tasks"][step.id] = {"output": None, "status": "skipped"}
                    return
            target = _target(step, names)
            if target is _UNKNOWN:
                self._later(scope, step, "which of its cases is open")
            elif target is None:
                names["tasks"][step.id] = {"output": None, "status": "skipped"}
            else:
                self._carried_out(scope, step, target, names)
        except StepError:
            return  # it will fail where it is begun

    def _carried_out(self, scope: Scope, step: Step, target: Target, names: dict[str, Any]) -> None:
        reference = target if isinstance(target, WorkflowRef) else target.workflow
        each = step.for_each
        if each is not None and not _known(each.items.references(), names):
            self._later(scope, step, f"once for each of {each.items.source}", target)
        elif reference is not None:
            self._nested(scope, step, reference, names)
        elif isinstance(target, Task) and target.effect is Effect.MUTATION:
            self._mutation(scope, step, target, names)
        elif isinstance(target, Task) and target.transform is not None and each is None:
            _work_out(step, target, names)

    def _mutation(self, scope: Scope, step: Step, task: Task, names: dict[str, Any]) -> None:
        path, digest = scope.prefix + step.id, scope.workflow.digest
        given = list(_inputs(scope, step, task, names))
        if any(one is _UNKNOWN for one in given):
            self._later(scope, step, "with what earlier steps return", task)
        elif step.for_each is None:
            self._note(Proposal(path, task, given[0], digest))
        elif len(given) > MOST_EXACT:
            self._note(Proposal(f"{path}[*]", task, None, digest, given, exact=True))
        else:
            for index, one in enumerate(given):
                self._note(Proposal(f"{path}[{index}]", task, one, digest))

    def _nested(
        self, scope: Scope, step: Step, reference: WorkflowRef, names: dict[str, Any]
    ) -> None:
        path = scope.prefix + step.id
        workflow = found(self._library, reference, scope.prefix)
        if workflow.effect is not Effect.MUTATION or scope.prefix.count("/") >= MAX_DEPTH:
            return
        if step.for_each is not None:
            items = as_list(step.for_each.items.render(names))
            for proposal in repeated(self._library, workflow, f"{path}[*]/", items):
                self._note(proposal)
        elif _known(step.input.references(), names):
            given = checked(workflow, step.input.render(names))
            self.look(Scope(workflow, path + "/", given, scope.loop))
        else:
            self._later(scope, step, "with what earlier steps return")

    def _note(self, proposal: Proposal) -> None:
        if not grant_for(self._run, proposal.path):
            self.proposals[proposal.path] = proposal

    def _later(self, scope: Scope, step: Step, why: str, target: Target | None = None) -> None:
        """Tell of a step that may change something, and will ask when it comes to that."""
        targets = [target] if target is not None else [*targets_of(step)]
        if any(self._changes(one) for one in targets):
            self.later.append(f"{scope.prefix}{step.id}: {why}")

    def _changes(self, target: Target) -> bool:
        if isinstance(target, Task):
            return target.effect is Effect.MUTATION
        workflow: Workflow | None = self._library.default(target.namespace, target.name)
        return workflow is None or workflow.effect is Effect.MUTATION


def _target(step: Step, names: Mapping[str, Any]) -> Any:
    """What a step carries out: None for nothing, `_UNKNOWN` while that is open."""
    if step.switch is None:
        return step.target
    if not _known(step.switch.value.references(), names):
        return _UNKNOWN
    value = as_text(step.switch.value.render(names))
    fits = (case.target for case in step.switch.cases if case.match in (None, value))
    return next(fits, None)


def _inputs(scope: Scope, step: Step, task: Task, names: Mapping[str, Any]) -> Iterator[Any]:
    """The input of a mutation, or of each of its items; `_UNKNOWN` where that is open."""
    for one in _all_names(scope, step, names):
        if _known(step.input.references(), one):
            yield coerce_json(step.input.render(one), task.input_schema)
        else:
            yield _UNKNOWN


def _all_names(scope: Scope, step: Step, names: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    each = step.for_each
    if each is None:
        yield names
        return
    for index, item in enumerate(as_list(each.items.render(names))):
        yield {**names, "forEach": loop_names(scope, step, index, item)}


def loop_names(scope: Scope, step: Step, index: int, item: Any) -> dict[str, Any]:
    """What templates see of the item that they are carried out for."""
    each = step.for_each
    assert each is not None
    inner = {"item": item, "index": index, each.item_var: item, each.index_var: index}
    if scope.loop is not None:
        inner["$parent"] = scope.loop
        inner["$root"] = scope.loop.get("$root", scope.loop)
    return inner


def _work_out(step: Step, task: Task, names: dict[str, Any]) -> None:
    if task.transform is None or task.transform.needs_seed:
        return
    if _known(step.input.references(), names):
        given = coerce_json(step.input.render(names), task.input_schema)
        output = {"result": task.transform.apply(given, 0)}
        names["tasks"][step.id] = {"output": output, "status": "done"}


def _known(references: Collection[Any], names: Mapping[str, Any]) -> bool:
    """Whether everything that these refer to is at hand."""
    return all(
        ref[0] in names and (ref[0] != "tasks" or (len(ref) > 1 and ref[1] in names["tasks"]))
        for ref in references
    )

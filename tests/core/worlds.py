"""Small worlds for tests of the core: documents as values, and a shell without a shell."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.core import events as ev
from engine.core.definition import RawDocument, parse_documents
from engine.core.errors import Failure, StepError
from engine.core.model import Effect, Workflow
from engine.core.plan import Planner
from engine.core.run import Fail, Run, Succeed, decide, evolve, fold

FUNCTIONS = {
    "look": Effect.READ,
    "add": Effect.PURE,
    "send": Effect.MUTATION,
}


def task(name: str, **spec: Any) -> dict[str, Any]:
    """A WorkflowTask document."""
    return {"apiVersion": "t/v1", "kind": "WorkflowTask", "metadata": {"name": name}, "spec": spec}


def look(name: str, **spec: Any) -> dict[str, Any]:
    """A task that calls the registered function `look`, which only reads."""
    return task(name, type="python", python={"function": "look"}, **spec)


def flow(name: str, tasks: Sequence[Mapping[str, Any]], **spec: Any) -> dict[str, Any]:
    """A Workflow document."""
    spec = {"description": "For a test.", "tasks": list(tasks), **spec}
    return {"apiVersion": "t/v1", "kind": "Workflow", "metadata": {"name": name}, "spec": spec}


def compile_all(*documents: Mapping[str, Any]) -> dict[str, Workflow]:
    """The workflows of some documents, by name; a document with an error fails the test."""
    raw = [RawDocument("test.yaml", n, dict(d), {}) for n, d in enumerate(documents)]
    catalogue = parse_documents(raw, FUNCTIONS)
    assert not catalogue.errors, catalogue.errors
    return {name: workflow for (_, name), workflow in catalogue.workflows.items()}


class Shelf:
    """A library over a few workflows, all accepted unless said otherwise."""

    def __init__(self, workflows: Mapping[str, Workflow], pending: frozenset[str] = frozenset()):
        self._workflows, self._pending = workflows, pending

    def default(self, namespace: str, name: str) -> Workflow | None:
        return self._workflows.get(name)

    def version(self, namespace: str, name: str, version: str) -> Workflow | None:
        return self._workflows.get(name)

    def pinned(self, digest: str) -> Workflow:
        return next(w for w in self._workflows.values() if w.digest == digest)

    def accepted(self, workflow: Workflow) -> bool:
        return workflow.name not in self._pending


Answer = Callable[[str, Any], Any]
"""From a step's path and input to its output; raises StepError to fail."""


class World:
    """One run, driven without a database: calls are answered at once, time jumps to what is due."""

    def __init__(
        self, workflows: Mapping[str, Workflow], name: str, given: Any, deadline: int | None = None
    ) -> None:
        workflow = workflows[name]
        started = ev.RunStarted(
            "u", "default", name, "1.0.0", workflow.digest, "workflow", given, True,
            deadline=deadline,
        )  # fmt: skip
        self.events: list[Any] = [started]
        self.run = evolve(Run(), started)
        self.library = Shelf(workflows)
        self.workflow = workflow
        self.planner = Planner(self.run, workflow, self.library)
        self.now = 1_000
        self.calls: list[str] = []

    def go(self, answer: Answer, rounds: int = 10_000) -> "World":
        """Work until the run rests for good."""
        for _ in range(rounds):
            decision = self.planner.advance(self.now)
            self.events += decision.events
            if decision.idle:
                if decision.wake_at is None or self.run.over:
                    return self
                self.now = max(self.now, decision.wake_at)
            for call in decision.calls:
                self._answer(answer, call)
        raise AssertionError("the run does not come to rest")

    def _answer(self, answer: Answer, call: Any) -> None:
        self.calls.append(call.path)
        target = f"default/{call.task.name}"
        try:
            report: Any = Succeed(call.path, answer(call.path, call.input), target, self.now)
        except StepError as error:
            report = Fail(
                call.path, error.failure, call.retry, target, self.now, self.now, chance=0.5
            )
        for event in decide(self.run, report):
            self.events.append(event)
            evolve(self.run, event)

    def refolded(self) -> Run:
        """The state that the history alone gives."""
        return fold(self.events)


def fails(failure: Failure) -> Answer:
    """An answer that is always this failure."""

    def answer(path: str, given: Any) -> Any:
        raise StepError(failure)

    return answer

"""What a walk asks of the outside: calls, and of mutations first whether they may be made.

A mutation that nothing allows yet becomes a proposal; one that was sent and not answered is
looked into, and never begun anew (`reconcile.py`). A forEach over a mutation proposes all of its
items together, however few run at a time, so that a person sees them once: one by one, as one
operation where they are many, or, where a sub-workflow changes something for each item, as a
template with the number of items. It refuses to know which steps come when.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.core import events as ev
from engine.core.asks import MAX_STEPS, MOST_EXACT, Call, Decision, Library, LookUp, Proposal
from engine.core.errors import StepError
from engine.core.grants import grant_for, templates_of
from engine.core.model import Effect, Step, Task, Workflow, WorkflowRef
from engine.core.reading import wrong
from engine.core.reconcile import Again, Look, following
from engine.core.run import evolve
from engine.core.schema import coerce_json
from engine.core.scopes import found
from engine.core.state import UNRESOLVED, Run

Named = Callable[[int], Mapping[str, Any]]
"""What the templates of an item see, by its index."""


class Outside:
    """The side of a walker that looks outwards. It owns `run` and folds what it decides into it."""

    def __init__(self, run: Run, library: Library) -> None:
        self.run = run
        self.library = library
        self.now = 0
        self.busy: Collection[str] = ()
        self.out = Decision()
        self._under: dict[str, Proposal] = {}
        self._inner: dict[str, tuple[Proposal, ...]] = {}

    @property
    def closing(self) -> bool:
        """Whether the run is over, and only what it sent is still looked into."""
        return self.run.over

    def emit(self, event: Any) -> None:
        """Fold an event into the run and have it recorded."""
        if len(self.run.steps) > MAX_STEPS:
            raise wrong("too_many_steps", f"the run has more than {MAX_STEPS:,} steps")
        self.out.events.append(event)
        evolve(self.run, event)

    def wait(self, until: int) -> bool:
        """Nothing is to be done here before `until`."""
        wake_at = self.out.wake_at
        self.out.wake_at = until if wake_at is None else min(wake_at, until)
        return False

    def seed(self, path: str) -> int:
        """Chance that is the same whenever this run comes by here."""
        digest = hashlib.sha256(f"{self.run.uid}/{path}".encode()).digest()
        return int.from_bytes(digest[:8])

    def over(self, path: str) -> bool:
        """Whether nothing under `path` concerns a run that has ended."""
        return self.closing and not self.held_up(path)

    def held_up(self, path: str) -> bool:
        """Whether the outcome of something that was sent at or under `path` is open."""
        under = (path + "/", path + "[", path + "~")
        return any(one == path or one.startswith(under) for one in self.run.unresolved)

    # -- one mutation --------------------------------------------------------------------------

    def mutate(self, call: Call) -> bool:
        """Have a mutation called, proposed, or looked into; it is never settled by that."""
        path, state = call.path, self.run.steps.get(call.path)
        if state is not None and state.status in UNRESOLVED:
            self._look_into(call)
            return False
        of = grant_for(self.run, path)
        if of:
            self.out.calls.append(_allowed(call, of, self._under.get(of)))
        elif not any(template in self.out.proposals for template in templates_of(path)):
            self.propose(Proposal(path, call.task, call.input, call.definition))
        return False

    def propose(self, proposal: Proposal) -> None:
        """Have a grant asked for."""
        self.out.proposals[proposal.path] = proposal

    def _look_into(self, call: Call) -> None:
        path, sending = call.path, self.run.sends[call.path]
        if self.run.steps[path].status == "in_flight":
            # Nobody here has it under way: whoever had is gone, and what became of it is open.
            self.emit(ev.StepUnknown(path, sending.send, "crash", self.now))
        chance = self.seed(f"{path}#{sending.send}#{sending.looks}") / 2**64
        then = following(call.task.declared, sending, self.now, chance)
        if isinstance(then, Look) and then.at <= self.now:
            key, send = sending.key, sending.send
            self.out.looks.append(LookUp(path, call.task, call.input, send, key, call.retry))
        elif isinstance(then, Again) and not self.closing:
            if then.at > self.now:
                self.wait(then.at)
            else:
                self.out.calls.append(replace(call, again=True))
        elif isinstance(then, Look):
            self.wait(then.at)
        elif self.run.steps[path].status != "indeterminate":
            reason = "run_over" if isinstance(then, Again) else then.reason
            failure = self.run.steps[path].failure
            if failure is not None and failure.details.get("applied") == "yes":
                reason = "result_unknown"  # it happened: a person only has to say with what result
            self.emit(ev.StepIndeterminate(path, reason, self.now))

    # -- loops over mutations ------------------------------------------------------------------

    def propose_items(
        self, step: Step, task: Task, path: str, items: list[Any], named: Named, definition: str
    ) -> None:
        """Propose every item of a forEach over a mutation that is not settled nor allowed."""
        if len(items) > MOST_EXACT:
            self._propose_many(step, task, path, items, named, definition)
            return
        waiting = [i for i in range(len(items)) if self.wants(f"{path}[{i}]")]
        for index in waiting:
            given = rendered(step, task, named(index))
            if given is not _BROKEN:
                self.propose(Proposal(f"{path}[{index}]", task, given, definition))

    def wants(self, path: str) -> bool:
        """Whether a step has yet to be begun and nothing allows that."""
        state = self.run.steps.get(path)
        open_ = state is None or state.status == "waiting"
        return open_ and path not in self.busy and not grant_for(self.run, path)

    def _propose_many(
        self, step: Step, task: Task, path: str, items: list[Any], named: Named, definition: str
    ) -> None:
        template = f"{path}[*]"
        if template not in self._under:
            given = [rendered(step, task, named(index)) for index in range(len(items))]
            inputs = [None if one is _BROKEN else one for one in given]
            many = Proposal(template, task, None, definition, inputs, exact=True)
            self._under[template] = many
        if template not in self.run.grants:
            self.propose(self._under[template])

    def propose_inner(self, ref: WorkflowRef, path: str, items: list[Any], prefix: str) -> None:
        """Propose what a sub-workflow changes for each item, before the first one begins."""
        inner = self._inner.get(path)
        if inner is None:
            inner = self._inner[path] = tuple(self._within(ref, path, items, prefix))
            self._under |= {proposal.path: proposal for proposal in inner}
        for proposal in inner:
            if proposal.path not in self.run.grants:
                self.propose(proposal)

    def _within(
        self, ref: WorkflowRef, path: str, items: list[Any], prefix: str
    ) -> Iterator[Proposal]:
        opened = self.run.scopes.get(f"{path}[0]")
        if opened is None:
            yield from _deeper(self.library, ref, f"{path}[*]/", items, prefix)
            return
        workflow = self.library.pinned(opened.digest)
        if workflow.effect is Effect.MUTATION:
            yield from repeated(self.library, workflow, f"{path}[*]/", items)


def _allowed(call: Call, of: str, under: Proposal | None) -> Call:
    """`replace`, which takes five times as long, for what is made once for every mutation."""
    return Call(
        call.path, call.task, call.input, call.attempt, call.timeout, call.retry, call.breaker,
        call.definition, of, under,
    )  # fmt: skip


class _Broken:
    """An input that cannot be made: its step will say so when its turn comes."""


_BROKEN = _Broken()


def rendered(step: Step, task: Task, names: Mapping[str, Any]) -> Any:
    """The input of a task, or something that is nothing's."""
    try:
        return coerce_json(step.input.render(names), task.input_schema)
    except StepError:
        return _BROKEN


def repeated(
    library: Library, workflow: Workflow, prefix: str, items: list[Any]
) -> Iterator[Proposal]:
    """A template for each mutation of a sub-workflow that happens once an item.

    What happens an unknown number of times, or is one of several, is asked for when it is known.
    """
    for step in workflow.steps:
        target = step.target
        if step.for_each is not None or step.switch is not None or target is None:
            continue
        reference = target if isinstance(target, WorkflowRef) else target.workflow
        if reference is not None:
            yield from _deeper(library, reference, f"{prefix}{step.id}/", items, prefix)
        elif isinstance(target, Task) and target.effect is Effect.MUTATION:
            source, path = step.input.source, f"{prefix}{step.id}"
            yield Proposal(path, target, source, workflow.digest, items)


def _deeper(
    library: Library, reference: WorkflowRef, prefix: str, items: list[Any], place: str
) -> Iterator[Proposal]:
    try:
        workflow = found(library, reference, place)
    except StepError:
        return  # it will fail where it is begun
    if workflow.effect is Effect.MUTATION:
        yield from repeated(library, workflow, prefix, items)

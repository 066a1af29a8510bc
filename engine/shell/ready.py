"""Making mutations ready: the very request that will be sent, and the operation it amounts to.

What is made ready is what is asked for, what is compared with what was allowed, and what is sent:
it is worked out once, unless something that it relies on outside has to be read again right before
the send (TRUST 1.5). It refuses to know who allows anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from engine.core.approval.operations import bulk, operation, repeated
from engine.core.approval.plan import MOST_OPERATIONS, Operation, operation_digest
from engine.core.approval.tree import written
from engine.core.asks import Call, Proposal
from engine.core.errors import Failure, Kind, Refused, StepError
from engine.core.model import Task
from engine.core.request import Request
from engine.core.value import value
from engine.shell.acts import Acts


@value
class Ready:
    """A mutation as it will be sent. `given` is its input, `digest` that of its operation."""

    given: Any
    request: Request | None
    operation: Operation
    digest: str


@value
class _Template:
    """One operation for many steps, as it was worked out for a proposal."""

    proposal: Proposal
    operation: Operation
    digest: str


@dataclass(slots=True)
class Readying:
    """What one run has made ready and not sent yet, by path; and the digests of its templates."""

    acts: Acts
    _ready: dict[str, Ready] = field(default_factory=dict)
    _templates: dict[str, _Template] = field(default_factory=dict)

    async def plan(
        self, now: Iterable[Proposal], ahead: Iterable[Proposal], later: Iterable[str]
    ) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
        """The operations to ask for, what comes first first, and what will be asked for later.

        Raises Unready for a proposal that has to be made now and cannot be.
        """
        ops: list[Operation] = []
        more = list(later)
        for proposal in now:
            ops.append(await self._asked(proposal))
        for proposal in ahead:
            try:
                ops.append(await self._asked(proposal))
            except Unready:
                more.append(f"{proposal.path}: it cannot be prepared yet")
        more += [f"{op.id}: {op.verb} {op.target}" for op in ops[MOST_OPERATIONS:]]
        return tuple(ops[:MOST_OPERATIONS]), tuple(more)

    async def call(self, call: Call) -> tuple[Ready, str]:
        """A call made ready, and the digest that what allows it has to have. Raises Unready."""
        ready, precondition = self._ready.pop(call.path, None), call.task.declared.precondition
        if ready is None or precondition is not None or ready.given != call.input:
            ready = await self._one(call.path, call.task, call.input, call.definition)
        if call.of == call.path or call.again:
            return ready, ready.digest
        return ready, await self._template(call)

    async def _template(self, call: Call) -> str:
        """The digest of the template that covers a call; nothing that fits if none does."""
        under = call.under
        if under is None or under.definition != call.definition or under.path != call.of:
            return ""
        if under.exact and under.items is not None:
            index = int(call.path[call.path.rindex("[") + 1 : -1])
            if under.items[index] != call.input:
                return ""
        await self._asked(under)
        return self._templates[under.path].digest

    async def _asked(self, proposal: Proposal) -> Operation:
        path = proposal.path
        if proposal.items is None:
            ready = await self._one(path, proposal.task, proposal.input, proposal.definition)
            self._ready[path] = ready
            return ready.operation
        known = self._templates.get(path)
        if known is None or known.proposal is not proposal:
            made = await self._many(proposal, proposal.items)
            known = self._templates[path] = _Template(proposal, made, _digest(path, made))
        return known.operation

    async def _many(self, proposal: Proposal, items: list[Any]) -> Operation:
        path, task, definition = proposal.path, proposal.task, proposal.definition
        if not proposal.exact:
            try:
                return repeated(path, task, proposal.input, items, definition)
            except Refused as refused:
                raise Unready(path.partition("[*]")[0], _unfit(refused)) from None
        loop = path.removesuffix("[*]")  # what is wrong with one of them is wrong with the loop
        each = [(await self._one(loop, task, one, definition)).digest for one in items]
        return bulk(path, task, each, items, definition)

    async def _one(self, path: str, task: Task, given: Any, definition: str) -> Ready:
        try:
            request = self.acts.request(task, given)
            before = await self._precondition(task, given)
            made = operation(path, task, given, request, definition, before)
            return Ready(given, request, made, operation_digest(made))
        except StepError as error:
            raise Unready(path, error.failure) from None
        except Refused as refused:
            raise Unready(path, _unfit(refused)) from None

    async def _precondition(self, task: Task, given: Any) -> str:
        if task.declared.precondition is None:
            return ""
        return sha256(written(await self.acts.relied_on(task, given))).hexdigest()


def _digest(path: str, made: Operation) -> str:
    try:
        return operation_digest(made)
    except Refused as refused:
        raise Unready(path.partition("[*]")[0], _unfit(refused)) from None


def _unfit(refused: Refused) -> Failure:
    return Failure(Kind.VALIDATION, refused.code, refused.message, refused.hint)


class Unready(Exception):
    """A mutation cannot be made ready: nothing was sent, and its step fails."""

    def __init__(self, path: str, failure: Failure) -> None:
        super().__init__(failure.message)
        self.path = path
        self.failure = failure

"""Driving one run: plan, ask, record, call, report, and again until it rests.

The drive holds the run in memory and is its only writer while it holds the lease. A result
counts once it is durable: events are appended before anything that depends on them is begun,
and consecutive pure results share one append. A mutation leaves the process after its intent is
durable, and only as the keeper has granted it; what is not granted is asked for when nothing else
is left to be done. If somebody else wrote to the stream (a cancel, a vote, or a worker that took
the run over), the append is stale and the drive lets go; what became of mutations is told all the
same (`late.py`).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.core.asks import Call, Decision, LookUp
from engine.core.due import done_with, due
from engine.core.errors import StepError
from engine.core.log import Write
from engine.core.model import Effect
from engine.core.plan import Planner
from engine.core.reconcile import proven
from engine.core.run import Fail, Found, Succeed, decide, evolve
from engine.shell.acts import Acts
from engine.shell.clock import Clock
from engine.shell.held import Held, recorded
from engine.shell.keeping import Keeper
from engine.shell.late import Late
from engine.shell.mutating import Mutating, Sent
from engine.shell.ready import Readying
from engine.shell.recording import Birth, Recording
from engine.shell.within import Several
from engine.store import Store

__all__ = ["Birth", "Drive", "Held", "recorded"]

Report = Succeed | Fail | Found


@dataclass(slots=True)
class Drive:
    """One run in this process's hands.

    Once it is `leaving`, nothing new is begun: the run is handed back when what is under way has
    returned, and then it has `left`.
    """

    held: Held
    planner: Planner
    acts: Acts
    clock: Clock
    pen: Recording
    late: Late
    mutating: Mutating
    leaving: bool = False
    left: bool = False
    _several: Several = field(default_factory=Several)
    _tasks: dict[str, asyncio.Task[Report]] = field(default_factory=dict)
    _calls: dict[str, Call | LookUp] = field(default_factory=dict)
    _sent: dict[str, Sent] = field(default_factory=dict)

    @property
    def birth(self) -> Birth | None:
        """How the run comes into the journal, until it is there."""
        return self.pen.birth

    @birth.setter
    def birth(self, birth: Birth | None) -> None:
        self.pen.birth = birth

    @property
    def busy(self) -> frozenset[str]:
        """The paths of the calls that are under way."""
        return frozenset(self._tasks)

    @property
    def leased(self) -> set[int]:
        """The stream of the run, once it has one."""
        return {self.held.stream} - {0}

    async def go(self) -> int | None:
        """Work until the run rests; returns when to look again, None when that is never.

        Raises Stale when the run is no longer ours and StoreError when the database fails.
        """
        try:
            while True:
                decision = await self._decided()
                if decision is None:
                    continue
                if decision.idle:
                    return await self._rest(decision)
                if self.leaving and not self._tasks:
                    return await self._hand_back()
                await self._go_on(decision)
        finally:
            if self._tasks:
                await self._abandon()

    async def _decided(self) -> Decision | None:
        """What to do now; None when something was granted meanwhile, and it has to be seen anew."""
        decision = self.planner.advance(self.clock.now(), self._tasks)
        self.pen.note(decision.events)
        if decision.idle or not self._only_asks(decision):
            return decision
        rest = await self.mutating.ask(decision)
        if rest is not None:
            self.pen.note(rest.events)
        return rest

    async def _go_on(self, decision: Decision) -> None:
        if self.leaving:
            decision.calls.clear()
            decision.looks.clear()
        calls = await self._begun(decision.calls)
        if self.pen.durable:
            await self.pen.flush()
        await self._work(calls, decision.looks)

    def _only_asks(self, decision: Decision) -> bool:
        if not decision.proposals or self.leaving:
            return False
        return not (decision.calls or decision.looks or self._tasks)

    # -- the outside ----------------------------------------------------------------------

    async def _begun(self, calls: list[Call]) -> list[Call]:
        """The calls to be made now: of mutations those whose intent is noted."""
        begun = []
        for call in calls:
            if call.task.effect is Effect.MUTATION:
                sent = await self.mutating.begin(call)
                if sent is None:
                    continue
                self._sent[call.path] = sent
            begun.append(call)
        return begun

    async def _work(self, calls: list[Call], looks: list[LookUp]) -> None:
        if len(calls) == 1 and not (looks or self._tasks) and calls[0].path not in self._sent:
            self._note(await self._call(calls[0]), calls[0])
            return
        for call in calls:
            self._tasks[call.path] = self._several.begin(self._call, call)
        for look in looks:
            self._tasks[look.path] = self._several.begin(self._look, look)
        if not self._tasks:
            return  # what was to be called is not to be called any more
        self._calls |= {call.path: call for call in calls}
        self._calls |= {look.path: look for look in looks}
        await self._several.first(self._tasks.values(), self._patience())
        for path in [path for path, task in self._tasks.items() if task.done()]:
            self._note(self._tasks.pop(path).result(), self._calls.pop(path))

    def _patience(self) -> float | None:
        deadline = self.held.run.deadline
        return None if deadline is None else max(0, deadline - self.clock.now()) / 1e6 + 0.001

    async def _call(self, call: Call) -> Succeed | Fail:
        started, target = self.clock.now(), _target(call)
        sent = self._sent.get(call.path)
        request, key, send = (sent.request, sent.key, sent.send) if sent else (None, "", 0)
        try:
            output = await self.acts.carry_out(call, self._seconds(call, started), request, key)
        except StepError as error:
            now, chance = self.clock.now(), self.clock.chance()
            path, failure = call.path, error.failure
            return Fail(path, failure, call.retry, target, started, now, chance, send)
        return Succeed(call.path, output, target, started, send=send)

    async def _look(self, look: LookUp) -> Found:
        verdict, output, failure = await self.acts.find_out(look)
        lookup, now = look.task.declared.lookup, self.clock.now()
        sure = lookup is not None and proven(lookup, self.held.run.sends[look.path], now)
        target, send = _target(look), look.send
        return Found(
            look.path, send, verdict, output, target, look.retry, now, sure, failure
        )  # fmt: skip

    def _seconds(self, call: Call, now: int) -> float:
        deadline = self.held.run.deadline
        bound = call.timeout if deadline is None else min(call.timeout, max(1, deadline - now))
        return bound / 1_000_000

    def _note(self, report: Report, call: Call | LookUp) -> None:
        sent = self._sent.pop(report.path, None)
        if sent is not None and not isinstance(report, Found):
            self.pen.outcomes.append((report, sent.epoch))
        events = decide(self.held.run, report)
        for event in events:
            evolve(self.held.run, event)
        # A pure result may be lost and made again, so it need not be durable by itself.
        self.pen.note(events, durable=call.task.effect is not Effect.PURE)

    # -- the journal -------------------------------------------------------------------------

    async def _rest(self, decision: Decision) -> int | None:
        run, wake_at = self.held.run, decision.wake_at
        if run.over and decision.events:
            await self.mutating.finish_all()
        if run.over and wake_at is None and self._open():
            wake_at = self.clock.now()  # what it has sent is looked into all the same
        if wake_at is None:
            await self.pen.flush(done_with(self.held.stream))
        else:
            await self.pen.flush(self._due(wake_at))
        return wake_at

    def _open(self) -> bool:
        steps = self.held.run.steps
        return any(steps[path].status != "indeterminate" for path in self.held.run.unresolved)

    async def _hand_back(self) -> int:
        now = self.clock.now()
        await self.pen.flush(self._due(now))
        self.left = True
        return now

    def _due(self, at: int) -> Write:
        held = self.held
        return due(held.stream, held.tenant, held.lane, at)

    async def _abandon(self) -> None:
        """Let go of what is under way; what changes something goes on, and is told of later."""
        for path, task in list(self._tasks.items()):
            sent = self._sent.get(path)
            if sent is not None:
                del self._tasks[path]
                self.late.wait_for(self.held, task, sent.epoch)
            else:
                task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()


def _target(call: Call | LookUp) -> str:
    return f"{call.task.namespace}/{call.task.name}"


def driving(
    held: Held,
    planner: Planner,
    acts: Acts,
    store: Store,
    clock: Clock,
    actor: str,
    changed: Callable[[str], None],
    keeper: Keeper,
    late: Late,
) -> Drive:
    """A drive with all that belongs to it."""
    pen = Recording(held, store, clock, actor, changed)
    mutating = Mutating(held, planner, keeper, clock, pen, Readying(acts))
    return Drive(held, planner, acts, clock, pen, late, mutating)

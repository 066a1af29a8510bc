"""Driving one run: plan, record, call, report, and again until it rests.

The drive holds the run in memory and is its only writer while it holds the lease. A result
counts once it is durable: events are appended before anything that depends on them is begun,
and consecutive pure results share one append. If somebody else wrote to the stream (a cancel,
or a worker that took the run over), the append is stale and the drive lets go.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.core.asks import Call, Decision
from engine.core.errors import Failure, Kind, Refused, StepError
from engine.core.log import SAME, Append, Entry, Param, Recorded, Write
from engine.core.model import Effect
from engine.core.plan import Planner
from engine.core.run import Begin, Fail, Report, Run, Succeed, decide, evolve
from engine.core.status import TERMINAL
from engine.core.views import RunView
from engine.shell.acts import Acts
from engine.shell.clock import Clock
from engine.store import Store


@dataclass(slots=True)
class Held:
    """A run that this process works on, and its history, which ends where its stream does.

    `lane` is where it queues when it is due again. `shown` is how a reader sees it, once that can
    change no more.
    """

    stream: int
    run: Run
    tenant: str
    recorded: list[Recorded]
    lane: int = 0
    shown: RunView | None = None

    @property
    def version(self) -> int:
        """The version that the stream is at, as far as this process knows."""
        return self.recorded[-1].version


@dataclass(slots=True)
class Birth:
    """How a run comes into the journal that is worked on already; `done` when it is there.

    `entry` is what was done by then and goes in with its beginning; once that is `sent`, nothing
    is added any more. `whole` says that the run comes to its end in it.
    """

    done: asyncio.Future[None]
    entry: Entry | None = None
    sent: bool = False
    whole: bool = False


@dataclass(slots=True)
class Drive:
    """One run in this process's hands.

    Once it is `leaving`, nothing new is begun: the run is handed back when what is under way has
    returned, and then it has `left`.
    """

    held: Held
    planner: Planner
    acts: Acts
    store: Store
    clock: Clock
    actor: str
    changed: Callable[[str], None]
    leaving: bool = False
    left: bool = False
    birth: Birth | None = None
    _events: list[Any] = field(default_factory=list)
    _durable: bool = False
    _tasks: dict[str, asyncio.Task[Report]] = field(default_factory=dict)
    _calls: dict[str, Call] = field(default_factory=dict)

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
                decision = self.planner.advance(self.clock.now(), self._tasks)
                self._events += decision.events
                if decision.idle:
                    return await self._rest(decision)
                if self._durable:
                    await self._flush()
                if self.leaving:
                    decision.calls.clear()
                    if not self._tasks:
                        return await self._hand_back()
                await self._work(decision.calls)
        finally:
            if self._tasks:
                await self._abandon()

    # -- the outside ----------------------------------------------------------------------

    async def _work(self, calls: list[Call]) -> None:
        if self.birth is not None and any(c.task.effect is Effect.MUTATION for c in calls):
            await self._born()  # nothing changes the world before it is known why
        if len(calls) == 1 and not self._tasks:
            self._note(await self._call(calls[0]), calls[0])
            return
        for call in calls:
            self._tasks[call.path] = asyncio.create_task(self._call(call))
        self._calls |= {call.path: call for call in calls}
        await asyncio.wait(
            self._tasks.values(), timeout=self._patience(), return_when=asyncio.FIRST_COMPLETED
        )
        for path in [path for path, task in self._tasks.items() if task.done()]:
            self._note(self._tasks.pop(path).result(), self._calls.pop(path))

    def _patience(self) -> float | None:
        deadline = self.held.run.deadline
        return None if deadline is None else max(0, deadline - self.clock.now()) / 1e6 + 0.001

    async def _call(self, call: Call) -> Report:
        started, target = self.clock.now(), f"{call.task.namespace}/{call.task.name}"
        try:
            if call.task.effect is Effect.MUTATION:
                decide(self.held.run, Begin(call.path, call.task.effect))
            output = await self.acts.carry_out(call, self._seconds(call, started))
        except StepError as error:
            failure = error.failure
        except Refused as refusal:
            failure = _ungranted(refusal)
        else:
            return Succeed(call.path, output, target, started)
        now, chance = self.clock.now(), self.clock.chance()
        return Fail(call.path, failure, call.retry, target, started, now, chance)

    def _seconds(self, call: Call, now: int) -> float:
        deadline = self.held.run.deadline
        bound = call.timeout if deadline is None else min(call.timeout, max(1, deadline - now))
        return bound / 1_000_000

    def _note(self, report: Report, call: Call) -> None:
        for event in decide(self.held.run, report):
            self._events.append(event)
            evolve(self.held.run, event)
        # A pure result may be lost and made again, so it need not be durable by itself.
        self._durable = self._durable or call.task.effect is not Effect.PURE

    # -- the journal -------------------------------------------------------------------------

    async def _rest(self, decision: Decision) -> int | None:
        held, wake_at = self.held, decision.wake_at
        if held.run.status in TERMINAL or wake_at is None:
            also = Write("due_drop", {"stream": held.stream})
        else:
            also = self._due(wake_at)
        await self._flush(also)
        return wake_at

    async def _hand_back(self) -> int:
        now = self.clock.now()
        await self._flush(self._due(now))
        self.left = True
        return now

    def _due(self, at: int) -> Write:
        held = self.held
        place: dict[str, Param] = {"stream": held.stream, "tenant": held.tenant, "lane": held.lane}
        return Write("due_put", {**place, "at": at, "owner": 0})

    async def _born(self) -> None:
        """Return when the run is in the journal."""
        assert self.birth is not None
        await self.birth.done
        self.birth = None

    async def _went_along(self, birth: Birth, also: tuple[Write, ...]) -> bool:
        """Whether what waits to be recorded was recorded with the beginning of the run."""
        held, along = self.held, not birth.sent
        if along:
            events, now = tuple(self._events), self.clock.now()
            birth.whole = held.run.over
            kept = () if birth.whole else also  # what has ended by then never gets a lease
            birth.entry = Entry(SAME, held.version, events, kept, self.actor, now)
            self._events.clear()
            self._durable = False
            if birth.whole:
                return True  # nothing is left to be done here when it is durable
        await self._born()
        if along:
            self.changed(held.run.uid)
        return along

    async def _flush(self, *also: Write) -> None:
        if self.birth is not None and await self._went_along(self.birth, also):
            return
        held = self.held
        entry = Entry(held.stream, held.version, tuple(self._events), also)
        now = self.clock.now()
        await self.store.append_soon(Append((entry,), now, self.actor, held.tenant))
        held.recorded += recorded(entry, held.tenant, held.stream, now, self.actor)
        self._events.clear()
        self._durable = False
        self.changed(held.run.uid)

    async def _abandon(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()


def recorded(entry: Entry, tenant: str, stream: int, at: int, actor: str) -> Iterable[Recorded]:
    """The events of an entry as the journal has them now, but for their positions."""
    for number, event in enumerate(entry.events, entry.expected + 1):
        yield Recorded(0, tenant, stream, number, at, actor, event)


def _ungranted(refusal: Refused) -> Failure:
    return Failure(Kind.PERMISSION, refusal.code, refusal.message, refusal.hint)

"""One seed: some processes on one database, people who start runs, and what goes wrong.

First there is trouble for a while, then everything is put right, and then every run has to end
within bounded time. What was done and seen is a trace, whose digest is the same for the same
seed.
"""

import asyncio
import contextlib
import gc
import hashlib
import logging
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from engine.core.errors import Refused
from tests.sim.database import Database
from tests.sim.facts import Facts
from tests.sim.faults import Faults
from tests.sim.flows import FLOWS, on_the_shelf
from tests.sim.loop import Spinning, VirtualLoop
from tests.sim.machine import Machine
from tests.sim.shop import Shop

TROUBLED = 60.0
"""Seconds during which things go wrong."""

PATIENCE = 900.0
"""Seconds after which every run has ended, once nothing goes wrong any more."""

IDLE = 60.0


@dataclass(slots=True)
class Outcome:
    """What became of a seed. `wrong` is empty when every law was kept."""

    seed: int
    wrong: list[str]
    digest: str
    faults: Counter[str]
    runs: int
    events: int
    seconds: float
    trace: list[str]


class Lawless(logging.Handler):
    """An error in the log of the engine is a bug, but for what the simulation itself brings in."""

    def __init__(self, wrong: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._wrong = wrong

    def emit(self, record: logging.LogRecord) -> None:
        """Take an error for what it is."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Refused) or "raised" in str(record.msg):
            return
        self._wrong(f"logged: {record.getMessage()} {error!r}")


@dataclass(slots=True)
class Wishes:
    """What callers were told."""

    acked: dict[str, int] = field(default_factory=dict)
    keyed: dict[str, set[str]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    asked_to_cancel: set[str] = field(default_factory=set)
    retried: dict[str, str] = field(default_factory=dict)


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, *, keep: bool = False) -> None:
        self.seed = seed
        self.chance = random.Random(f"world {seed}")
        self.loop = VirtualLoop(random.Random(f"loop {seed}"))
        self.wrong: list[str] = []
        self.facts = Facts(self.loop.time, self.accuse)
        self.shop = Shop(seed, self.facts, self.accuse)
        self.database = Database(self.facts, self.loop.world.context)
        self.facts.lives = self.database.lives
        self.facts.hosts = self.database.hosts
        self.machines: list[Machine] = []
        self.wishes = Wishes()
        self.met: Counter[str] = Counter()
        self.edition = 1
        self.mood: dict[str, Any] = {}
        self.numbers = 0
        self.over = False
        self._hash = hashlib.sha256()
        self._kept: list[str] | None = [] if keep else None
        self.facts.trace = self.shop.trace = self.trace

    # -- what is told --------------------------------------------------------------------------

    def trace(self, *what: Any) -> None:
        """Note what happened, and when."""
        line = f"{self.loop.time():.6f} {what}"
        self._hash.update(line.encode())
        if self._kept is not None:
            self._kept.append(line)

    def accuse(self, what: str) -> None:
        """A law was broken."""
        if self.over:
            return  # what is closed by force complains
        self.trace("WRONG", what)
        self.wrong.append(f"at {self.loop.time():.3f} s: {what}")

    def met_with(self, kind: str, *more: Any) -> None:
        """Count a fault."""
        self.met[kind] += 1
        self.trace(kind, *more)

    # -- the whole of it -----------------------------------------------------------------------

    def play(self, story: Callable[["World"], Coroutine[Any, Any, None]]) -> Outcome:
        """Let it happen."""
        handler, logger = Lawless(self.accuse), logging.getLogger("handrail")
        level, spread = logger.level, logger.propagate
        logger.addHandler(handler)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        gc.disable()
        try:
            with on_the_shelf():
                self._play(story)
        finally:
            gc.enable()
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = spread
        faults = self.met + sum((m.faults.met for m in self.machines), Counter[str]())
        return Outcome(
            self.seed, self.wrong + self.loop.wrong, self._hash.hexdigest(), faults,
            len(self.facts.stories), self.facts.position, self.loop.time(), self._kept or [],
        )  # fmt: skip

    def _play(self, story: Callable[["World"], Coroutine[Any, Any, None]]) -> None:
        try:
            self.loop.run_until_complete(story(self))
        except Spinning as spinning:
            self.accuse(str(spinning))
        except RuntimeError as stopped:
            self.accuse(f"it ended before its end: {stopped}")
        except Refused as refused:
            self.accuse(f"refused in good times: {refused.code} {refused}")
        finally:
            self.over = True
            self.loop.bury()
            self.database.db.close()

    # -- processes -----------------------------------------------------------------------------

    def dice(self, name: str) -> random.Random:
        """Chance for one purpose, so that one more draw here moves nothing there."""
        return random.Random(f"{name} {self.seed}")

    def boot(self) -> Machine:
        """Start another process."""
        name = f"p{len(self.machines)}"
        dice = self.dice(name)
        faults = Faults(self.dice(f"faults {name}"), **self.mood)
        machine = Machine(name, self.loop, dice, faults)
        machine.edition = self.edition
        self.machines.append(machine)
        self.loop.spawn(machine, self._life(machine))
        return machine

    async def _life(self, machine: Machine) -> None:
        try:
            patience = self.chance.choice((0.0, 5.0, 25.0))
            await machine.begin(self.database, self.shop, self.facts.most, patience)
        except (TypeError, LookupError, ValueError, AttributeError) as bug:
            self.accuse(f"{machine.name} does not start: {bug!r}")
            self.loop.stop()
        except Refused as refused:
            self.met_with("no_start", machine.name, refused.code)
            self.kill(machine)
            self.loop.call_later(1.0, self.boot, context=self.loop.world.context)

    def kill(self, machine: Machine) -> None:
        """As `kill -9` does."""
        machine.kill()
        self.shop.leave(machine)
        self.database.bury(machine)

    def anyone(self) -> Machine | None:
        """Some process that takes calls."""
        up = [machine for machine in self.machines if machine.up]
        return self.chance.choice(up) if up else None

    async def someone(self) -> Machine:
        """Some process that takes calls, sooner or later."""
        while (machine := self.anyone()) is None:  # noqa: ASYNC110 - time is free
            await asyncio.sleep(0.5)
        return machine

    # -- callers -------------------------------------------------------------------------------

    async def call(self, machine: Machine, work: Coroutine[Any, Any, Any]) -> Any:
        """A call from outside to a process; None when it dies or nobody answers."""
        task = self.loop.spawn(machine, work)
        while not task.done() and not machine.killed:
            await asyncio.wait((task,), timeout=1.0)
        if not task.done():
            return None
        return task.result()

    async def start(
        self,
        flow: str,
        number: int,
        key: str = "",
        deadline: int | None = None,
        at: Machine | None = None,
    ) -> str:
        """Ask for a run; its id, or nothing when the answer was lost."""
        machine = at or await self.someone()
        assert machine.engine is not None
        self.trace("start", machine.name, flow, number, key)
        try:
            view = await self.call(
                machine,
                machine.engine.start(flow, {"n": number}, key=key, deadline=deadline),
            )
        except Refused as refused:
            self.trace("start refused", refused.code)
            return ""
        if view is None:
            return ""
        self.wishes.acked[view.id] = number
        if key:
            self.wishes.keyed.setdefault(key, set()).add(view.id)
        self.trace("started", machine.name, flow, number, view.id)
        return str(view.id)

    async def cancel(self, run_id: str) -> None:
        """Ask for the end of a run."""
        machine = await self.someone()
        assert machine.engine is not None
        self.wishes.asked_to_cancel.add(run_id)
        try:
            view = await self.call(machine, machine.engine.cancel(run_id, actor="ann"))
        except Refused as refused:
            self.trace("cancel refused", refused.code)
            return
        if view is not None:
            self.wishes.cancelled.add(run_id)

    async def retry(self, run_id: str) -> str:
        """Ask for another try of a run that failed."""
        machine = await self.someone()
        assert machine.engine is not None
        try:
            view = await self.call(machine, machine.engine.retry(run_id, actor="ann"))
        except Refused as refused:
            self.trace("retry refused", refused.code)
            return ""
        if view is None:
            return ""
        self.wishes.retried[run_id] = view.id
        return str(view.id)

    async def look(self, run_id: str) -> None:
        """Wait for a run a little, as a caller does, and believe no more than what is true."""
        machine = await self.someone()
        assert machine.engine is not None
        with contextlib.suppress(Refused):
            view = await self.call(machine, machine.engine.wait(run_id, 5.0))
            if view is None:
                return
            story = self.facts.stories[self.facts.by_uid[run_id]]
            if view.status == "completed" and story.end != "run.completed":
                self.accuse(f"run {run_id} was shown as completed, but it is not")

    def number(self) -> int:
        """A number for a new run."""
        self.numbers += 1
        return self.numbers

    def flow(self) -> str:
        """Some workflow."""
        return self.chance.choice(tuple(FLOWS))

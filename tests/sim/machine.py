"""A simulated process: an engine with its store, a clock of its own, and its life."""

import random
from typing import Any

from engine import Settings
from engine.app.engine import FEATURES, Engine
from tests.sim.database import Database
from tests.sim.driver import SimStore
from tests.sim.faults import Faults
from tests.sim.loop import Process, VirtualLoop
from tests.sim.shop import Shop

BEGAN = 1_800_000_000_000_000
"""Microseconds since the epoch at which every world begins."""


class SimClock:
    """The loop's time, askew; and the seed's chance."""

    def __init__(self, loop: VirtualLoop, chance: random.Random) -> None:
        self._loop, self._chance = loop, chance
        self.skew = 0.0
        self.latest = 0

    def now(self) -> int:
        """Microseconds since the epoch, as this process believes."""
        now = BEGAN + int((self._loop.time() + self.skew) * 1_000_000)
        self.latest = max(now, self.latest)
        return now

    def chance(self) -> float:
        """A number in [0, 1)."""
        return self._chance.random()

    def bytes(self, count: int) -> bytes:
        """What the seed gives."""
        return self._chance.randbytes(count)


class Machine(Process):
    """A process with an engine in it."""

    def __init__(self, name: str, loop: VirtualLoop, chance: random.Random, faults: Faults) -> None:
        super().__init__(name, loop)
        self.clock = SimClock(loop, chance)
        self.chance, self.faults = chance, faults
        self.edition = 1
        self.engine: Engine | None = None
        self.store: SimStore | None = None
        self.leaving = self.paused = False

    @property
    def up(self) -> bool:
        """Whether it takes calls."""
        return self.engine is not None and not self.killed and not self.leaving

    async def begin(self, database: Database, shop: Shop, most: int, patience: float) -> None:
        """Open the store and begin to work; raises Refused as an engine does."""
        clock = self.clock
        self.store = SimStore(database, self, FEATURES, clock.bytes, self.faults)
        settings: Any = Settings(
            "memory", functions=shop.functions(), clock=clock, most=most,
            name=self.name, drain=patience, concurrency=3, encoder="off",  # nobody searches here
        )  # fmt: skip
        engine = Engine(settings, self.store)
        await engine.begin()
        self.engine = engine

    async def end(self) -> None:
        """Stop in good order."""
        self.leaving = True
        if self.engine is not None and self.store is not None:
            try:
                await self.engine.end()
            finally:
                self.store.closed = True
                await self.store.writer.close()

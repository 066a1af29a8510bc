"""Outcomes of mutations that their drive could not record: nothing that is known gets lost.

A run may be cancelled, or taken over by another worker, while a call is under way; the call goes
on here, and what became of it is written into the run's history whatever became of the run. What
contradicts the word of a person, or of another worker, is recorded as an incident and changes
nothing (TRUST 3.2). If this process dies too, the outcome is unknown, and is looked into.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from engine.core.due import due
from engine.core.errors import Refused, Stale
from engine.core.ledger import late
from engine.core.log import Append, Entry
from engine.core.run import Fail, Found, Succeed, fold
from engine.shell.clock import Clock
from engine.shell.held import Held
from engine.shell.recording import Told
from engine.store import Store

_LOG = logging.getLogger("handrail.engine")
_TRIES = 30
_PAUSE = 1.0
"""Seconds between two tries while the database takes nothing."""


@dataclass(slots=True)
class Late:
    """What this process still has to tell of runs that it does not hold any more.

    `told` hears of a run whose history has grown by it, and that is due again.
    """

    store: Store
    clock: Clock
    told: Callable[[str], None]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def wait_for(
        self, held: Held, call: "asyncio.Task[Succeed | Fail | Found]", epoch: int
    ) -> None:
        """Record what a call leads to that is still under way."""
        self._keep(self._after(held, call, epoch))

    def tell(self, held: Held, told: Told) -> None:
        """Record what became of a send."""
        self._keep(self._tell(held, told))

    async def stop(self) -> None:
        """Wait for nothing any more: what is under way is unknown from now on."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _after(
        self, held: Held, call: "asyncio.Task[Succeed | Fail | Found]", epoch: int
    ) -> None:
        try:
            report = await call
        except Exception:
            _LOG.exception("a call of run %s broke after its run was let go of", held.run.uid)
            return
        if not isinstance(report, Found):
            await self._tell(held, (report, epoch))

    async def _tell(self, held: Held, told: Told) -> None:
        for _ in range(_TRIES):
            try:
                await self._recorded(held, told)
                return
            except Stale:
                continue  # somebody wrote in between: look again
            except Refused as trouble:
                _LOG.warning("an outcome of run %s waits: %s", held.run.uid, trouble.code)
                await asyncio.sleep(_PAUSE)
        _LOG.error("an outcome of run %s could not be recorded", held.run.uid)

    async def _recorded(self, held: Held, told: Told) -> None:
        stream, tenant, now = held.stream, held.tenant, self.clock.now()
        history = await self.store.read(stream, tenant=tenant)
        events = late(fold(line.event for line in history), *told)
        if not events:
            return
        # Whoever holds it now lets go, and somebody looks at it again with what is known.
        again = due(stream, tenant, held.lane, now)
        entry = Entry(stream, history[-1].version, events, (again,))
        await self.store.append(Append((entry,), now, "engine", tenant))
        self.told(held.run.uid)

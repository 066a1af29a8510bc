"""The worker of a process: takes up what it has claimed, drives it, and lets go in good order.

What may be claimed is the business of `claims.py`, who is alive that of `roll.py`. Leases are
not facts: two workers that believe they own a run are told apart by the expected version of its
stream.

Nothing is polled that can be woken: starts and cancels in this process wake the worker, one
timer waits for the next due run, and the store says when others have committed. A worker that is
told to stop claims nothing more, lets each run come to its next safe point, and hands back what
is still under way at the deadline.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core.due import done_with, due
from engine.core.errors import Refused
from engine.core.log import Recorded, Write
from engine.core.plan import Planner
from engine.core.run import fold
from engine.shell.claims import BOUNDLESS
from engine.shell.drive import Held
from engine.shell.hands import Hands
from engine.shell.library import Library
from engine.shell.news import News
from engine.shell.within import rung
from engine.store import Claimed

_LOG = logging.getLogger("handrail.engine")

PUT_OFF = 5_000_000
"""Microseconds for which a run is left alone that this process cannot carry out."""

LONG = 86_400.0
"""Seconds after which a timer is set again: some loops cannot wait for years."""

AGAIN = 1.0
"""Seconds until a loop that met trouble tries again."""


@dataclass(slots=True)
class Worker(Hands):
    """The worker of this process."""

    library: Library = field(kw_only=True)
    tenant: str = field(kw_only=True)
    news: News = field(kw_only=True)
    _loops: list[asyncio.Task[None]] = field(default_factory=list)
    _taken: asyncio.Event = field(default_factory=asyncio.Event)
    _strays: dict[int, float] = field(default_factory=dict)
    _doubtful: bool = False
    _alarm: int = BOUNDLESS

    # -- life -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Register, void the leases of the dead, and begin to work."""
        await self.roll.enter()
        await self.roll.bury()
        for loop in (self._claiming(), self._beating(), self._watching(), self._noticing()):
            self._loops.append(asyncio.create_task(loop))

    def drain(self) -> None:
        """Claim nothing more; every run that is under way goes to its next safe point."""
        if not self.draining and self.id:
            self.draining = True
            for drive in self._by_uid.values():
                drive.leaving = True
            self._loops.append(asyncio.create_task(self._safely(self.roll.draining, None)))

    async def stop(self, patience: float = 5.0) -> None:
        """Drain for `patience` seconds at most, and hand back what is under way even then."""
        self.drain()
        self.draining = True
        await self._rested_all(patience)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._let_go()
        await self.late.stop()
        if self.id:
            await self.roll.leave()

    def poke(self) -> None:
        """Something may have become due."""
        self._wake.set()

    def doubt(self) -> None:
        """A lease may have been given to this worker although the answer was lost: look for it."""
        self._doubtful = True
        self._wake.set()

    # -- claiming -----------------------------------------------------------------------------

    async def _claiming(self) -> None:
        while True:
            self._wake.clear()
            wait: float | None = await self._safely(self._claim, AGAIN)
            await rung(self._wake, wait)

    async def _claim(self) -> float | None:
        """Take what is due; the seconds until something else will be, None until a wake-up."""
        self._alarm = BOUNDLESS  # what becomes due meanwhile has this done once more
        if self._doubtful:
            await self._find_strays()
        await self._free()
        if room := self.room:
            self._doubtful = True  # until its answer is there, a claim may have been carried out
            owner = self.id
            taken = await self.claims.take(owner, room)
            await self._take_up_all(taken, owner)
            self._taken.set()
            self._doubtful = bool(self._strays)
            if len(taken) == room and self.room:
                return 0.0  # there may be more, and places have become free meanwhile
        self._full = not self.room  # then the end of a run is the next time to look
        at = None if self._full else await self.claims.next()
        latest = AGAIN if self._doubtful else None
        self._alarm = BOUNDLESS if at is None else at
        if at is None:
            return latest
        return min(latest or LONG, max(0.0, (at - self.clock.now()) / 1_000_000))

    async def _take_up_all(self, taken: Sequence[Claimed], owner: int) -> None:
        """Work on what was claimed."""
        ours = [claimed.run for claimed in taken if claimed.run in self._tasks]
        await asyncio.gather(*map(self._ended_here, ours))
        await asyncio.gather(*(self._take_up_safely(claimed, owner) for claimed in taken))

    async def _take_up_safely(self, claimed: Claimed, owner: int) -> None:
        try:
            await self._take_up(claimed, self.store.decoded(claimed.lines), owner)
        except Exception:
            # Whatever is wrong with this one, the others must be taken up all the same.
            _LOG.exception("run %s cannot be taken up here", claimed.run)
            await self._put_back(claimed, claimed.lane, self.clock.now() + PUT_OFF)

    async def _put_back(self, claimed: Claimed, lane: int, at: int) -> None:
        await self.store.write(due(claimed.run, claimed.tenant, lane, at))

    async def _take_up(self, claimed: Claimed, recorded: list[Recorded], owner: int) -> None:
        stream, tenant = claimed.run, claimed.tenant
        run = fold(entry.event for entry in recorded)
        if not recorded or (run.over and not run.unresolved):
            await self.store.write(done_with(stream))
            return
        lane = self.library.lane(run.namespace, run.workflow)
        if lane > claimed.lane:
            # It queued before its workflow was limited; now it goes where it is counted.
            await self._put_back(claimed, lane, self.clock.now())
            self._wake.set()
            return
        workflow = await self.library.learn(run.digest)
        open_ = [scope.digest for scope in run.scopes.values()]
        if not all(map(self.acts.able, await self.library.learn_all(workflow, open_))):
            await self._put_back(claimed, lane, self.clock.now() + PUT_OFF)
            return
        held = Held(stream, run, tenant, recorded, claimed.lane)
        self.adopt(held, Planner(run, workflow, self.library), owner)

    async def _ended_here(self, stream: int) -> None:
        """Have done with a drive of ours whose lease was free before it came to its end."""
        task = self._tasks.get(stream)
        if task is None:
            return
        await asyncio.wait((task,), timeout=AGAIN)
        if not task.done():
            self.drop(stream)
            await asyncio.wait((task,))
        self._unfreed.discard(stream)

    async def _free(self) -> None:
        """Hand back runs that were let go of; tried again until the database takes it."""
        for stream in list(self._unfreed):
            free: dict[str, Any] = {"owner": self.id, "run": stream, "now": self.clock.now()}
            await self.store.write(Write("due_free", free))
            self._unfreed.discard(stream)

    # -- others ---------------------------------------------------------------------------------

    async def _beating(self) -> None:
        while True:
            await asyncio.sleep(self.roll.pace.beat)
            await self._safely(self._beat, None)

    async def _beat(self) -> None:
        await self.claims.now()
        beat = await self.roll.beat()
        if beat is None:
            await self._come_back()
            return
        if beat.held != len(self._tasks) or self._strays:
            await self._find_strays()
            if self._strays:
                self.doubt()  # looked at again in a moment, not at the next beat
        overdue = beat.next_at is not None and beat.next_at <= self.clock.now()
        if beat.freed or overdue or self._unfreed or self.library.lanes:
            self._wake.set()

    async def _come_back(self) -> None:
        """Others took this worker for dead: what it held is in their hands now."""
        _LOG.warning("this worker was silent for too long and was taken for dead; it begins anew")
        self._away = True  # a lease under a number that is on no roll is nobody's
        await self._let_go()
        self._unfreed.clear()
        self._strays.clear()
        await self.roll.enter()
        self._away = False
        self._wake.set()

    async def _find_strays(self) -> None:
        """Free leases of ours that nobody here works on.

        A commit whose answer was lost leaves such a lease. One that is new may be just being
        taken up, so it counts when it is seen again after a while.
        """
        strays, now = await self._leased() - self._tasks.keys(), asyncio.get_running_loop().time()
        self._strays = {stream: self._strays.get(stream, now) for stream in strays}
        self._unfreed |= {s for s, since in self._strays.items() if now - since >= AGAIN / 2}

    async def _leased(self) -> set[int]:
        return {row["run"] for row in await self.store.fetch("due_held", owner=self.id)}

    async def _watching(self) -> None:
        while True:
            await asyncio.sleep(self.roll.pace.watch)
            if await self._safely(self.roll.watch, False):
                self._wake.set()

    async def _noticing(self) -> None:
        while True:
            if not await self._safely(self._notice, False):
                await asyncio.sleep(AGAIN)

    async def _notice(self) -> bool:
        due = await self.news.next(self._told)
        if self.claims.counted or (due is not None and due < self._alarm):
            self._wake.set()
        if self._tasks:
            mine = await self._leased()
            for stream in [stream for stream in self._tasks if stream not in mine]:
                await self._check(stream)
        return True

    async def _told(self, at: int) -> None:
        """Somebody made a run due: one that has nothing to do takes it without looking first.

        Of those that are busy only some would get it, and each claim is a transaction.
        """
        if not self._tasks and at < self._alarm and at <= self.clock.now():
            self.claims.sure = True
            self._wake.set()
            self._taken.clear()
            await rung(self._taken, AGAIN)  # what is read meanwhile would hold it up

    async def _check(self, stream: int) -> None:
        # A run that ends here drops its lease too, so ask who has it now and how it stands.
        (row,) = await self.store.fetch("due_whose", run=stream, tenant=self.tenant)
        if row["status"] == "cancelled" or row["owner"] not in (None, 0, self.id):
            self.drop(stream)

    async def _safely(self, act: Callable[[], Any], otherwise: Any) -> Any:
        """A loop outlives a database that is locked or full: it says so and tries again."""
        try:
            return await act()
        except Refused as trouble:
            _LOG.warning("%s: %s %s", trouble.code, trouble.message, trouble.hint)
        except Exception:
            _LOG.exception("the worker's loop met a bug")
        return otherwise

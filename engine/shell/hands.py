"""The runs that this process works on: taken in hand, driven, waited for, let go of.

A run is taken in hand with a lease, or before it is in the journal: then only what reads is
begun, and nobody hears of it until its beginning is durable. Which runs to take is the business
of `worker.py`. What cannot be let go of in good order is left to be freed.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from engine.core.errors import Refused, Stale
from engine.core.plan import Planner
from engine.shell.acts import Acts
from engine.shell.claims import Claims
from engine.shell.clock import Clock
from engine.shell.drive import Birth, Drive, Held, driving
from engine.shell.keeping import Keeper, Nobody
from engine.shell.late import Late
from engine.shell.roll import Roll
from engine.shell.within import over
from engine.store import Store

_LOG = logging.getLogger("handrail.engine")


@dataclass(slots=True)
class Hands:
    """What a worker holds; its place on the roll says how many runs at a time."""

    store: Store
    clock: Clock
    acts: Acts
    changed: Callable[[str], None]
    ended: Callable[[Held], None]
    roll: Roll
    claims: Claims
    keeper: Keeper = field(default_factory=Nobody)
    draining: bool = False
    handed_back: int = 0
    _by_uid: dict[str, Drive] = field(default_factory=dict)
    _tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _unborn: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _unfreed: set[int] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)
    late: Late = field(init=False)
    _away: bool = False
    _full: bool = False

    def __post_init__(self) -> None:
        self.late = Late(self.store, self.clock, self._learned)

    def _learned(self, run_id: str) -> None:
        """An outcome was recorded of a run that was let go of: somebody has to look at it."""
        self._wake.set()
        self.changed(run_id)

    @property
    def id(self) -> int:
        """Its number on the roll; 0 before the start."""
        return self.roll.id

    @property
    def held(self) -> int:
        """How many runs this worker holds now."""
        return len(self._tasks)

    @property
    def room(self) -> int:
        """How many more runs this worker may hold."""
        if self.draining or self._away:
            return 0
        return max(0, self.roll.capacity - len(self._tasks) - len(self._unborn))

    # -- taking in hand -----------------------------------------------------------------------

    def adopt(self, held: Held, planner: Planner, owner: int) -> None:
        """Work on a run whose lease was given to this worker under the number `owner`.

        A worker that was taken for dead meanwhile has another number, and the lease is nobody's.
        """
        if self._is(owner):
            drive = self._made(held, planner)
            self._hold(drive, asyncio.create_task(self._drive(drive)))

    def conceive(self, held: Held, planner: Planner) -> Drive:
        """Work on a run before it is in the journal; then it is `born`, or `stillborn`."""
        drive = self._made(held, planner)
        drive.birth = Birth(asyncio.get_running_loop().create_future())
        self._by_uid[held.run.uid] = drive
        self._unborn[held.run.uid] = asyncio.create_task(self._drive(drive))
        return drive

    def born(self, drive: Drive, owner: int) -> None:
        """It is in the journal now, with a lease under the number `owner` unless it has ended."""
        task, birth = self._unborn.pop(drive.held.run.uid), drive.birth
        drive.birth = None
        if birth is not None and birth.whole and task.done():
            self._ended_at_birth(drive)
            return
        if not self._is(owner):
            self._by_uid.pop(drive.held.run.uid, None)
            task.cancel()
            return
        self._hold(drive, task)
        if task.done():
            self._unfreed.add(drive.held.stream)  # it broke before there was a lease to give back
        elif birth is not None:
            birth.done.set_result(None)

    def _ended_at_birth(self, drive: Drive) -> None:
        run_id = drive.held.run.uid
        self._by_uid.pop(run_id, None)
        self._place_freed()
        self.ended(drive.held)
        self.changed(run_id)

    def stillborn(self, drive: Drive) -> None:
        """It is not in the journal, or nobody knows whether it is."""
        self._by_uid.pop(drive.held.run.uid, None)
        self._unborn.pop(drive.held.run.uid).cancel()

    def _is(self, owner: int) -> bool:
        return owner == self.id and not self._away

    def _made(self, held: Held, planner: Planner) -> Drive:
        name = f"worker:{self.id}"
        return driving(
            held, planner, self.acts, self.store, self.clock, name, self.changed,
            self.keeper, self.late,
        )  # fmt: skip

    def _hold(self, drive: Drive, task: asyncio.Task[None]) -> None:
        drive.leaving = self.draining
        self._unfreed.discard(drive.held.stream)  # no stray: its answer was on its way
        self._by_uid[drive.held.run.uid] = drive
        self._tasks[drive.held.stream] = task
        task.add_done_callback(partial(self._forget, drive))

    # -- what is held -------------------------------------------------------------------------

    def holds(self, run_id: str) -> Drive | None:
        """The drive of a run that this process works on."""
        return self._by_uid.get(run_id)

    async def rested(self, run_id: str, seconds: float) -> None:
        """Return when a run that this process works on rests, or after `seconds`."""
        drive = self._by_uid.get(run_id)
        task = self._tasks.get(drive.held.stream) if drive else None
        if task is not None:
            await over(task, seconds)

    async def _drive(self, drive: Drive) -> None:
        run_id = drive.held.run.uid
        try:
            if await drive.go() is not None:
                self._wake.set()  # it rests until then, which may be before the next alarm
            self.handed_back += drive.left
            if drive.birth is None:  # else it is not known yet whether this will ever count
                self.ended(drive.held)
        except (Stale, Refused) as trouble:
            _LOG.info("let go of run %s: %s", run_id, trouble)
            self._tell_late(drive)
            self._unfreed |= drive.leased
        except asyncio.CancelledError:
            self._tell_late(drive)
            self._unfreed |= drive.leased
        except Exception:
            _LOG.exception("the drive of run %s broke", run_id)
            self._tell_late(drive)
            self._unfreed |= drive.leased

    def _tell_late(self, drive: Drive) -> None:
        for told in drive.pen.outcomes:
            self.late.tell(drive.held, told)

    # -- letting go -----------------------------------------------------------------------------

    def drop(self, stream: int) -> None:
        """Stop working on a run at once; somebody has ended it or has taken it over."""
        task = self._tasks.get(stream)
        if task is None:
            return
        for run_id, drive in list(self._by_uid.items()):
            if drive.held.stream == stream:
                del self._by_uid[run_id]  # what it knows is out of date from this moment
        task.cancel()

    def hurry(self) -> None:
        """Wait for nothing any more when stopping."""
        self._hurried.set()

    def _forget(self, drive: Drive, task: asyncio.Task[None]) -> None:
        """Have done with a drive. One that was cancelled before it began has run no line."""
        stream, run_id = drive.held.stream, drive.held.run.uid
        if task.cancelled():
            self._unfreed.add(stream)
        if self._unfreed:
            self._wake.set()
        self._place_freed()
        if self._by_uid.get(run_id) is drive:
            del self._by_uid[run_id]
        if self._tasks.get(stream) is task:
            del self._tasks[stream]
        self.changed(run_id)

    def _place_freed(self) -> None:
        if self._full or self.claims.counted:
            self._wake.set()  # something may wait for it

    async def _rested_all(self, patience: float) -> None:
        hurried = asyncio.create_task(self._hurried.wait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._tasks and not hurried.done():
                    await asyncio.wait(
                        (*self._tasks.values(), hurried), return_when=asyncio.FIRST_COMPLETED
                    )
        hurried.cancel()

    async def _let_go(self) -> None:
        self.handed_back += len(self._tasks)
        tasks = [*self._tasks.values(), *self._unborn.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""The worker of a process: claims what is due, drives it, and lets go in good order.

A worker has one row that it renews (its heartbeat) and one lock on a file of its own that the
operating system takes back when the process dies; whoever can take that lock knows that the
owner is dead and that its leases are void at once. Leases are not facts: two workers that
believe they own a run are told apart by the expected version of its stream.

Nothing is polled that can be woken: starts and cancels in this process wake the worker, one
timer waits for the next due run, and a cheap look at the database's change counter ten times a
second notices what other processes wrote.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.core.errors import Refused, Stale
from engine.core.log import Write
from engine.core.plan import Planner
from engine.core.run import fold
from engine.shell.acts import Acts
from engine.shell.clock import Clock
from engine.shell.drive import Drive, Held
from engine.shell.library import Library
from engine.store import Lock, Store, try_lock

_LOG = logging.getLogger("handrail.engine")

BEAT = 5.0
"""Seconds between two heartbeats."""

LEASE = 30_000_000
"""Microseconds without a heartbeat after which a worker counts as gone."""

PUT_OFF = 5_000_000
"""Microseconds for which a run is left alone that this process cannot carry out."""

GLANCE = 0.1
"""Seconds between two looks at the database's change counter."""


@dataclass(slots=True)
class Worker:
    """The worker of this process. `capacity` is how many runs it holds at a time."""

    store: Store
    clock: Clock
    library: Library
    acts: Acts
    tenant: str
    changed: Callable[[str], None]
    ended: Callable[[Held], None]
    noticed: Callable[[], None]
    capacity: int = 64
    id: int = 0
    _by_uid: dict[str, Drive] = field(default_factory=dict)
    _tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _loops: list[asyncio.Task[None]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _lock: Lock | None = None
    _stopping: bool = False
    _versions_seen: int = 0
    _unfreed: set[int] = field(default_factory=set)
    _strays: set[int] = field(default_factory=set)

    # -- life -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Register, void the leases of the dead, and begin to work."""
        # Never reused, or a dead worker's lock file could be taken for a live one's.
        self.id = int.from_bytes(self.clock.bytes(6))
        await self.store.write(
            Write(
                "worker_insert",
                {
                    "id": self.id,
                    "tenant": self.tenant,
                    "name": f"{socket.gethostname()}:{os.getpid()}",
                    "host": socket.gethostname(),
                    "pid": os.getpid(),
                    "now": self.clock.now(),
                    "capacity": self.capacity,
                    "versions": "",
                },
            )
        )
        self._lock = try_lock(self._lock_path(self.id))
        await self.bury()
        for loop in (self._claiming(), self._beating(), self._glancing()):
            self._loops.append(asyncio.create_task(loop))

    async def stop(self, patience: float = 5.0) -> None:
        """Claim nothing more, let runs reach a safe point, hand back the rest."""
        self._stopping = True
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=patience)
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self.id:
            await self._leave()

    async def _leave(self) -> None:
        free = {"owner": self.id, "now": self.clock.now()}
        drop = Write("worker_drop", {"id": self.id})
        try:
            await self.store.write(Write("due_free_all", free), drop)
        finally:
            # Whatever the database says: a lock that is free tells the others that we are gone.
            if self._lock is not None:
                self._lock.release(remove=True)

    def _lock_path(self, worker: int) -> str:
        return f"{self.store.path}.worker-{worker}.lock"

    # -- taking runs up -----------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many more runs this worker may hold."""
        return 0 if self._stopping else max(0, self.capacity - len(self._tasks))

    def adopt(self, held: Held, planner: Planner) -> None:
        """Work on a run that this process has just started and owns the lease of."""
        drive = Drive(
            held, planner, self.acts, self.store, self.clock, f"worker:{self.id}", self.changed
        )
        self._by_uid[held.run.uid] = drive
        self._tasks[held.stream] = asyncio.create_task(self._drive(drive))

    def poke(self) -> None:
        """Something may have become due."""
        self._wake.set()

    def holds(self, run_id: str) -> Drive | None:
        """The drive of a run that this process works on."""
        return self._by_uid.get(run_id)

    async def rested(self, run_id: str, seconds: float) -> None:
        """Return when a run that this process works on rests, or after `seconds`."""
        drive = self._by_uid.get(run_id)
        task = self._tasks.get(drive.held.stream) if drive else None
        if task is not None:
            await asyncio.wait((task,), timeout=seconds)

    def drop(self, stream: int) -> None:
        """Stop working on a run at once; somebody has ended it."""
        task = self._tasks.get(stream)
        if task is None:
            return
        for run_id, drive in list(self._by_uid.items()):
            if drive.held.stream == stream:
                del self._by_uid[run_id]  # what it knows is out of date from this moment
        task.cancel()

    async def _drive(self, drive: Drive) -> None:
        stream = drive.held.stream
        try:
            if await drive.go() is not None:
                self._wake.set()  # it rests until then, which may be before the next alarm
            self.ended(drive.held)
        except (Stale, Refused) as trouble:
            _LOG.info("let go of run %s: %s", drive.held.run.uid, trouble)
            self._unfreed.add(stream)
        except asyncio.CancelledError:
            self._unfreed.add(stream)
        except Exception:
            _LOG.exception("the drive of run %s broke", drive.held.run.uid)
            self._unfreed.add(stream)
        finally:
            if self._unfreed or not self.room:
                self._wake.set()
            self._by_uid.pop(drive.held.run.uid, None)
            del self._tasks[stream]
            self.changed(drive.held.run.uid)

    # -- loops ----------------------------------------------------------------------------------

    async def _claiming(self) -> None:
        while True:
            self._wake.clear()
            wait: float = await self._safely(self._claim, 1.0)
            # Not wait_for: in Python 3.11 it can swallow the cancellation that ends this loop.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _claim(self) -> float:
        """Take what is due; returns the seconds until something else will be."""
        await self._free()
        claim = {"owner": self.id, "now": self.clock.now(), "limit": self.room}
        if self.room and await self.store.fetch("due_ready", now=self.clock.now()):
            (rows,) = await self.store.write(Write("due_claim", claim))
            for row in rows:
                await self._take_up_safely(row["run"], row["tenant"])
        if not self.room:
            return BEAT
        (row,) = await self.store.fetch("due_next")
        if row["at"] is None:
            return BEAT
        wait: float = (row["at"] - self.clock.now()) / 1_000_000
        return min(BEAT, max(0.0, wait))

    async def _take_up_safely(self, stream: int, tenant: str) -> None:
        try:
            await self._take_up(stream, tenant)
        except Exception:
            # Whatever is wrong with this one, the others must be taken up all the same.
            _LOG.exception("run %s cannot be taken up here", stream)
            await self._leave_to_others(stream, tenant)

    async def _leave_to_others(self, stream: int, tenant: str) -> None:
        at = self.clock.now() + PUT_OFF
        put: dict[str, Any] = {"stream": stream, "tenant": tenant, "at": at, "owner": 0}
        await self.store.write(Write("due_put", put))

    async def _take_up(self, stream: int, tenant: str) -> None:
        recorded = await self.store.read(stream, tenant=tenant)
        run = fold(entry.event for entry in recorded)
        if run.over or not recorded:
            await self.store.write(Write("due_drop", {"stream": stream}))
            return
        workflow = await self.library.learn(run.digest)
        for scope in run.scopes.values():
            await self.library.learn(scope.digest)
        if not all(map(self.acts.able, await self.library.learn_all(workflow))):
            await self._leave_to_others(stream, tenant)
            return
        held = Held(stream, run, tenant, recorded)
        self.adopt(held, Planner(run, workflow, self.library))

    async def _free(self) -> None:
        """Hand back runs that were let go of; tried again until the database takes it."""
        for stream in list(self._unfreed):
            free: dict[str, Any] = {"owner": self.id, "run": stream, "now": self.clock.now()}
            await self.store.write(Write("due_free", free))
            self._unfreed.discard(stream)

    async def _beating(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            await self._safely(self._beat, None)

    async def _beat(self) -> None:
        seen = {"id": self.id, "now": self.clock.now()}
        await self.store.write(Write("worker_seen", seen))
        await self.bury()
        await self._find_strays()

    async def _find_strays(self) -> None:
        """Free leases of ours that nobody here works on.

        A commit whose answer was lost leaves such a lease. One that is new may be just being
        taken up, so it counts when it is seen for the second time.
        """
        held = {row["run"] for row in await self.store.fetch("due_held", owner=self.id)}
        strays = held - self._tasks.keys()
        self._unfreed |= strays & self._strays
        self._strays = strays
        if self._unfreed:
            self._wake.set()

    async def _glancing(self) -> None:
        while True:
            await asyncio.sleep(GLANCE)
            await self._safely(self._glance, None)

    async def _glance(self) -> None:
        if not await self.store.changed():
            return
        await self._reread()
        self.noticed()
        self._wake.set()
        if self._tasks:
            mine = {row["run"] for row in await self.store.fetch("due_held", owner=self.id)}
            for stream in [stream for stream in self._tasks if stream not in mine]:
                await self._check(stream)

    async def _reread(self) -> None:
        (top,) = await self.store.fetch("journal_top")
        if await self.store.fetch("journal_versions_since", after=self._versions_seen):
            await self.library.reread()
        self._versions_seen = top["position"]

    async def _check(self, stream: int) -> None:
        # A run that ends here drops its lease too, so ask the journal's projection.
        rows = await self.store.fetch("run_by_id", tenant=self.tenant, id=stream)
        if rows and rows[0]["status"] == "cancelled":
            self.drop(stream)

    async def bury(self) -> None:
        """Void the leases of workers that are dead: their lock is free, or their beat stopped."""
        now = self.clock.now()
        for row in await self.store.fetch("worker_list"):
            if row["id"] == self.id:
                continue
            lock = try_lock(self._lock_path(row["id"])) if _here(row["host"]) else None
            if lock is None and now - row["seen_at"] < LEASE:
                continue
            gone = {"owner": row["id"], "now": now}
            drop = Write("worker_drop", {"id": row["id"]})
            await self.store.write(Write("due_free_all", gone), drop)
            if lock is not None:
                lock.release(remove=True)
            self._wake.set()

    async def _safely(self, act: Callable[[], Any], otherwise: Any) -> Any:
        """A loop outlives a database that is locked or full: it says so and tries again."""
        try:
            return await act()
        except Refused as trouble:
            _LOG.warning("%s: %s %s", trouble.code, trouble.message, trouble.hint)
        except Exception:
            _LOG.exception("the worker's loop met a bug")
        return otherwise


def _here(host: str) -> bool:
    return host == socket.gethostname()

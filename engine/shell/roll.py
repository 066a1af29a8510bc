"""The roll of workers: who works on this database, and who has died.

A worker has one row that it renews (its heartbeat) and one lock that is taken back from it when
its process dies; whoever can take that lock knows that the owner is dead and that its leases are
void at once. Where a lock cannot be looked at, silence for the length of a lease means the same.
A worker that was taken for dead although it only slept comes back under a new number: what it
held may be in other hands by then, and its old lock too.

Nothing here knows what a run is.
"""

import asyncio
import json
import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from engine.core.log import Row, Write
from engine.shell.clock import Clock
from engine.store import Life, Store

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker shows that it lives, in seconds.

    `beat` is between two heartbeats, `lease` is how long a worker may be silent before its runs
    are given to others, `watch` is between two looks at the locks of others where that is free.
    """

    beat: float = 10.0
    lease: float = 30.0
    watch: float = 1.0


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker learns by its heartbeat: its leases, the next due time, whether some died."""

    held: int
    next_at: int | None
    freed: bool


@dataclass(slots=True)
class Roll:
    """One worker's place on the roll. `release` says which code of the user's it runs."""

    store: Store
    clock: Clock
    tenant: str
    capacity: int
    name: str = ""
    release: str = ""
    pace: Pace = field(default_factory=Pace)
    id: int = 0
    _lock: Life | None = None
    _others: dict[int, str] = field(default_factory=dict)
    _crew: tuple[int, int] = (0, 0)
    _quietest: int | None = None
    _heard: dict[int, tuple[int, float]] = field(default_factory=dict)

    async def enter(self) -> None:
        """Register under a number that nobody ever had; what an earlier number held is freed."""
        number, lock = await self._numbered()
        now, host = self.clock.now(), socket.gethostname()
        row: dict[str, Any] = {
            "id": number,
            "tenant": self.tenant,
            "name": self.title,
            "host": host,
            "pid": os.getpid(),
            "now": now,
            "capacity": self.capacity,
            "versions": json.dumps(versions(self.release)),
        }
        free = Write("due_free_all", {"owner": self.id or number, "now": now})
        try:
            await self.store.write(free, Write("worker_insert", row))
        except BaseException:
            lock.release(remove=True)  # the row may be there all the same: now it is a dead one's
            raise
        # Only now: a lease under a number that is not on the roll is an orphan.
        before, self._lock, self.id = self._lock, lock, number
        if before is not None:
            before.release(remove=True)

    @property
    def title(self) -> str:
        """What people call this worker."""
        return self.name or f"{socket.gethostname()}:{os.getpid()}"

    async def _numbered(self) -> tuple[int, Life]:
        while True:
            # Never reused, or a dead worker's lock could be taken for a live one's. It is held
            # before the row is there: a row whose lock is free is buried.
            number = int.from_bytes(self.clock.bytes(6))
            lock = await self.store.hold(number) if number else None
            if lock is not None:
                return number, lock

    async def draining(self) -> None:
        """Say that nothing more will be taken up."""
        await self.store.write(Write("worker_state", {"id": self.id, "state": "draining"}))

    async def leave(self) -> None:
        """Free what is still held, and be gone."""
        free = {"owner": self.id, "now": self.clock.now()}
        drop = Write("worker_drop", {"id": self.id})
        try:
            await self.store.write(Write("due_free_all", free), drop)
        finally:
            # Whatever the database says: a lock that is free tells the others that we are gone.
            if self._lock is not None:
                self._lock.release(remove=True)

    # -- heartbeat ----------------------------------------------------------------------------

    async def beat(self) -> Beat | None:
        """Show that this worker lives; None when the others have taken it for dead."""
        now = self.clock.now()
        (rows,) = await self.store.write(Write("worker_beat", {"id": self.id, "now": now}))
        if not rows:
            return None
        (row,) = rows
        crew, quietest, freed = (row["crew"], row["newest"]), row["quietest"], False
        if self._crew != crew or (quietest is not None and quietest == self._quietest):
            freed = await self.bury()
        self._crew, self._quietest = crew, quietest
        if row["orphans"]:
            await self.store.write(Write("due_free_orphans", {"now": now}))
        return Beat(row["held"], row["next_at"], freed or bool(row["orphans"]))

    async def bury(self) -> bool:
        """Void the leases of the dead, and say whether there were any."""
        rows, buried = await self.store.fetch("worker_list"), False
        others = {row["id"]: row for row in rows if row["id"] != self.id}
        self._others = {number: row["host"] for number, row in others.items()}
        void = self._void(others)
        for number, row in others.items():
            buried |= await self._bury(number, row["host"], void=number in void)
        return buried

    def _void(self, others: Mapping[int, Row]) -> set[int]:
        """The workers whose beat has stood still for a lease, as long as this one has looked.

        What the rows say is only compared with what they said before, never with a clock: one that
        jumps, or another machine's, would void the leases of all who live.
        """
        now, before = asyncio.get_running_loop().time(), self._heard
        self._heard = {
            number: before[number]
            if number in before and before[number][0] == row["seen_at"]
            else (row["seen_at"], now)
            for number, row in others.items()
        }
        return {n for n, (_, since) in self._heard.items() if now - since >= self.pace.lease}

    async def watch(self) -> bool:
        """Look whether others have died since the last beat, where that costs no query."""
        buried = False
        for number, host in list(self._others.items()) if self.store.free_looks else ():
            buried |= await self._bury(number, host, void=False)
        return buried

    async def _bury(self, number: int, host: str, *, void: bool) -> bool:
        lock = await self.store.dead(number, host)
        if lock is None and not void:
            return False
        gone = {"owner": number, "now": self.clock.now()}
        try:
            await self.store.write(
                Write("due_free_all", gone), Write("worker_drop", {"id": number})
            )
            self._others.pop(number, None)
        finally:
            if lock is not None:
                lock.release(remove=True)
        return True


def versions(release: str = "") -> Mapping[str, str]:
    """What a worker runs: Handrail's version, Python's, and the user's own release."""
    return {"handrail": _installed(), "python": platform.python_version(), "release": release}


@cache
def _installed() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("handrail")
    except PackageNotFoundError:
        return "0"


def silent(row: Row, now: int, pace: Pace) -> bool:
    """Whether a worker's row was not renewed for a lease, for people: the clock may have jumped."""
    return bool(now - row["seen_at"] >= pace.lease * _MICRO)

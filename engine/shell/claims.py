"""Which runs a worker takes next, and when it is worth looking again.

Leases are given by one statement in one transaction, the oldest run first. Where nothing is
limited that is all. Where something is, it is counted from the leases that are live in that
same transaction: nothing is kept that could leak, and a dead worker's share is free as soon as
it is buried. What waits in a full lane is not looked at and holds up nobody; a place that
becomes free here wakes the worker, and one elsewhere is noticed like any commit of others.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.log import Row, Write
from engine.shell.clock import Clock
from engine.shell.library import Library
from engine.store import Claimed, Store

BOUNDLESS = 2**62
"""More leases than there will ever be."""

RACED = 50_000
"""Microseconds before looking again at what was due and could not be had: somebody has it."""


SOON = 60_000_000
"""Microseconds after the latest known time in which something may have become due unseen."""


@dataclass(slots=True)
class Claims:
    """The claims of one worker. `most` is how many runs all workers hold together; 0: no limit.

    `sure` says that the next claim need not look first whether there is anything to take.
    """

    store: Store
    clock: Clock
    library: Library
    most: int = 0
    sure: bool = False
    _latest: int = 0

    @property
    def counted(self) -> bool:
        """Whether anything is limited, so that leases have to be counted."""
        return bool(self.most or self.library.lanes)

    def limited(self, lane: int) -> bool:
        """Whether a run has to go through a claim, however much room there is here."""
        return bool(lane or self.most)

    async def take(self, owner: int, room: int) -> list[Claimed]:
        """Leases on what is due, at most `room`."""
        now = await self.now()
        if self.counted:
            return await self._within(owner, room, now)
        sure, self.sure = self.sure, False
        if not sure and not await self.store.fetch("due_ready", now=now):
            return []
        return await self.store.claim(owner, now, room)

    async def now(self) -> int:
        """The time. If the clock has gone back, what was due before is due all the same."""
        now, before = self.clock.now(), self._latest
        if now < before or not before:
            (row,) = await self.store.fetch("journal_latest")
            if now < (latest := max(before, row["at"])):
                until = latest + SOON
                await self.store.write(Write("due_still", {"now": now, "until": until}))
        self._latest = now
        return now

    async def next(self) -> int | None:
        """When something can be claimed that cannot be now; None while only a wake-up will do."""
        if await self._places() <= 0:
            return None
        (row,) = await self.store.fetch("due_next")
        times = [row["at"]]
        if self.library.lanes:
            times += [row["at"] for row in await self.store.fetch("due_lanes") if _open(row)]
        at = min((at for at in times if at is not None), default=None)
        now = self.clock.now()
        return now + RACED if at is not None and at <= now else at

    # -- where something is limited -----------------------------------------------------------

    async def _places(self) -> int:
        if not self.most:
            return BOUNDLESS
        (row,) = await self.store.fetch("due_leased")
        return self.most - int(row["leased"])

    async def _within(self, owner: int, room: int, now: int) -> list[Claimed]:
        shares = await self._shares(min(room, await self._places()), now)
        most = self.most or BOUNDLESS
        claims = [
            {"owner": owner, "now": now, "lane": lane, "limit": share, "most": most}
            for lane, share in shares.items()
        ]
        if not claims:
            return []
        found = await self.store.write(*(Write("due_claim_within", claim) for claim in claims))
        return await self.store.with_histories([row for rows in found for row in rows])

    async def _shares(self, room: int, now: int) -> Mapping[int, int]:
        """How many to take from each lane, so that the oldest of all lanes go first."""
        if room <= 0:
            return {}
        lanes = await self.store.fetch("due_lanes")
        ready = sorted((row["at"], row["lane"], _free(row)) for row in lanes if _ready(row, now))
        waiting: list[tuple[int, int]] = []
        for _, lane, free in [(0, 0, room), *ready[:room]]:
            place: dict[str, Any] = {"lane": lane, "now": now, "limit": min(room, free)}
            rows = await self.store.fetch("due_waiting", **place)
            waiting += [(row["at"], lane) for row in rows]
        return Counter(lane for _, lane in sorted(waiting)[:room])


def _free(lane: Row) -> int:
    return (lane["most"] or BOUNDLESS) - int(lane["held"])


def _open(lane: Row) -> bool:
    return _free(lane) > 0


def _ready(lane: Row, now: int) -> bool:
    return _open(lane) and lane["at"] <= now

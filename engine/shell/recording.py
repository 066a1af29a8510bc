"""What a drive has to record, and how it gets into the journal: alone, or with the run's beginning.

What is noted waits until somebody has to rely on it; then everything that waits is one append,
with what belongs to other streams and must not be there without it.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.core.errors import Stale
from engine.core.log import SAME, Append, Entry, Taken, Unless, Write
from engine.core.run import Fail, Succeed
from engine.shell.clock import Clock
from engine.shell.held import Held, recorded
from engine.store import Store

Told = tuple[Succeed | Fail, int]
"""What became of a send, and in which epoch it was made."""


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
class Recording:
    """The pen of one drive. `durable` says that what waits must be recorded before going on.

    `along` are entries for other streams, `unless` the condition of the next append; `outcomes`
    are those of mutations that are noted and not recorded yet: they must not be lost, whatever
    becomes of this drive.
    """

    held: Held
    store: Store
    clock: Clock
    actor: str
    changed: Callable[[str], None]
    birth: Birth | None = None
    durable: bool = False
    along: list[Entry] = field(default_factory=list)
    outcomes: list[Told] = field(default_factory=list)
    unless: Unless | None = None
    _events: list[Any] = field(default_factory=list)

    def note(self, events: Iterable[Any], *, durable: bool = False) -> None:
        """Have events recorded with the next append."""
        self._events += events
        self.durable = self.durable or durable

    async def born(self) -> None:
        """Return when the run is in the journal."""
        if self.birth is not None:
            await self.birth.done
            self.birth = None

    async def flush(self, *also: Write) -> None:
        """Record what waits; raises StoreError, and Stale when another wrote or `unless` holds."""
        if self.birth is not None and not self.along and await self._went_along(self.birth, also):
            return
        await self.born()
        held, now = self.held, self.clock.now()
        entry = Entry(held.stream, held.version, tuple(self._events), also)
        entries = (entry, *self.along)
        request = Append(entries, now, self.actor, held.tenant, self.unless)
        try:
            await self.store.append_soon(request)
        except Taken:
            raise Stale(f"something is in the way of run {held.run.uid} by now") from None
        self.unless = None
        held.recorded += recorded(entry, held.tenant, held.stream, now, self.actor)
        self.along.clear()
        self._recorded()
        self.changed(held.run.uid)

    def _recorded(self) -> None:
        self._events.clear()
        self.outcomes.clear()
        self.durable = False

    async def _went_along(self, birth: Birth, also: tuple[Write, ...]) -> bool:
        """Whether what waits to be recorded was recorded with the beginning of the run."""
        held, along = self.held, not birth.sent
        if along:
            events, now = tuple(self._events), self.clock.now()
            birth.whole = held.run.over
            kept = () if birth.whole else also  # what has ended by then never gets a lease
            birth.entry = Entry(SAME, held.version, events, kept, self.actor, now)
            self._recorded()
            if birth.whole:
                return True  # nothing is left to be done here when it is durable
        await self.born()
        if along:
            self.changed(held.run.uid)
        return along

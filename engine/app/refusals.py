"""Refusals of known callers, counted in memory and written down at the end of their minute.

Counting must cost nothing and must never be the reason why an answer is late, so nothing is
written while a caller waits; what was counted in the last minute is lost when the process is
killed. Callers nobody knows are not counted here: a stranger could fill the journal.
"""

import asyncio
import contextlib
import logging
from collections import Counter

from engine.core.log import NEW, Append, Entry
from engine.features.refusals import RefusalsCounted
from engine.shell.clock import Clock
from engine.store import Store, StoreError

logger = logging.getLogger(__name__)

MINUTE = 60_000_000
"""Microseconds."""
MOST_PAIRS = 200
"""Callers with codes that are told apart in one minute; the rest count together."""
OTHERS = "others"

_Key = tuple[int, str, str]


class Refusals:
    """Counts by minute, caller and code, for one tenant."""

    def __init__(self, store: Store, clock: Clock, tenant: str) -> None:
        self._store, self._clock, self._tenant = store, clock, tenant
        self._counted: Counter[_Key] = Counter()
        self._closing = asyncio.Event()
        self.writing: asyncio.Task[None] | None = None

    def note(self, principal: str, code: str) -> None:
        """Count one refusal now; it is written down within a minute or so."""
        minute = self._clock.now() // MINUTE * MINUTE
        key = (minute, principal, code)
        if key not in self._counted and len(self._counted) >= MOST_PAIRS:
            key = (minute, OTHERS, OTHERS)
        self._counted[key] += 1
        if self.writing is None or self.writing.done():
            self.writing = asyncio.create_task(self._write_by_the_minute())

    async def close(self) -> None:
        """Write down the rest."""
        self._closing.set()
        if self.writing is not None:
            await self.writing
        await self._write()

    async def _write_by_the_minute(self) -> None:
        while self._counted and not self._closing.is_set():
            left = MINUTE - self._clock.now() % MINUTE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), left / 1_000_000)
            await self._write()

    async def _write(self) -> None:
        counted, self._counted = self._counted, Counter()
        events = [RefusalsCounted(*key, count) for key, count in sorted(counted.items())]
        entries = tuple(Entry(NEW, 0, (event,)) for event in events)
        try:
            if entries:
                now = self._clock.now()
                await self._store.append(Append(entries, now, "engine", self._tenant))
        except StoreError as error:
            self._counted.update(counted)
            logger.warning("refusals could not be written down: %s", error)

"""News from other processes: something was committed there, and what of it matters here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.core.errors import Refused
from engine.shell.library import Library
from engine.store import Store

_LOG = logging.getLogger("handrail.engine")

AGAIN = 1.0
"""Seconds until a look that met trouble is tried again."""


@dataclass(slots=True)
class News:
    """Waits for the commits of others. `noticed` is called after each look."""

    store: Store
    library: Library
    noticed: Callable[[], None]
    _seen: int = 0

    async def next(self, told: Callable[[int], Awaitable[None]] | None = None) -> int | None:
        """Wait until others have committed; changed versions have been read by then.

        `told` comes before anything is read when the commit itself tells what is due.
        Returns when the next run without a limit is due, in microseconds since the epoch.
        """
        at = await self.store.stirred()
        if told is not None and at is not None:
            await told(at)
        (found,) = await self.store.fetch("journal_news", after=self._seen)
        if found["versions"] is not None:
            await self.library.reread()
        self._seen = found["position"]
        self.noticed()
        due: int | None = found["next_at"]
        return due

    async def follow(self) -> None:
        """Look again and again, whatever happens to the database."""
        while True:
            try:
                await self.next()
            except Refused as trouble:
                _LOG.warning("%s: %s %s", trouble.code, trouble.message, trouble.hint)
                await asyncio.sleep(AGAIN)

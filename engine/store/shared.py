"""Reads that many ask for at the same moment, made once for all of them.

Runs that go on together ask the same of the database together, and a journey to its thread costs
more than the read. Whoever asks before the read has begun gets its rows; whoever asks later begins
another, so that everybody sees what was committed when he asked. It keeps nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from engine.core.log import Param, Row
from engine.store.connection import judged

Fetch = Callable[..., Awaitable[list[Row]]]
"""Carries out a named read with its parameters."""


class SharedReads:
    """The reads that have been asked for and have not begun. Nobody may change their rows."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._waiting: dict[tuple[Any, ...], list[asyncio.Future[list[Row]]]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    def ask(self, query: str, **params: Param) -> asyncio.Future[list[Row]]:
        """The rows of a named read, as a future; it raises StoreError as the read does."""
        place, loop = (query, *params.items()), asyncio.get_running_loop()
        future: asyncio.Future[list[Row]] = loop.create_future()
        waiting = self._waiting.setdefault(place, [])
        waiting.append(future)
        if len(waiting) == 1:
            task = loop.create_task(self._read(place, query, params))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return future

    async def _read(self, place: tuple[Any, ...], query: str, params: dict[str, Param]) -> None:
        waiting = self._waiting.pop(place)  # whoever asks from now on may have to see more
        try:
            rows = await self._fetch(query, **params)
        except Exception as error:
            for future in _open(waiting):
                future.set_exception(judged(error))
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
        else:
            for future in _open(waiting):
                future.set_result(rows)


def _open(waiting: list[asyncio.Future[list[Row]]]) -> list[asyncio.Future[list[Row]]]:
    return [future for future in waiting if not future.done()]

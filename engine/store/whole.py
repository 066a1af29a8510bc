"""Work that is either done or not: who is cancelled meanwhile waits for its end."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def whole(work: Callable[[], T], undo: Callable[[T], Any] = lambda made: None) -> T:
    """What the work comes to, in a thread; raises what it raises. See `finished`."""

    async def undone(made: T) -> None:
        await asyncio.to_thread(undo, made)

    return await finished(asyncio.to_thread(work), undone)


async def finished(doing: Coroutine[Any, Any, T], undo: Callable[[T], Awaitable[Any]]) -> T:
    """What it comes to; raises what it raises.

    Whoever is cancelled waits for its end first, and `undo` takes back what it has made.
    """
    task = asyncio.ensure_future(doing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            await undo(task.result())
        raise

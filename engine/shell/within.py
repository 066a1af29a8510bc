"""Waiting for a coroutine with a time limit that costs nothing when there is nothing to wait for.

Many steps return without waiting for anything, and a timer for each of them would cost more than
they do. So the coroutine is begun first, and only what is left of it is put under the limit.
"""

import asyncio
import types
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of `coroutine`; raises TimeoutError when it waits longer than `seconds`."""
    try:
        awaited = coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    async with asyncio.timeout(seconds):
        return await _rest(coroutine, awaited)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    """What `await` does, for a coroutine that has been begun and waits for `awaited`."""
    while True:
        try:
            sent = yield awaited
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as error:
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, sent)
        try:
            awaited = step()
        except StopIteration as done:
            result: T = done.value
            return result

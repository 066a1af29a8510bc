"""Waiting for a coroutine with a time limit that costs nothing when there is nothing to wait for.

Many steps return without waiting for anything, and a timer for each of them would cost more than
they do. So the coroutine is begun first, and only what is left of it is put under the limit.
"""

import asyncio
import contextlib
import types
from collections.abc import Callable, Collection, Coroutine, Generator
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
A = TypeVar("A")


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


async def over(task: asyncio.Task[Any], seconds: float | None) -> None:
    """Return when `task` has ended, or after `seconds`; what became of it is not asked.

    None is as long as it takes.

    `asyncio.wait` does the same for any number of tasks, at three times the price.
    """
    ended = asyncio.get_running_loop().create_future()
    note = partial(_note, ended)
    task.add_done_callback(note)
    try:
        await _noted(ended, seconds)
    finally:
        task.remove_done_callback(note)


class Several:
    """Tasks of one owner, who goes on when one of them has ended.

    Each says so itself with its last breath: to be called back by a task costs another turn of the
    loop. One that is cancelled before its first breath says nothing, so only the owner, who then
    waits no more, may do that.
    """

    def __init__(self) -> None:
        self._ended: asyncio.Future[None] | None = None

    def begin(self, make: Callable[[A], Coroutine[Any, Any, T]], given: A) -> asyncio.Task[T]:
        """Begin what `make` makes of `given`."""
        return asyncio.create_task(self._carried(make, given))

    async def _carried(self, make: Callable[[A], Coroutine[Any, Any, T]], given: A) -> T:
        try:
            return await make(given)
        finally:
            if self._ended is not None:
                _note(self._ended)

    async def first(self, tasks: Collection[asyncio.Task[Any]], seconds: float | None) -> None:
        """Return when one of `tasks`, all begun here, has ended, or after `seconds`.

        None is as long as it takes.
        """
        if not any(task.done() for task in tasks):
            self._ended = asyncio.get_running_loop().create_future()
            await _noted(self._ended, seconds)


async def rung(bell: asyncio.Event, seconds: float | None) -> None:
    """Return when `bell` is set, or after `seconds`; None is as long as it takes.

    Not wait_for: in Python 3.11 it can swallow the cancellation that ends whoever waits.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await bell.wait()


async def _noted(ended: asyncio.Future[None], seconds: float | None) -> None:
    timer = None
    if seconds is not None:
        timer = asyncio.get_running_loop().call_later(seconds, _note, ended)
    try:
        await ended
    finally:
        if timer is not None:
            timer.cancel()


def _note(ended: asyncio.Future[None], _: object = None) -> None:
    if not ended.done():
        ended.set_result(None)

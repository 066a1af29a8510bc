"""Waiting for a coroutine with a time limit that costs nothing when there is nothing to wait for.

Many steps return without waiting for anything, and a timer for each of them would cost more than
they do. So the coroutine is begun first, and only what is left of it is put under the limit.
"""

import asyncio
import contextlib
import types
from collections.abc import Collection, Coroutine, Generator
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


async def over(task: asyncio.Task[Any], seconds: float | None) -> None:
    """Return when `task` has ended, or after `seconds`; what became of it is not asked.

    None is as long as it takes.

    `asyncio.wait` does the same for any number of tasks, at three times the price.
    """
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    timer = None if seconds is None else loop.call_later(seconds, _note, ended)
    note = partial(_note, ended)
    task.add_done_callback(note)
    try:
        await ended
    finally:
        if timer is not None:
            timer.cancel()
        task.remove_done_callback(note)


async def first_over(tasks: Collection[asyncio.Task[Any]], seconds: float | None) -> None:
    """Return when one of `tasks` has ended, or after `seconds`; None is as long as it takes."""
    if len(tasks) == 1:
        (task,) = tasks
        await over(task, seconds)
    else:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def rung(bell: asyncio.Event, seconds: float | None) -> None:
    """Return when `bell` is set, or after `seconds`; None is as long as it takes.

    Not wait_for: in Python 3.11 it can swallow the cancellation that ends whoever waits.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await bell.wait()


def _note(ended: asyncio.Future[None], _: object = None) -> None:
    if not ended.done():
        ended.set_result(None)

"""A time limit that begins when there is something to wait for."""

import asyncio
from typing import Any

import pytest

from engine.shell.within import Several, over, within


async def test_what_waits_for_nothing_is_done_without_a_timer() -> None:
    async def at_once() -> int:
        return 7

    timers = len(asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]
    assert await within(0, at_once()) == 7
    assert len(asyncio.get_running_loop()._scheduled) == timers  # type: ignore[attr-defined]


async def test_what_waits_goes_on_when_that_has_come() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def twice() -> str:
        await first.wait()
        await asyncio.sleep(0)
        await second.wait()
        return "both"

    task = asyncio.create_task(within(5, twice()))
    await asyncio.sleep(0)
    first.set()
    await asyncio.sleep(0)
    assert not task.done()
    second.set()
    assert await asyncio.wait_for(task, 5) == "both"


async def test_an_error_comes_through_before_and_after_the_first_wait() -> None:
    async def fails(at_once: bool) -> None:
        if not at_once:
            await asyncio.sleep(0)
        raise KeyError("a")

    for at_once in (True, False):
        with pytest.raises(KeyError):
            await within(5, fails(at_once))


async def test_an_error_of_what_is_awaited_can_be_caught_inside() -> None:
    broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    broken.set_exception(ValueError("b"))

    async def catches() -> str:
        await asyncio.sleep(0)
        try:
            await broken
        except ValueError as error:
            return str(error)
        return ""

    assert await within(5, catches()) == "b"


async def test_the_limit_ends_what_waits_too_long_and_lets_it_tidy_up() -> None:
    tidied = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied.append(True)

    with pytest.raises(TimeoutError):
        await within(0, forever())
    assert tidied == [True]


async def test_cancelling_reaches_what_waits() -> None:
    begun, seen = asyncio.Event(), []

    async def forever() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.create_task(within(5, forever()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


async def test_the_running_task_is_the_one_that_asked() -> None:
    async def who() -> tuple[Any, Any]:
        before = asyncio.current_task()
        await asyncio.sleep(0)
        return before, asyncio.current_task()

    assert await within(5, who()) == (asyncio.current_task(), asyncio.current_task())


async def test_who_waits_for_a_task_goes_on_when_it_ends_however_it_ends() -> None:
    async def end(how: str) -> None:
        if how == "fails":
            raise KeyError(how)
        if how == "is cancelled":
            raise asyncio.CancelledError

    for how in ("returns", "fails", "is cancelled"):
        task = asyncio.create_task(end(how))
        await over(task, None if how == "fails" else 60)
        assert task.done()
        await over(task, 60)  # it has ended already
        await asyncio.gather(task, return_exceptions=True)


async def test_who_waits_for_a_task_goes_on_when_the_time_is_up_and_the_task_goes_on_too() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    await over(task, 0)
    assert not task.done()
    task.cancel()


async def test_who_waits_for_a_task_can_be_cancelled_without_it() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    waiting = asyncio.create_task(over(task, 60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert not task.cancelled()
    assert not task.done()
    task.cancel()


async def test_who_waits_for_the_first_of_one_or_many_goes_on_when_that_has_ended() -> None:
    for others in (0, 2):
        several = Several()
        forever = [several.begin(_wait, asyncio.Event()) for _ in range(others)]
        short = several.begin(asyncio.sleep, 0)
        for seconds in (None, 60):
            await several.first([*forever, short], seconds)
            assert short.done()
        await several.first(forever or [several.begin(_wait, asyncio.Event())], 0)
        assert not any(task.done() for task in forever)
        for task in forever:
            task.cancel()


async def test_the_first_of_several_may_fail_or_have_ended_before_anybody_waited() -> None:
    async def end(how: str) -> None:
        await asyncio.sleep(0)
        if how == "fails":
            raise KeyError(how)
        if how == "is cancelled":
            raise asyncio.CancelledError

    for how in ("returns", "fails", "is cancelled"):
        for early in (False, True):
            several = Several()
            task = several.begin(end, how)
            if early:
                await asyncio.wait([task])
            await several.first([task], None)
            assert task.done()
            await asyncio.gather(task, return_exceptions=True)


async def test_who_waits_for_the_first_of_several_can_be_cancelled_without_them() -> None:
    several, event = Several(), asyncio.Event()
    task = several.begin(_wait, event)
    waiting = asyncio.create_task(several.first([task], 60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert not task.done()
    event.set()
    await asyncio.wait_for(task, 5)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()

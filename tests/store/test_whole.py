"""Work in a thread that is either done or not."""

import asyncio
import gc
import threading
from pathlib import Path

import pytest

from engine.store.whole import whole
from tests.store.journals import Sqlite


async def test_who_is_cancelled_waits_for_the_end_and_what_was_made_is_taken_back() -> None:
    begun, go, undone = threading.Event(), threading.Event(), list[str]()

    def work() -> str:
        begun.set()
        assert go.wait(10)
        return "made"

    waiting = asyncio.create_task(whole(work, undone.append))
    await asyncio.to_thread(begun.wait, 10)
    waiting.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert undone == ["made"]


async def test_what_fails_made_nothing_that_could_be_taken_back() -> None:
    def work() -> str:
        raise KeyError

    with pytest.raises(KeyError):
        await whole(work, lambda made: pytest.fail(made))
    waiting = asyncio.create_task(whole(work, lambda made: pytest.fail(made)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_database_that_is_given_up_while_it_is_opened_is_closed(tmp_path: Path) -> None:
    opening = asyncio.ensure_future(Sqlite(tmp_path / "h.db").open().__aenter__())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    gc.collect()  # whatever is still open is told of, and that is an error

"""Who lives and who is dead: heartbeats that cost next to nothing, burials, and coming back."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask
from engine.core.log import Row, Write
from engine.shell.roll import Pace
from engine.store import Store
from tests.shell.documents import engine_over, flow, look, write
from tests.store.journals import AT, first, put_due

QUICK = Pace(beat=0.05, lease=600, watch=0.05)
STILL = Pace(beat=600, lease=600, watch=600)


async def nothing(given: Any) -> Any:
    return 1


def documents(tmp_path: Path) -> None:
    nap = {"id": "z", "type": "sleep", "sleep": {"duration": "1h"}}
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]),
          flow("sleeps", [nap]))  # fmt: skip


@asynccontextmanager
async def working(
    tmp_path: Path, function: Callable[[Any], Any] = nothing, pace: Pace = STILL, **more: Any
) -> AsyncGenerator[Engine]:
    functions = {"look": PythonTask(function, Effect.READ)}
    async with engine_over(tmp_path, functions, pace=pace, **more) as engine:
        yield engine


class Counted:
    """How often each statement is asked for, by whatever engine."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.seen: Counter[str] = Counter()
        self.beaten = asyncio.Event()
        self.beats = 0
        fetch, write_ = Store.fetch, Store.write

        async def fetched(store: Store, query: str, **params: Any) -> list[Row]:
            self.seen[query] += 1
            return await fetch(store, query, **params)

        async def written(store: Store, *writes: Write) -> list[list[Row]]:
            done = await write_(store, *writes)
            for one in writes:
                self.seen[one.query] += 1
            if self.seen["worker_beat"] >= self.beats > 0:
                self.beaten.set()
            return done

        patch.setattr(Store, "fetch", fetched)
        patch.setattr(Store, "write", written)

    async def during(self, beats: int) -> Counter[str]:
        """What is asked for while so many hearts have beaten."""
        self.seen.clear()
        self.beaten.clear()
        self.beats = beats
        async with asyncio.timeout(20):
            await self.beaten.wait()
        return self.seen


async def test_an_idle_worker_asks_for_one_statement_a_beat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents(tmp_path)
    counted = Counted(monkeypatch)
    async with working(tmp_path, pace=QUICK) as engine:
        for _ in range(20):
            run = await engine.start("sleeps", {})
            assert (await engine.wait(run.id, 0)).id == run.id
        await counted.during(3)
        assert set(await counted.during(10)) == {"worker_beat"}
    assert 1 / Pace().beat + 1 / 60 < 0.2, "beats, and the slow sweep of a driver that listens"


async def workers(engine: Engine) -> list[Row]:
    return await engine.store.fetch("worker_list")


async def beaten(engine: Engine) -> None:
    """Have its heart beat now."""
    worker = engine._worker
    assert worker is not None
    await worker._beat()


async def test_who_was_taken_for_dead_comes_back_once_under_a_new_number(tmp_path: Path) -> None:
    documents(tmp_path)
    entered, gone = asyncio.Queue[str](), asyncio.Queue[str]()

    def stuck(who: str) -> Callable[[Any], Any]:
        async def wait(given: Any) -> Any:
            entered.put_nowait(who)
            try:
                await asyncio.Event().wait()
            finally:
                gone.put_nowait(who)

        return wait

    async with working(tmp_path, stuck("a")) as slept, asyncio.timeout(20):
        run = await slept.start("w", {})
        assert await entered.get() == "a"
        (before,) = await workers(slept)
        bury = {"owner": before["id"], "now": AT}
        await slept.store.write(
            Write("due_free_all", bury), Write("worker_drop", {"id": before["id"]})
        )
        async with working(tmp_path, stuck("b")) as other:
            assert await entered.get() == "b"  # it was free, so it went to somebody who lives
            await beaten(slept)
            assert await gone.get() == "a"
            rows = {row["id"]: row["held"] for row in await workers(slept)}
            assert len(rows) == 2
            assert before["id"] not in rows
            assert sorted(rows.values()) == [0, 1]
            await beaten(other)
            await beaten(slept)
            assert {row["id"] for row in await workers(slept)} == rows.keys(), "it is not buried"
            await other.cancel(run.id, actor="ann")
            assert await gone.get() == "b"


async def test_a_lease_whose_owner_is_on_no_list_is_freed(tmp_path: Path) -> None:
    documents(tmp_path)
    async with working(tmp_path) as engine:
        done = await engine.store.append(first(also=(put_due(owner=4711),)))
        await beaten(engine)
        assert await engine.store.fetch("due_held", owner=4711) == []
        assert done.streams


async def test_the_dead_are_found_by_their_lock_without_a_beat(tmp_path: Path) -> None:
    documents(tmp_path)
    async with AsyncExitStack() as stack:
        entered = asyncio.Event()

        async def stuck(given: Any) -> Any:
            entered.set()
            await asyncio.Event().wait()

        dies = await stack.enter_async_context(working(tmp_path, stuck))
        dies.patience = 0.0
        run = await dies.start("w", {})
        await asyncio.wait_for(entered.wait(), 5)
        quick = Pace(beat=600, lease=600, watch=0.05)
        lives = await stack.enter_async_context(working(tmp_path, pace=quick))
        assert dies._worker is not None
        lock = dies._worker.roll._lock
        assert lock is not None
        lock.release(remove=True)  # what the system does when the process dies
        assert (await lives.wait(run.id, 10)).status == "completed"
        assert len(await workers(lives)) == 1

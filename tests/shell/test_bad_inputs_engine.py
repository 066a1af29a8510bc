"""Bad inputs 98 to 100: a clock that goes back, a journal that cannot be written, a locked file.

98 (an hour back) is proved where each clock is read: approvals in test_approvals.py
(`test_what_ran_out_stays_so_although_the_clock_is_set_back`), PINs in tests/attacks/test_pin.py,
limits in tests/server/test_limits.py, sessions of the page in tests/console/test_sessions.py; here
it is an approval that was allowed. 99 and 100 are here. 97 (webhooks) has no door yet.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, PythonTask
from engine.shell.clock import TestClock
from engine.store.writer import Alone
from tests.shell.deciding import ann, refusal
from tests.shell.documents import engine_over, flow, write
from tests.shell.test_gate_runs import SEND, STEPS, begun, moved_on

pytestmark = pytest.mark.requirement("no-record-no-change")

HOUR = 3_600_000_000


async def told(engine: Engine, pragma: str) -> None:
    """Tell the one connection that writes something about its file."""
    await engine.store._writer.ask(Alone(lambda session: session._db.execute(pragma)))


@asynccontextmanager
async def unwritable(engine: Engine) -> AsyncGenerator[None]:
    """SQLite refuses every write, as where the disk has gone."""
    await told(engine, "pragma query_only = on")
    try:
        yield
    finally:
        await told(engine, "pragma query_only = off")


@asynccontextmanager
async def served(tmp_path: Path, send: Any, **more: Any) -> AsyncGenerator[Engine]:
    write(tmp_path / "documents", SEND, flow("w", STEPS, input={"filler": {"type": "string"}}))
    async with engine_over(tmp_path, {"send": PythonTask(send)}, **more) as engine:
        yield engine


async def _yes(engine: Engine, run_id: str) -> None:
    view = await engine.approvals.get((await engine.run(run_id)).approval)
    await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))


async def test_where_a_vote_cannot_be_written_nothing_is_sent(tmp_path: Path) -> None:  # 99
    sent: list[Any] = []
    async with served(tmp_path, sent.append) as engine:
        run_id = await begun(engine)
        approver = await ann(engine)
        view = await engine.approvals.get((await engine.run(run_id)).approval)
        before = (await engine.verify()).events
        async with unwritable(engine):
            with refusal("database_read_only"):
                await engine.approvals.approve(view.id, digest=view.digest, approver=approver)
            assert (await engine.approvals.get(view.id)).state == "pending"
        assert (await engine.verify()).events == before
        assert sent == []
        await engine.approvals.approve(view.id, digest=view.digest, approver=approver)
        assert (await moved_on(engine, run_id)).status == "completed"
        assert sent == [{"n": 1}, {"n": 2}]


async def test_where_a_change_cannot_be_noted_first_it_is_not_made(tmp_path: Path) -> None:  # 99
    """The journal goes away while the first change is made: the second is not even begun."""
    sent: list[Any] = []
    gone = asyncio.Event()

    async def send(given: Any) -> None:
        sent.append(given["n"])
        if given["n"] == 1:
            await told(engine, "pragma query_only = on")
            gone.set()

    async with served(tmp_path, send) as engine:
        run_id = await begun(engine)
        await _yes(engine, run_id)
        async with asyncio.timeout(20):
            await gone.wait()
        with refusal("database_read_only"):
            await engine.cancel(run_id, actor="ann")
        assert sent == [1]
        await told(engine, "pragma query_only = off")
        async with asyncio.timeout(20):
            run = await engine.wait(run_id, 20)
            while run.status == "active":
                run = await engine.wait(run_id, 20)
        assert sent.count(1) == 1
        assert sent == ([1, 2] if run.status == "completed" else [1])
        assert (await engine.verify()).problems == ()


async def test_where_the_disk_is_full_no_run_begins(tmp_path: Path) -> None:  # 99
    sent: list[Any] = []
    async with served(tmp_path, sent.append) as engine:
        await begun(engine)
        runs, events = await engine.runs(), (await engine.verify()).events
        await told(engine, "pragma max_page_count = 1")  # SQLite takes what there is
        with refusal("database_full"):
            await engine.start("w", {"filler": "x" * 200_000}, key="another")
        assert await engine.runs() == runs
        assert (await engine.verify()).events == events
        await told(engine, "pragma max_page_count = 1000000")
        assert (await engine.start("w", {"filler": "x" * 200_000}, key="another")).id
        assert sent == []


async def test_a_file_that_another_program_holds_is_said_and_waited_out(  # 100
    tmp_path: Path,
) -> None:
    sent: list[Any] = []
    async with served(tmp_path, sent.append) as engine:
        run_id = await begun(engine)
        view = await engine.approvals.get((await engine.run(run_id)).approval)
        approver = await ann(engine)
        await told(engine, "pragma busy_timeout = 200")
        with closing(sqlite3.connect(str(engine.place), isolation_level=None)) as other:
            other.execute("begin immediate")
            with refusal("database_locked"):
                await engine.approvals.approve(view.id, digest=view.digest, approver=approver)
            with refusal("database_locked"):
                await engine.start("w", {}, key="another")
            assert (await engine.approvals.get(view.id)).state == "pending"
            assert sent == []
            other.execute("rollback")
        await engine.approvals.approve(view.id, digest=view.digest, approver=approver)
        assert (await moved_on(engine, run_id)).status == "completed"
        assert sent == [{"n": 1}, {"n": 2}]


async def test_an_hour_back_repeats_nothing_and_revives_nothing(tmp_path: Path) -> None:  # 98
    sent: list[Any] = []
    clock = TestClock()
    async with served(tmp_path, sent.append, clock=clock) as engine:
        run_id = await begun(engine)
        first = (await engine.run(run_id)).approval
        await _yes(engine, run_id)
        assert (await moved_on(engine, run_id)).status == "completed"
        clock.time -= HOUR
        done = await engine.approvals.get(first)
        assert (done.state, done.outcome) == ("done", "ok")
        with refusal("run_over"):
            await engine.approvals.approve(first, digest=done.digest, approver=await ann(engine))
        again = await engine.start("w", {}, key="another")
        again = await engine.wait(again.id, 20)
        assert again.status == "paused:approval"
        assert again.approval != first
        assert sent == [{"n": 1}, {"n": 2}]
        assert (await engine.verify()).problems == ()

"""A worker that lets go of a run early: stories that the simulation told."""

import asyncio
from pathlib import Path
from typing import Any

from engine import Effect, PythonTask
from engine.core.plan import Planner
from engine.core.run import Run
from engine.shell.drive import Held
from tests.shell.documents import engine_over, flow, look, write


async def one(given: Any) -> Any:
    return 1


ONE = {"look": PythonTask(one, Effect.READ)}


async def test_a_run_let_go_of_before_it_began_leaves_no_place_taken_and_is_carried_out(
    tmp_path: Path,
) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, ONE) as engine:
        worker = engine._worker
        assert worker is not None
        run = await engine.start("w", {}, key="k")  # with a key nothing is begun before the commit
        (stream,) = worker._tasks
        worker.drop(stream)
        assert (await engine.wait(run.id, 5)).status == "completed"
        assert worker.held == 0


async def test_a_lease_given_under_a_number_that_is_dead_by_now_is_not_worked_on(
    tmp_path: Path,
) -> None:
    async with engine_over(tmp_path, ONE) as engine:
        worker = engine._worker
        assert worker is not None
        held = Held(1, Run(uid="u"), "default", [])
        worker.adopt(held, Planner.__new__(Planner), worker.id + 1)
        assert worker.held == 0


async def test_a_worker_that_was_buried_takes_nothing_up_before_it_is_on_the_roll_again(
    tmp_path: Path,
) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, ONE) as engine:
        worker = engine._worker
        assert worker is not None
        before, coming = worker.id, asyncio.create_task(worker._come_back())
        await asyncio.sleep(0)
        while not coming.done():
            assert worker.room == 0
            await asyncio.sleep(0)
        rows = await engine.store.fetch("worker_list")
        assert worker.id in {row["id"] for row in rows}
        assert worker.id != before
        run = await engine.start("w", {})
        assert (await engine.wait(run.id, 5)).status == "completed"

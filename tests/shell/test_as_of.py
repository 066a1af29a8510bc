"""A run as it was at some time of its life."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine import Effect, PythonTask, open_engine
from engine.core.errors import Refused
from engine.shell.clock import TestClock
from tests.bench.workload import settings


async def test_a_run_can_be_seen_as_it_was_at_any_time_of_its_life(tmp_path: Path) -> None:
    clock = TestClock()

    async def slowly(given: object) -> object:
        clock.time += 1_000
        return {"ok": True}

    functions = {"noop": PythonTask(slowly, Effect.READ)}
    async with open_engine(replace(settings(tmp_path, functions=functions), clock=clock)) as engine:
        begun = clock.time
        run = await engine.start("ten", {})
        ended = await engine.wait(run.id, 20)
        assert ended.status == "completed"
        for done in range(10):
            shown = await engine.run_as_of(run.id, begun + done * 1_000)
            assert (shown.status, shown.ended_at, shown.output) == ("active", None, shown.output)
            assert sum(step.status == "done" for step in shown.steps) == done
        last = await engine.run_as_of(run.id, begun + 10_000)
        assert (last.status, last.output, last.steps) == ("completed", ended.output, ended.steps)


async def test_before_its_start_a_run_is_not_there(tmp_path: Path) -> None:
    async with open_engine(settings(tmp_path)) as engine:
        run = await engine.start("one", {})
        with pytest.raises(Refused) as refused:
            await engine.run_as_of(run.id, run.created_at - 1)
        assert refused.value.code == "not_yet"
        assert refused.value.details == {"createdAt": run.created_at}

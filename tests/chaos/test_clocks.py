"""Clocks that jump: nobody is taken for dead, nothing is forgotten, no id is given twice."""

import asyncio
import os
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import Effect, Engine, PythonTask, Settings, open_engine
from engine.shell.clock import WorldClock
from engine.shell.roll import Pace
from tests.chaos.clocks import DAY, jumps
from tests.shell.documents import flow, look, write

SOON = 20.0


@dataclass(slots=True)
class Shifted(WorldClock):
    """The world's clock, as many microseconds off as a test says."""

    shift: int = 0

    def now(self) -> int:
        return WorldClock.now(self) + self.shift


class Gated:
    """A step that waits to be let through."""

    def __init__(self) -> None:
        self.entered, self.open = asyncio.Event(), asyncio.Event()

    async def look(self, given: object) -> object:
        self.entered.set()
        await self.open.wait()
        return given


@asynccontextmanager
async def engine(tmp_path: Path, clock: Shifted, gate: Gated) -> AsyncGenerator[Engine]:
    """An engine with room for one run, and a clock that can be shifted."""
    nap = {"id": "n", "type": "sleep", "sleep": {"duration": "1h"}}
    documents = tmp_path / "documents"
    if not documents.exists():
        write(documents, look("t"), flow("w", [{"id": "a", "taskRef": "t"}]), flow("nap", [nap]))
    functions = {"look": PythonTask(gate.look, Effect.READ)}
    settings = Settings(
        str(tmp_path / "h.db"),
        (documents,),
        functions=functions,
        concurrency=1,
        pace=Pace(0.05, 0.5, 0.05),
        clock=clock,
    )
    async with open_engine(settings) as made:
        yield made


@pytest.mark.timeout(120)
@pytest.mark.skipif(os.name == "nt", reason="the crew is stopped by signals")
async def test_jumps_by_days_under_three_processes_harm_nobody(tmp_path: Path) -> None:
    figures = await jumps(tmp_path, random.Random(5), 2)
    assert figures["jumps backwards"]


async def test_what_was_due_before_the_clock_went_back_is_still_due(tmp_path: Path) -> None:
    clock, gate = Shifted(), Gated()
    async with engine(tmp_path, clock, gate) as made:
        first = await made.start("w", {})
        await gate.entered.wait()
        queued = await made.start("w", {})  # there is no room for it
        clock.shift = -2 * DAY
        gate.open.set()
        assert (await made.wait(first.id, SOON)).status == "completed"
        assert (await made.wait(queued.id, SOON)).status == "completed"


async def test_what_was_due_is_taken_up_by_a_process_that_begins_after_the_clock_went_back(
    tmp_path: Path,
) -> None:
    clock, gate = Shifted(2 * DAY), Gated()
    async with engine(tmp_path, clock, gate) as made:
        made.patience = 0.0
        left = await made.start("w", {})
        await gate.entered.wait()
    gate.open.set()
    async with engine(tmp_path, Shifted(), gate) as made:
        assert (await made.wait(left.id, SOON)).status == "completed"


async def test_who_sleeps_is_woken_when_the_clock_jumps_past_its_time(tmp_path: Path) -> None:
    clock = Shifted()
    async with engine(tmp_path, clock, Gated()) as made:
        asleep = await made.start("nap", {})
        assert (await made.wait(asleep.id, 0.2)).status == "paused:timer"
        clock.shift = -DAY
        assert (await made.wait(asleep.id, 0.2)).status == "paused:timer"
        clock.shift = DAY
        assert (await made.wait(asleep.id, SOON)).status == "completed"


async def test_a_jump_lets_nobody_take_the_living_for_dead(tmp_path: Path) -> None:
    clock, gate = Shifted(), Gated()
    async with engine(tmp_path, clock, gate) as one, engine(tmp_path, clock, gate) as other:
        run = await one.start("w", {})
        await gate.entered.wait()
        before = await other.store.fetch("worker_list")
        for shift in (3 * DAY, -3 * DAY, DAY):
            clock.shift = shift
            seen = await beats(other)
            async with asyncio.timeout(SOON):
                while seen & await beats(other):
                    await asyncio.wait_for(other.store.stirred(), SOON)
        after = await other.store.fetch("worker_list")
        assert {row["id"] for row in after} == {row["id"] for row in before}
        gate.open.set()
        assert (await one.wait(run.id, SOON)).status == "completed"


async def beats(made: Engine) -> set[int]:
    """The last beat of every worker."""
    return {row["seen_at"] for row in await made.store.fetch("worker_list")}

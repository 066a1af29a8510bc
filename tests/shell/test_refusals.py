"""Refusals are counted by caller, code and minute, and nothing waits for the counting."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from engine import Engine, open_engine
from engine.app.refusals import MINUTE, MOST_PAIRS, OTHERS
from engine.features.refusals import RefusalsCounted
from engine.shell.clock import TestClock
from tests.bench.workload import settings


async def counted(engine: Engine) -> list[RefusalsCounted]:
    found = [each.event async for each in engine.store.tail()]
    return [event for event in found if isinstance(event, RefusalsCounted)]


@pytest.mark.requirement("refusals-counted")
async def test_the_same_refusals_of_one_minute_are_one_event(tmp_path: Path) -> None:
    clock = TestClock()
    minute = clock.time // MINUTE * MINUTE
    chosen = replace(settings(tmp_path), clock=clock)
    async with open_engine(chosen) as engine:
        for principal, code in 3 * [("ann", "unknown_run")] + [("bob", "unknown_run")]:
            engine.refusals.note(principal, code)
        clock.time += MINUTE
        engine.refusals.note("ann", "unknown_run")
    async with open_engine(chosen) as engine:
        assert await counted(engine) == [
            RefusalsCounted(minute, "ann", "unknown_run", 3),
            RefusalsCounted(minute, "bob", "unknown_run", 1),
            RefusalsCounted(minute + MINUTE, "ann", "unknown_run", 1),
        ]


async def test_what_was_counted_is_written_when_its_minute_is_over(tmp_path: Path) -> None:
    clock = TestClock()
    clock.time = clock.time // MINUTE * MINUTE + MINUTE - 1_000
    async with open_engine(replace(settings(tmp_path), clock=clock)) as engine:
        engine.refusals.note("ann", "unknown_run")
        writing = engine.refusals.writing
        assert writing is not None
        assert not writing.done()
        await asyncio.wait_for(writing, 5)
        assert [each.count for each in await counted(engine)] == [1]


async def test_many_callers_in_one_minute_count_together(tmp_path: Path) -> None:
    chosen = replace(settings(tmp_path), clock=TestClock())
    async with open_engine(chosen) as engine:
        for number in range(MOST_PAIRS + 5):
            engine.refusals.note(f"caller {number}", "unknown_run")
    async with open_engine(chosen) as engine:
        found = await counted(engine)
    assert len(found) == MOST_PAIRS + 1
    assert [each.count for each in found if each.principal == OTHERS] == [5]

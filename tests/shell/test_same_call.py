"""The same call of what changes something finds its run, until some time after its end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask, Requester
from engine.core.calls import is_call
from engine.core.views import RunView
from engine.shell.clock import TestClock
from tests.shell.deciding import say_yes
from tests.shell.documents import engine_over, flow, look, write

AGAIN = 600_000_000
CLAUDE = Requester("stdio", client="Claude")
EVE = Requester("http", "https://login.example", "eve")


async def answer(given: Any) -> Any:
    return {"ok": True}


CHANGES = {"look": PythonTask(answer, Effect.MUTATION)}
READS = {"look": PythonTask(answer, Effect.READ)}


def documents(tmp_path: Path) -> None:
    steps = [{"id": "a", "taskRef": "t"}]
    anything = {"n": {"type": "integer", "default": 0}}
    write(tmp_path / "documents", look("t"), flow("w", steps, input=anything))


async def call(
    engine: Engine, given: Any = None, *, by: Requester = CLAUDE, **more: Any
) -> RunView:
    return await engine.start("w", given or {}, requester=by, again_after=AGAIN, **more)


@pytest.mark.requirement("same-call-same-run")
async def test_a_repeated_call_finds_its_run_and_no_other_does(tmp_path: Path) -> None:
    documents(tmp_path)
    async with engine_over(tmp_path, CHANGES, work=False) as engine:
        await say_yes(engine, call(engine))
        first = await call(engine)
        again = await call(engine, {"n": 0}, by=Requester("stdio", client="Codex"))
        assert (again.id, again.reused) == (first.id, True)
        others = [
            await call(engine, {"n": 1}),
            await call(engine, by=EVE),
            await call(engine, version="1.0.0"),
            await call(engine, key="once more"),
            await engine.start("w", {}, requester=CLAUDE),
        ]
        assert len({first.id, *(other.id for other in others)}) == 6


@pytest.mark.requirement("same-call-same-run")
async def test_some_time_after_its_end_the_same_call_is_a_new_run(tmp_path: Path) -> None:
    documents(tmp_path)
    clock = TestClock()
    async with engine_over(tmp_path, CHANGES, work=False, clock=clock) as engine:
        await say_yes(engine, call(engine))
        first = await call(engine)
        clock.time += 10 * AGAIN
        assert (await call(engine)).id == first.id
        await engine.cancel(first.id, actor="ann", requester=CLAUDE)
        clock.time += AGAIN - 1
        assert (await call(engine)).id == first.id
        clock.time += 1
        second = await call(engine)
        assert (second.id == first.id, second.reused) == (False, False)
        assert (await call(engine)).id == second.id
        before = await engine.runs()
        await engine.rebuild()
        assert await engine.runs() == before
        assert (await call(engine)).id == second.id


async def test_what_only_reads_runs_each_time(tmp_path: Path) -> None:
    documents(tmp_path)
    async with engine_over(tmp_path, READS, work=False) as engine:
        assert (await call(engine)).id != (await call(engine)).id


async def test_two_at_once_are_one(tmp_path: Path) -> None:
    documents(tmp_path)
    async with engine_over(tmp_path, CHANGES, work=False) as engine:
        await say_yes(engine, call(engine))
    async with (
        engine_over(tmp_path, CHANGES, work=False) as engine,
        engine_over(tmp_path, CHANGES, work=False) as other,
    ):
        found = await asyncio.gather(*(call(each) for each in (engine, other) * 4))
        assert len({run.id for run in found}) == 1


def test_a_key_that_a_caller_chose_is_no_calls_key() -> None:
    assert not is_call("order-7")
    assert not is_call("=" + "0" * 63)


async def test_what_was_accepted_in_another_process_a_moment_ago_is_not_asked_again(
    tmp_path: Path,
) -> None:
    documents(tmp_path)
    async with (
        engine_over(tmp_path, CHANGES, work=False) as engine,
        engine_over(tmp_path, CHANGES, work=False) as other,
    ):
        await say_yes(other, call(engine))
        assert (await call(engine)).status == "pending"

"""A run is worked on while its start is on its way to the disk, and nobody hears of it earlier."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from engine import Effect, Engine, PythonTask
from engine.core import events as ev
from engine.core.log import Recorded
from engine.store.lock import Turn
from tests.shell.documents import engine_over, flow, look, task, write

CHAIN: Sequence[Mapping[str, Any]] = [
    {"id": "a", "taskRef": "t"},
    {"id": "b", "taskRef": "t", "dependsOn": ["a"]},
]


class Step:
    """A step that says when it was entered, and waits where it is to."""

    def __init__(self, *, waits: bool = False) -> None:
        self.entered, self.open = asyncio.Event(), asyncio.Event()
        self.times = 0
        if not waits:
            self.open.set()

    async def look(self, given: Any) -> Any:
        self.times += 1
        self.entered.set()
        if not self.open.is_set():
            await self.open.wait()
        return {"n": self.times}


@asynccontextmanager
async def engine(tmp_path: Path, step: Step, **more: Any) -> AsyncGenerator[Engine]:
    write(tmp_path / "documents", look("t"), flow("one", CHAIN[:1]), flow("two", CHAIN))
    functions = {"look": PythonTask(step.look, Effect.READ)}
    async with engine_over(tmp_path, functions, **more) as made:
        yield made


@asynccontextmanager
async def nobody_writes(engine: Engine) -> AsyncGenerator[None]:
    """The file's turn is somebody else's."""
    turn = Turn(Path(f"{engine.place}.lock"), 5.0)
    try:
        with turn.held():
            yield
    finally:
        turn.close()


async def story(engine: Engine) -> list[Recorded]:
    """Everything that is recorded of runs."""
    kinds = (ev.RunStarted, ev.StepSucceeded, ev.RunCompleted, ev.RunResumed)
    return [line async for line in engine.store.tail() if isinstance(line.event, kinds)]


async def test_a_step_that_waits_for_nothing_is_recorded_with_the_start(tmp_path: Path) -> None:
    step = Step()
    async with engine(tmp_path, step) as made:
        run = await made.start("one", {}, actor="ann")
        assert (await made.wait(run.id, 20)).status == "completed"
        told = await story(made)
        kinds = [type(line.event) for line in told]
        assert kinds == [ev.RunStarted, ev.StepSucceeded, ev.RunCompleted]
        assert [line.version for line in told] == [1, 2, 3]
        assert [line.actor for line in told] == ["ann", *[f"worker:{made._worker.id}"] * 2]  # type: ignore[union-attr]
        assert told[0].at <= told[1].event.started_at <= told[1].at == told[2].at
        assert (await made.store.fetch("due_next"))[0]["at"] is None
        assert (await made.verify()).problems == ()
        await made.rebuild()
        assert (await made.run(run.id)).status == "completed"


async def test_what_comes_after_the_first_step_waits_for_the_disk(tmp_path: Path) -> None:
    step = Step()
    async with engine(tmp_path, step) as made:
        async with nobody_writes(made):
            starting = asyncio.create_task(made.start("two", {}))
            await step.entered.wait()
            for _ in range(50):
                await asyncio.sleep(0)
            assert step.times == 1
            assert not starting.done()
            assert not (await made.runs()).rows
        run = await starting
        assert (await made.wait(run.id, 20)).status == "completed"
        assert step.times == 2


async def test_a_step_that_waits_keeps_no_start_waiting(tmp_path: Path) -> None:
    step = Step(waits=True)
    async with engine(tmp_path, step) as made:
        run = await made.start("one", {})
        assert run.status == "active"
        await step.entered.wait()
        assert made.holding == 1
        step.open.set()
        assert (await made.wait(run.id, 20)).status == "completed"
        assert step.times == 1


async def test_a_start_does_not_tell_of_what_came_after_it_and_is_not_on_disk(
    tmp_path: Path,
) -> None:
    step = Step(waits=True)
    async with engine(tmp_path, step) as made:
        async with nobody_writes(made):
            starting = asyncio.create_task(made.start("one", {}))
            await step.entered.wait()
            await asyncio.sleep(0)
            step.open.set()
            for _ in range(50):
                await asyncio.sleep(0)
        run = await starting
        assert (run.status, run.steps) == ("active", ())
        assert (await made.wait(run.id, 20)).status == "completed"


async def test_a_start_that_is_given_up_leaves_no_run_behind_that_nobody_works_on(
    tmp_path: Path,
) -> None:
    step = Step()
    async with engine(tmp_path, step) as made:
        async with nobody_writes(made):
            starting = asyncio.create_task(made.start("two", {}))
            await step.entered.wait()
            await asyncio.sleep(0)
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            assert made.holding == 0
        for row in (await made.runs()).rows:
            assert (await made.wait(row.id, 20)).status == "completed"
        assert made._worker is not None
        assert not made._worker._unborn
        assert not made._worker._by_uid


async def test_a_run_that_ends_with_its_start_leaves_its_place_at_once(tmp_path: Path) -> None:
    step = Step()
    async with engine(tmp_path, step, concurrency=1) as made:
        worker = made._worker
        assert worker is not None
        async with nobody_writes(made):
            starting = asyncio.create_task(made.start("one", {}))
            await step.entered.wait()
            worker.poke()
            async with asyncio.timeout(20):
                while not worker._full:  # noqa: ASYNC110 - the claim reads first
                    await asyncio.sleep(0)
        run = await starting
        assert run.status == "completed"
        assert made.holding == 0
        async with asyncio.timeout(20):
            while worker._full:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0)


async def test_a_run_is_shown_at_its_end_as_its_history_tells_it(tmp_path: Path) -> None:
    unwanted = {"id": "c", "taskRef": "t", "condition": "1 == 2"}
    each = {"id": "d", "taskRef": "t", "forEach": {"items": []}}
    write(tmp_path / "documents", flow("more", [*CHAIN, unwanted, each]), name="more.yaml")
    async with engine(tmp_path, Step()) as made:
        for name in ("one", "more"):
            begun = await made.start(name, {})
            shown = await made.wait(begun.id, 20)
            assert name == "more" or shown == begun
            assert shown == await made.run(begun.id)
            made._lists.forget_all()
            assert shown == await made.run(begun.id)


def changing(folder: Path, sent: list[Any]) -> AbstractAsyncContextManager[Engine]:
    """An engine with a workflow `m` that changes something, and a rule that lets it."""
    send = task("send", type="python", python={"function": "send"})
    write(folder / "documents", send, flow("m", [{"id": "a", "taskRef": "send"}]))
    policy = folder / "policy.yaml"
    policy.write_text(
        "rules:\n  - {id: all, when: {workflow: [default/m]}, then: {auto: true, budget: 9/h}}\n"
    )
    return engine_over(folder, {"send": PythonTask(sent.append)}, policy=policy)


async def test_a_mutation_waits_until_it_is_on_disk_why_it_is_made(tmp_path: Path) -> None:
    sent: list[Any] = []
    async with changing(tmp_path, sent) as made:
        await made.wait((await made.start("m", {})).id, 20)
        assert len(sent) == 1  # the version is accepted and everything is at hand from here on
        async with nobody_writes(made):
            starting = asyncio.create_task(made.start("m", {}))
            for _ in range(200):
                await asyncio.sleep(0)
            assert len(sent) == 1
            assert not starting.done()
        assert (await made.wait((await starting).id, 20)).status == "completed"
        assert len(sent) == 2


async def test_what_a_rule_grants_is_recorded_with_the_first_intent_under_it(
    tmp_path: Path,
) -> None:
    sent: list[Any] = []
    async with changing(tmp_path, sent) as made:
        run = await made.wait((await made.start("m", {})).id, 20)
        row = await made._lists.row(run.id)
        appends = defaultdict[int, list[str]](list)
        for line in await made.store.read(row["id"]):
            appends[line.at].append(type(line.event).__name__)
    assert len(sent) == 1
    assert list(appends.values()) == [
        ["RunStarted"],
        ["MutationsGranted", "StepInFlight"],
        ["StepSucceeded", "RunCompleted"],
    ]

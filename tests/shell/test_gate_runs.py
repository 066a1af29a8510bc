"""A run that changes something, from its start to its end: nothing without a person, once with."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, PythonTask
from engine.core.log import Write
from engine.core.views import RunView
from engine.shell.keeping import Parked, Permit
from tests.shell.deciding import ann, say_yes
from tests.shell.documents import engine_over, flow, task, write

SEND = task("send", type="python", python={"function": "send"})
STEPS: list[Any] = [
    {"id": "a", "taskRef": "send", "input": {"n": 1}},
    {"id": "b", "taskRef": "send", "input": {"n": 2}, "dependsOn": ["a"]},
]


async def begun(engine: Engine) -> str:
    """A run of an accepted workflow that waits for a person."""
    await say_yes(engine, engine.start("w", {}))
    run = await engine.wait((await engine.start("w", {})).id, 20)
    assert (run.status, run.whose_move) == ("paused:approval", "person")
    assert run.approval.startswith("apr_")
    return run.id


async def moved_on(engine: Engine, run_id: str) -> RunView:
    """The run once it does not wait for its approval any more."""
    async with asyncio.timeout(20):
        while True:
            moved = asyncio.ensure_future(engine.moved())
            await asyncio.sleep(0)
            run = await engine.wait(run_id, 20)
            if run.status != "paused:approval":
                moved.cancel()
                return run
            await moved


async def test_a_run_waits_for_a_person_and_does_what_they_allowed_once(tmp_path: Path) -> None:
    sent: list[Any] = []
    write(tmp_path / "documents", SEND, flow("w", STEPS))
    async with engine_over(tmp_path, {"send": PythonTask(sent.append)}) as engine:
        run_id = await begun(engine)
        assert sent == []
        view = await engine.approvals.get((await engine.run(run_id)).approval)
        assert [op.id for op in view.plan.ops] == ["a", "b"]
        await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))
        run = await moved_on(engine, run_id)
        assert (run.status, sent) == ("completed", [{"n": 1}, {"n": 2}])
        assert [step.outcome and step.outcome.grant for step in run.steps] == [view.id] * 2
        ended = await engine.approvals.get(view.id)
        assert (ended.state, ended.outcome) == ("done", "ok")
        assert (await engine.verify()).problems == ()
        before = await engine.runs()
        await engine.rebuild()
        assert await engine.runs() == before


async def test_a_no_ends_the_run_and_nothing_was_sent(tmp_path: Path) -> None:
    sent: list[Any] = []
    write(tmp_path / "documents", SEND, flow("w", STEPS))
    async with engine_over(tmp_path, {"send": PythonTask(sent.append)}) as engine:
        run_id = await begun(engine)
        view = await engine.approvals.get((await engine.run(run_id)).approval)
        await engine.approvals.deny(view.id, digest=view.digest, approver=await ann(engine))
        run = await moved_on(engine, run_id)
        assert (run.status, sent) == ("failed:denied", [])


async def test_a_vote_in_another_process_wakes_the_run(tmp_path: Path) -> None:
    sent: list[Any] = []
    write(tmp_path / "documents", SEND, flow("w", STEPS))
    functions = {"send": PythonTask(sent.append)}
    async with (
        engine_over(tmp_path, functions) as works,
        engine_over(tmp_path, functions, work=False) as decides,
    ):
        run_id = await begun(works)
        view = await decides.approvals.get((await decides.run(run_id)).approval)
        await decides.approvals.approve(view.id, digest=view.digest, approver=await ann(decides))
        assert (await moved_on(works, run_id)).status == "completed"
        assert len(sent) == 2


async def test_what_nobody_knows_the_fate_of_is_refused_to_a_retry(tmp_path: Path) -> None:
    def broken(given: Any) -> Any:
        raise RuntimeError("no")

    write(tmp_path / "documents", SEND, flow("w", STEPS[:1]))
    async with engine_over(tmp_path, {"send": PythonTask(broken)}) as engine:
        run_id = await begun(engine)
        view = await engine.approvals.get((await engine.run(run_id)).approval)
        await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))
        run = await moved_on(engine, run_id)
        assert (run.status, run.steps[0].status) == ("paused:reconciliation", "indeterminate")
        needing = await engine.approvals.needing()
        assert [(one.run, one.path) for one in needing.outcomes] == [(run_id, "a")]


@pytest.mark.requirement("gated-versions")
async def test_what_was_accepted_in_one_process_starts_in_another(tmp_path: Path) -> None:
    write(tmp_path / "documents", SEND, flow("w", STEPS))
    sends = {"send": PythonTask(lambda given: given)}
    async with (
        engine_over(tmp_path, sends, work=False) as one,
        engine_over(tmp_path, sends, work=False) as two,
    ):
        assert (await two.versions("w"))[0].pending
        moved = asyncio.ensure_future(two.moved())
        await say_yes(one, one.start("w", {}))
        async with asyncio.timeout(20):
            while (await two.versions("w"))[0].pending:
                await moved
                moved = asyncio.ensure_future(two.moved())
        moved.cancel()
        assert (await two.start("w", {})).status == "pending"


async def test_a_deadline_ends_what_a_run_still_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "documents", SEND, flow("w", STEPS))
    async with engine_over(tmp_path, {"send": PythonTask(lambda given: given)}) as engine:
        await say_yes(engine, engine.start("w", {}))
        run = await engine.wait((await engine.start("w", {}, deadline=1_500_000)).id, 20)
        assert run.status == "paused:approval"
        approval = run.approval
        run = await moved_on(engine, run.id)
        assert (run.status, run.failure and run.failure.code) == ("failed:exhausted", "deadline")
        assert (await engine.approvals.get(approval)).state == "void"


async def test_a_vote_that_comes_while_the_run_parks_is_not_missed(tmp_path: Path) -> None:
    sent: list[Any] = []
    write(tmp_path / "documents", SEND, flow("w", STEPS))
    async with engine_over(tmp_path, {"send": PythonTask(sent.append)}) as engine:
        run_id = await begun(engine)
        view = await engine.approvals.get((await engine.run(run_id)).approval)
        approver = await ann(engine)
        (row,) = await engine.store.fetch("run_by_uid", tenant="default", uid=run_id)
        keeper = engine.approvals.keeper
        asked, times = keeper.ask, 0

        async def overtaken(*given: Any) -> Permit:
            nonlocal times
            permit, times = await asked(*given), times + 1
            if times == 1:
                assert isinstance(permit, Parked)
                await engine.approvals.approve(view.id, digest=view.digest, approver=approver)
            return permit

        keeper.ask = overtaken  # type: ignore[method-assign, assignment]
        put = {"stream": row["id"], "tenant": "default", "lane": 0, "at": 0, "owner": 0}
        await engine.store.write(Write("due_put", put))
        assert engine._worker is not None
        engine._worker.poke()
        run = await moved_on(engine, run_id)
        run = await engine.wait(run_id, 20)
        assert (run.status, len(sent), times) == ("completed", 2, 2)

"""What is learned of a mutation when nobody waits for it: not lost, and not believed blindly."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, PythonTask
from engine.core import events as ev
from engine.core.errors import Stale
from engine.core.run import Resolve, decide
from engine.shell.drive import Drive
from tests.shell.deciding import ann
from tests.shell.documents import engine_over, flow, write
from tests.shell.drives import World, world
from tests.shell.test_gate_runs import SEND, STEPS, begun
from tests.shell.test_mutations import paying
from tests.shell.till import Till, till


async def under_way(made: World, shop: Till) -> tuple[Drive, "asyncio.Task[Any]"]:
    """A drive whose request is with the till, which keeps it waiting."""
    shop.plan.insert(0, "held")
    drive = await made.taken_up()
    going = asyncio.create_task(drive.go())
    await asyncio.wait_for(shop.reached.wait(), 20)
    return drive, going


async def told(drive: Drive, going: "asyncio.Task[Any]") -> None:
    """Have the drive come to its end, as one that somebody has overtaken."""
    with pytest.raises(Stale):
        await asyncio.wait_for(going, 20)
    for outcome in drive.pen.outcomes:
        drive.late.tell(drive.held, outcome)
    await asyncio.gather(*drive.late._tasks)


async def test_a_zombie_changes_nothing_and_contradicts_nobody(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "key"), shop) as made:
        await made.start("w")
        drive, going = await under_way(made, shop)
        run = await made.go()
        assert (run.status, run.sends["p0"].send) == ("completed", 2)
        before = await made.events()
        shop.held.set()
        await told(drive, going)
        assert await made.events() == before
        assert len(shop.effects) == 1


async def test_what_a_zombie_learned_is_recorded_while_nobody_knows_better(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "none"), shop) as made:
        await made.start("w")
        drive, going = await under_way(made, shop)
        assert (await made.go()).status == "paused:reconciliation"
        shop.held.set()
        await told(drive, going)
        assert await made.due() is not None
        run = await made.go()
        assert (run.status, len(shop.effects)) == ("completed", 1)
        (step,) = (await made.view()).steps
        assert step.outcome is not None
        assert (step.note, [look.verdict for look in step.outcome.lookups]) == ("late", ["yes"])


@pytest.mark.requirement("late-truth")
async def test_what_contradicts_a_person_is_an_incident_and_flips_nothing(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "none"), shop) as made:
        await made.start("w")
        drive, going = await under_way(made, shop)
        run = await made.go()
        await made.tell(*decide(run, Resolve("p0", "skip", None, "ann", 5, "apr_9")))
        assert (await made.go()).status == "completed"
        shop.held.set()
        await told(drive, going)
        (conflict,) = await made.events(ev.TruthConflicted)
        assert (conflict.said, conflict.found) == ("skip", "happened")
        assert (await made.run()).steps["p0"].status == "skipped"
        (step,) = (await made.view()).steps
        assert step.outcome is not None
        assert step.outcome.incidents == ("send 1: said skip, found happened",)
        rows = await made.store.fetch("outcomes_open", tenant="default", after=0, limit=9)
        assert [row["status"] for row in rows] == ["conflict"]


async def test_a_deadline_forgets_no_mutation(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "none"), shop) as made:
        shop.plan = ["held-done"]
        await made.start("w", deadline=made.clock.now() + 300_000)
        run = await made.go()
        assert (run.status, run.steps["p0"].status) == ("failed:exhausted", "indeterminate")
        assert run.failure is not None
        assert run.failure.code == "deadline"
        rows = await made.store.fetch("outcomes_open", tenant="default", after=0, limit=9)
        assert [row["path"] for row in rows] == ["p0"]
        assert await made.due() is None


async def test_a_run_that_is_over_still_finds_out_what_it_did(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "lookup", 2), shop) as made:
        await made.start("w")
        drive, going = await under_way(made, shop)
        going.cancel()
        await asyncio.wait({going})
        await drive.late.stop()
        await made.tell(ev.RunCancelled("enough"))
        shop.held.set()
        run = await made.go()
        assert (run.status, run.unresolved) == ("cancelled", set())
        assert {path: step.status for path, step in run.steps.items()} == {"p0": "done"}
        assert len(shop.effects) == 1


async def test_a_cancel_does_not_cut_off_what_is_under_way(tmp_path: Path) -> None:
    entered, held = asyncio.Event(), asyncio.Event()

    async def slow(given: Any) -> Any:
        entered.set()
        await held.wait()
        return {"sent": True}

    write(tmp_path / "documents", SEND, flow("w", STEPS))
    async with engine_over(tmp_path, {"send": PythonTask(slow)}) as engine:
        run_id = await begun(engine)
        view = await engine.approvals.get((await engine.run(run_id)).approval)
        await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))
        await asyncio.wait_for(entered.wait(), 20)
        run = await engine.cancel(run_id, actor="ann")
        assert (run.status, run.steps[0].status) == ("cancelled", "in_flight")
        held.set()
        run = await settled(engine, run_id)
        assert (run.status, run.steps[0].output) == ("cancelled", {"sent": True})


async def settled(engine: Engine, run_id: str) -> Any:
    """The run once nothing that it sent is open."""
    async with asyncio.timeout(20):
        while True:
            moved = asyncio.ensure_future(engine.moved())
            await asyncio.sleep(0)
            run = await engine.run(run_id)
            if run.steps[0].status == "done":
                moved.cancel()
                return run
            await moved

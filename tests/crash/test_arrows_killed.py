"""SIGKILL at every arrow between a proposal and its outcome, and another process takes over.

A few cases run always, all of them behind the marker `slow`; what every combination leads to is
tried without processes in `test_arrows.py`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, open_engine
from engine.core.log import Append, Entry
from engine.core.run import Resolve, decide, fold
from engine.core.views import RunView
from tests.crash import mutant
from tests.crash.arrows import ARROWS, KINDS, Arrow
from tests.shell.deciding import ann, say_yes
from tests.shell.till import Till, till

ALWAYS = {
    ("sent and processed", "none"),
    ("sent and processed", "key"),
    ("sent and processed", "lookup"),
    ("intent", "key"),
    ("claimed", "none"),
}
WHOLE = [
    pytest.param(
        arrow, kind, id=f"{arrow.name}, {kind}",
        marks=() if (arrow.name, kind) in ALWAYS else pytest.mark.slow,
    )
    for arrow in ARROWS
    for kind in KINDS
]  # fmt: skip
HELD = {"lost": "held-lost", "silent": "held-done"}
BOUND = 60


@asynccontextmanager
async def child(
    folder: Path, shop: Till, arrow: Arrow
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that works, and is dead when the block ends."""
    words = (str(folder), shop.server.url(""), arrow.name)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.mutant", *words, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), BOUND) == b"R\n"
        yield process
        await asyncio.wait_for(process.wait(), BOUND)
        assert process.returncode == -9
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def resting(engine: Engine, run_id: str, *statuses: str) -> RunView:
    """The run once it has one of some statuses, of which nobody but a person moves it on."""
    async with asyncio.timeout(BOUND):
        while True:
            moved = asyncio.ensure_future(engine.moved())
            run = await engine.run(run_id)
            if run.status in statuses and run.wake_at is None:
                moved.cancel()
                return run
            await moved


async def voted(engine: Engine, run: RunView) -> None:
    """A person says yes to what the run waits for, if they have not said so."""
    view = await engine.approvals.get(run.approval)
    if view.state == "pending":
        await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))


async def said(engine: Engine, run_id: str, shop: Till) -> None:
    """A person says what became of the mutation, as it is."""
    row = (await engine.store.fetch("run_by_uid", tenant="default", uid=run_id))[0]
    history = await engine.store.read(row["id"])
    run = fold(line.event for line in history)
    verdict = "happened" if shop.effects else "did_not_happen"
    events: tuple[Any, ...] = decide(run, Resolve("p", verdict, {}, "ann", run.sends["p"].sent_at))
    entry = Entry(row["id"], history[-1].version, events)
    await engine.store.append(Append((entry,), history[-1].at, "ann"))


@pytest.mark.timeout(300)
@pytest.mark.requirement("mutation-crash")
@pytest.mark.parametrize(("arrow", "kind"), WHOLE)
async def test_killed_at_any_arrow_it_happens_once(tmp_path: Path, arrow: Arrow, kind: str) -> None:
    async with till() as shop:
        shop.plan = [HELD.get(arrow.how, arrow.how)]
        made = mutant.settings(tmp_path, shop.server.url(""), work=False)
        async with open_engine(made) as decides:
            await say_yes(decides, decides.start(f"w-{kind}", {}))
            run_id = (await decides.start(f"w-{kind}", {})).id
            await killed(decides, run_id, tmp_path, shop, arrow)
        shop.held.set()
        async with open_engine(mutant.settings(tmp_path, shop.server.url(""))) as takes_over:
            run = await finished(takes_over, run_id, shop)
            assert len(set(shop.effects)) <= 1
            if run.status == "paused:reconciliation":
                assert kind == "none", "only this one needs a person"
                await said(takes_over, run_id, shop)
                return
            assert run.status == "completed"
            assert len(set(shop.effects)) == 1
            assert kind == "natural" or len(shop.effects) == 1
            assert not (await takes_over.verify()).problems


async def killed(decides: Engine, run_id: str, folder: Path, shop: Till, arrow: Arrow) -> None:
    """Have a process work on the run until it is dead."""
    async with child(folder, shop, arrow) as process:
        if arrow.name not in {"proposed", "parked"}:
            run = await resting(decides, run_id, "paused:approval")
            if arrow.name == "voted":
                process.kill()
                await process.wait()
            await voted(decides, run)
        if arrow.how in HELD:
            await asyncio.wait_for(shop.reached.wait(), BOUND)
            process.kill()


async def finished(engine: Engine, run_id: str, shop: Till) -> RunView:
    """The run in another process, where a person decides as soon as they are asked."""
    ends = ("completed", "paused:reconciliation", "failed:exhausted", "failed:internal")
    run = await resting(engine, run_id, "paused:approval", *ends)
    if run.status == "paused:approval":
        await voted(engine, run)
        run = await resting(engine, run_id, *ends)
    return run

"""The n-th statement fails while a person's yes is recorded, claimed and carried out.

Life after life another statement of the connection that writes fails, before it is carried out or
(for a commit) after it. Then the process starts again. Whatever was lost: what was allowed happens
once, or a person is asked whether it did; nothing is claimed twice, and no yes is lost.
"""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, PythonTask, Refused, Requester, Settings, StoreError
from engine.core.approval.state import Approver
from engine.core.views import RunView
from tests.core.worlds import flow, task
from tests.crash.test_nth_statement import Trouble, life
from tests.shell.deciding import asked
from tests.shell.documents import write

ANN = Approver("ann", "A2", "terminal")
SEND = task("send", type="python", python={"function": "send"})
STEPS = [{"id": "a", "taskRef": "send", "input": {"n": 1}}]


class Outside:
    """The world: what happened in it."""

    def __init__(self, tmp_path: Path) -> None:
        self.sent: list[Any] = []
        folder = tmp_path / "documents"
        if not folder.exists():
            write(folder, SEND, flow("w", STEPS))
        functions = {"send": PythonTask(self.sent.append)}
        self.settings = Settings(str(tmp_path / "h.db"), (folder,), functions=functions)

    async def parked(self) -> str:
        """A run that waits for a person; without trouble."""
        async with life(self.settings, Trouble()) as engine:
            view = await asked(engine.approvals.accept("w", requester=Requester("engine")))
            await engine.approvals.approve(view.id, digest=view.digest, approver=ANN)
            run = await engine.wait((await engine.start("w", {}, key="k")).id, 20)
            assert run.status == "paused:approval"
            return run.id

    async def decided(self, run_id: str, trouble: Trouble) -> None:
        """Say yes, and let the run go on until the trouble has come or it is done."""
        with suppress(StoreError, Refused):
            async with life(self.settings, trouble) as engine, asyncio.timeout(5):
                await allow(engine, run_id)
                while not trouble.fired and waits(await engine.run(run_id)):
                    await asyncio.wait((asyncio.ensure_future(engine.moved()),), timeout=0.2)

    async def finished(self, run_id: str) -> RunView:
        """Begin again without trouble; a person who finds their yes lost says it again."""
        async with life(self.settings, Trouble()) as engine, asyncio.timeout(20):
            while waits(run := await engine.run(run_id)):
                await allow(engine, run_id)
                await asyncio.wait((asyncio.ensure_future(engine.moved()),), timeout=0.1)
            await judged(engine, run, len(self.sent))
            return run


def copied(tmp_path: Path, name: str) -> Outside:
    """The same world, as it is when the run waits."""
    shutil.copytree(tmp_path / "parked", tmp_path / name)
    return Outside(tmp_path / name)


def waits(run: RunView) -> bool:
    """Whether the run has not come to where it stays."""
    return run.status not in {"completed", "paused:reconciliation"}


async def allow(engine: Engine, run_id: str) -> None:
    """Approve what the run waits for, if it waits."""
    approval = (await engine.run(run_id)).approval
    if approval:
        view = await engine.approvals.get(approval)
        if view.state == "pending":
            await engine.approvals.approve(view.id, digest=view.digest, approver=ANN)


async def judged(engine: Engine, run: RunView, effects: int) -> None:
    kinds = [type(line.event).__name__ async for line in engine.store.tail()]
    assert effects <= 1
    assert kinds.count("StepInFlight") <= 1
    assert kinds.count("MutationsGranted") == 1
    # one claim for the version, one for the run; each with its vote
    assert kinds.count("ApprovalClaimed") == kinds.count("ApprovalVoted") == 2
    assert effects == 1 or run.status == "paused:reconciliation"
    assert not (await engine.verify()).problems
    page = await engine.approvals.list(open_only=False)
    await engine.rebuild()
    assert await engine.approvals.list(open_only=False) == page


@pytest.mark.timeout(240)
@pytest.mark.requirement("approval-single-use", "nothing-half-done")
@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])
async def test_whichever_statement_fails_after_a_yes_it_happens_once(
    tmp_path: Path, every: int
) -> None:
    run_id = await Outside(tmp_path / "parked").parked()
    whole, trouble = copied(tmp_path, "whole"), Trouble()
    await whole.decided(run_id, trouble)
    assert whole.sent == [{"n": 1}]
    first = next(at for at, text in enumerate(trouble.seen) if "journal" in text)
    assert len(trouble.seen) - first > 15, "too few statements to prove anything"
    for at, text in enumerate(trouble.seen, 1):
        commit = text == "commit"
        for after in ((False, True) if commit else (False,)) if commit or at % every == 0 else ():
            outside = copied(tmp_path, f"{at}-{after}")
            await outside.decided(run_id, Trouble(at, after=after))
            await outside.finished(run_id)

"""A person at a terminal says what became of a change, and takes back what holds for longer."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask, Requester, Settings, open_engine
from engine.core.errors import Failure, Kind, StepError
from engine.core.views import RunView
from tests.cli.person import person
from tests.shell.deciding import PIN, ann, say_yes
from tests.shell.documents import flow, look, write

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")

ASKS = Requester("stdio", client="claude")
LOST = Failure(Kind.NETWORK, "lost", "the answer never came")


async def lose(given: Any) -> Any:
    """A change of which nobody learns whether it happened."""
    raise StepError(LOST)


async def lost(engine: Engine) -> str:
    """A run that waits for somebody to say what happened."""
    await say_yes(engine, engine.start("w", {}, requester=ASKS))
    run = await engine.wait((await engine.start("w", {}, requester=ASKS)).id, 20)
    view = await engine.approvals.get(run.approval)
    person = await ann(engine)
    await engine.approvals.approve(view.id, digest=view.digest, approver=person)
    async with asyncio.timeout(20):
        while run.status != "paused:reconciliation":
            moved = asyncio.ensure_future(engine.moved())
            run = await engine.run(run.id)
            if run.status != "paused:reconciliation":
                await asyncio.wait((moved,), timeout=0.2)
            moved.cancel()
    return run.id


async def ended(settings: Settings, run: str) -> RunView:
    """A run once a worker has taken up what a person said of its change."""
    async with open_engine(settings) as engine, asyncio.timeout(20):
        while (view := await engine.wait(run, 20)).status == "paused:reconciliation":
            moved = asyncio.ensure_future(engine.moved())
            await asyncio.wait((moved,), timeout=0.2)
            moved.cancel()
        return view


@pytest.mark.requirement("gated-at-a-terminal")
def test_what_a_person_says_of_a_lost_change_is_shown_and_asked_for_first(tmp_path: Path) -> None:
    write(tmp_path / "flows", look("t"), flow("w", [{"id": "pay", "taskRef": "t"}]))
    database = tmp_path / "h.db"
    functions = {"look": PythonTask(lose, Effect.MUTATION)}
    settings = Settings(str(database), (tmp_path / "flows",), functions=functions)

    async def begun() -> str:
        async with open_engine(settings) as engine:
            return await lost(engine)

    run = asyncio.run(begun())
    environment = {
        **os.environ,
        "HANDRAIL_DATABASE_URL": str(database),
        "HANDRAIL_WORKFLOWS": str(tmp_path / "flows"),
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    with person(environment, "approvals") as reader:
        assert reader.ends() == 0
        assert f"handrail resolve {run} pay" in reader.seen
    words = ("resolve", run, "pay", "happened", "--result", '{"receipt": 7}')
    with person(environment, *words) as decider:
        assert "the run goes on with this result" in decider.sees("type its code")
        decider.types(decider.code)
        decider.sees("PIN: ")
        decider.types(PIN)
        assert decider.ends() == 0, decider.seen

    view = asyncio.run(ended(settings, run))
    assert view.status == "completed"
    (step,) = view.steps
    assert step.outcome is not None
    assert (step.status, step.outcome.verdict, step.outcome.by) == ("done", "happened", "ann")

"""Fifty who claim at once, of two processes, on either database: one has it."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask, Refused, Requester, Settings, open_engine
from engine.core import events as ev
from engine.core.approval.plan import Operation
from engine.core.errors import Stale
from engine.core.log import Append, Entry
from engine.core.run import fold
from engine.shell.clock import WorldClock
from engine.shell.drive import Held
from engine.shell.keeping import Granted, Parked
from tests.postgres import Server
from tests.shell.deciding import ann, asked
from tests.shell.documents import flow, look, write

CHARGE = Operation("charge", "create", "POST https://pay.example/charges", {"cents": 100})
FUNCTIONS = {"look": PythonTask(lambda given: given, Effect.READ)}


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """Where the database is."""
    if request.param == "sqlite":
        yield str(tmp_path / "h.db")
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
async def engines(place: str, tmp_path: Path) -> AsyncGenerator[list[Engine]]:
    """Two processes on one database."""
    folder = write(tmp_path / "documents", look("t"), flow("w", [{"id": "charge", "taskRef": "t"}]))
    settings = Settings(place, (folder,), functions=FUNCTIONS, work=False)
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_engine(settings)) for _ in range(2)]


async def held(engine: Engine, run_id: str) -> Held:
    """The run as a worker of this process has it."""
    (row,) = await engine.store.fetch("run_by_uid", tenant="default", uid=run_id)
    history = await engine.store.read(row["id"])
    return Held(row["id"], fold(line.event for line in history), "default", history)


async def claimed(engine: Engine, here: Held) -> bool:
    """Whether a worker that asks now is granted what was approved."""
    now = WorldClock().now()
    permit = await engine.approvals.keeper.ask(here, (CHARGE,), (), now)
    if not isinstance(permit, Granted):
        return False
    granted = Entry(here.stream, here.version, (ev.MutationsGranted(permit.grant, permit.ops),))
    try:
        await engine.store.append(Append((granted, *permit.entries), now, "worker"))
    except Stale:
        return False
    return True


@pytest.mark.requirement("approval-single-use")
async def test_of_fifty_claims_at_once_one_has_it(engines: list[Engine]) -> None:
    one, two = engines
    run = await one.start("w", {}, requester=Requester("stdio"))
    here, now = await held(one, run.id), WorldClock().now()
    permit = await one.approvals.keeper.ask(here, (CHARGE,), (), now)
    assert isinstance(permit, Parked)
    paused = ev.RunPaused("paused:approval", None, "charge", None, permit.approval)
    rest = Entry(here.stream, here.version, (paused,))
    await one.store.append(Append((rest, *permit.entries), now, "worker"))
    view = await two.approvals.get(permit.approval)
    person = await ann(two)

    async def votes(engine: Engine) -> str:
        try:
            vote = engine.approvals.approve(view.id, digest=view.digest, approver=person)
            return (await vote).state
        except Refused as refused:
            return refused.code

    heard = await asyncio.gather(*(votes(engine) for engine in engines * 5))
    assert sorted(heard) == ["already_decided"] * 9 + ["approved"]
    assert await one.store.claim(77, WorldClock().now(), 5), "the vote makes the run due"
    workers = [await held(engine, run.id) for engine in engines]
    tries = [claimed(*pair) for pair in zip(engines, workers, strict=True) for _ in range(25)]
    assert sum(await asyncio.gather(*tries)) == 1
    kinds = [type(line.event).__name__ async for line in one.store.tail()]
    assert (kinds.count("ApprovalClaimed"), kinds.count("MutationsGranted")) == (1, 1)
    assert (await two.approvals.get(view.id)).state == "claimed"


async def test_many_who_ask_at_once_in_two_processes_ask_once(engines: list[Engine]) -> None:
    async def asks(engine: Engine) -> str:
        return (await asked(engine.deprecate("w", "1.0.0", requester=Requester("stdio")))).id

    ids: list[Any] = await asyncio.gather(*(asks(engine) for engine in engines * 10))
    assert len(set(ids)) == 1
    view = await engines[0].approvals.get(ids[0])
    done = await engines[1].approvals.approve(
        view.id, digest=view.digest, approver=await ann(engines[1])
    )
    assert (done.state, done.outcome) == ("done", "ok")
    await engines[0].approvals.accept("w", requester=Requester("stdio"))
    assert (await engines[0].versions("w"))[0].deprecated
    with pytest.raises(Refused):
        await engines[0].approvals.authenticate("wrong horse", channel="page")
    assert (await engines[0].approvals.needing()).approvals == ()
    assert await engines[0].approvals.grants() == ()
    secrets = {(await engine.approvals.installation()).secret for engine in engines}
    assert len(secrets) == 1

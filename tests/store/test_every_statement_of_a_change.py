"""Whichever statement fails while a run changes something: what cannot be recorded is not sent.

A statement of the connection that writes fails: the first after the run was started, the second,
until there are no more. Whenever the outside is called, another process must find in the journal
that this call was granted and is about to be sent, and it is called once at most.
"""

import asyncio
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask
from engine.core.approval.plan import Requester
from engine.core.errors import Move
from engine.store import StoreError
from tests.shell.documents import flow, look, write
from tests.store.engines import engine_on
from tests.store.journals import Sqlite
from tests.store.test_every_statement import Fault, failing

ABREAST = 4
"""Cases at a time."""

POLICY = """\
rules:
  - {id: all, when: {kind: run.mutations}, then: {auto: true, budget: 100/h}}
  - {id: accepted, when: {kind: version.accept}, then: {auto: true, budget: 100/h}}
"""
RESTING = frozenset({Move.PERSON, Move.NONE})


@dataclass(slots=True)
class Sleeping(Fault):
    """A fault that counts no statement before it is woken."""

    awake: bool = False

    def before(self, text: str) -> None:
        """Called before every statement."""
        if self.awake:
            Fault.before(self, text)

    def after(self, text: str) -> None:
        """Called after every statement that was carried out."""
        if self.awake:
            Fault.after(self, text)


@dataclass(slots=True)
class Outside:
    """What is changed; it looks into the journal as somebody else would."""

    driver: Sqlite
    durable: list[int] = field(default_factory=list)

    async def send(self, given: Any) -> Any:
        kinds = "('mutations.granted', 'step.in_flight')"
        with closing(sqlite3.connect(self.driver.path)) as db:
            rows = db.execute(f"select distinct kind from journal where kind in {kinds}")
            self.durable.append(len(rows.fetchall()))
        return {"sent": True}


def documents(folder: Path) -> Path:
    """A workflow that changes one thing."""
    return write(folder, look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))


def place(folder: Path) -> Path:
    """A folder with a policy that lets changes pass."""
    folder.mkdir()
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    policy.chmod(0o600)
    return folder


async def lived(engine: Engine, fault: Sleeping) -> None:
    """Start the run, let the fault come, and see what becomes of it."""
    run = await engine.start("w", {}, key="k", requester=Requester("terminal"))
    fault.awake = True
    ended = asyncio.create_task(engine.wait(run.id, 20))
    dead = asyncio.create_task(fault.met.wait() if fault.dead else asyncio.Event().wait())
    await asyncio.wait((ended, dead), return_when=asyncio.FIRST_COMPLETED)
    for task in (ended, dead):
        task.cancel()
    await asyncio.gather(ended, dead, return_exceptions=True)


async def case(folder: Path, paper: Path, fault: Sleeping) -> bool:
    """One change under one fault; False when the fault was never met."""
    driver = Sqlite(place(folder) / "h.db")
    outside = Outside(driver)
    functions = {"look": PythonTask(outside.send, Effect.MUTATION)}
    with suppress(StoreError):
        async with engine_on(driver, paper, functions, factory=failing(fault)) as engine:
            engine.patience = 0.0
            await lived(engine, fault)
    async with engine_on(driver, paper, functions) as engine:
        (row,) = (await engine.runs()).rows
        run = await engine.wait(row.id, 20)
        assert run.whose_move in RESTING
        assert outside.durable in ([], [2]), "it was sent before it was recorded, or twice"
        sent = run.status in ("completed", "paused:reconciliation")
        assert sent or not outside.durable, run.status
        assert (await engine.audits.verify()).sound
    return fault.seen >= fault.at


@pytest.mark.requirement("recorded-before-sent")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("how", ["once", "dead", "late"])
async def test_what_cannot_be_recorded_is_not_sent(tmp_path: Path, how: str) -> None:
    paper = documents(tmp_path / "documents")
    met, number = True, 1
    while met:
        numbers = range(number, number + ABREAST)
        cases = [case(tmp_path / str(n), paper, Sleeping(n, how)) for n in numbers]
        met = all(await asyncio.gather(*cases))
        number += ABREAST
    assert number > {"once": 12, "dead": 12, "late": 3}[how]

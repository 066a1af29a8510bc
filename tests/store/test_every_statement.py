"""Whichever statement fails, and however: the run ends, and nothing that was durable is repeated.

A whole run (a retry, a loop, a sub-workflow) is carried out again and again, and each time
another statement of the connection that writes fails: the first, the second, until there are no
more. Either the process goes on as after a passing trouble, or it is as good as dead from that
statement on, or a commit is carried out although it reports a failure. Then another process
opens the file.
"""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask
from engine.core.errors import Failure, Kind, StepError
from engine.core.views import RunView
from engine.store import StoreError
from tests.shell.documents import flow, look, write
from tests.store.engines import engine_on
from tests.store.journals import Sqlite


@pytest.fixture
def driver(tmp_path: Path) -> Sqlite:
    return Sqlite(tmp_path / "h.db")


ABREAST = 8
"""Cases at a time: most of a case is waiting for the disk."""

FLAKY = Failure(Kind.TRANSIENT, "flaky", "not this time")


def documents(folder: Path) -> Path:
    """A workflow with a retry, a loop and a sub-workflow; each step says its name."""
    retry = {"policy": "fixed", "maxAttempts": 5, "initialDelay": "1ms", "jitter": 0}
    steps: list[dict[str, Any]] = [
        {"id": "a", "taskRef": "t", "input": {"step": "flaky"}},
        {
            "id": "l",
            "taskRef": "t",
            "forEach": {"items": ["x", "y"]},
            "input": {"step": "{{forEach.item}}"},
            "dependsOn": ["a"],
        },
        {"id": "s", "workflowRef": "inner", "dependsOn": ["l"]},
    ]
    inner = flow("inner", [{"id": "i", "taskRef": "t", "input": {"step": "inside"}}])
    output = {"last": "{{tasks.s.output.i.step}}"}
    return write(folder, look("t", retry=retry), inner, flow("w", steps, output=output))


@dataclass(slots=True)
class Fault:
    """Which statement fails, and how: `once`, `dead` (all that follow too) or `late` (commits)."""

    at: int
    how: str
    seen: int = 0
    met: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def before(self, text: str) -> None:
        """Called before every statement."""
        self.seen += self.how != "late" or text == "commit"
        if self.how != "late" and (self.seen == self.at or (self.dead and self.seen > self.at)):
            self.fail()

    def after(self, text: str) -> None:
        """Called after every statement that was carried out."""
        if self.how == "late" and text == "commit" and self.seen == self.at:
            self.fail()

    @property
    def dead(self) -> bool:
        """Whether the process is lost once the fault is met."""
        return self.how == "dead"

    def fail(self) -> None:
        """What a failing disk makes SQLite raise."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.met.set)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        error.sqlite_errorname = "SQLITE_IOERR"
        raise error


def failing(fault: Fault) -> type[sqlite3.Connection]:
    """Connections whose statements fail as a fault says."""

    class Failing(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            return self._tried(sql, super().execute, *arguments)

        def executemany(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            return self._tried(sql, super().executemany, *arguments)

        def _tried(
            self, sql: str, act: Callable[..., sqlite3.Cursor], *arguments: Any
        ) -> sqlite3.Cursor:
            fault.before(sql)
            cursor = act(sql, *arguments)
            fault.after(sql)
            return cursor

    return Failing


@dataclass(slots=True)
class Steps:
    """The function behind every step: it refuses to run once its result is durable."""

    driver: Sqlite
    calls: Counter[str] = field(default_factory=Counter)
    repeated: list[str] = field(default_factory=list)

    async def look(self, given: Any) -> Any:
        step = given["step"]
        self.calls[step] += 1
        if step in self.durable():
            self.repeated.append(step)
        if step == "flaky" and self.calls[step] == 1:
            raise StepError(FLAKY)
        return {"step": step}

    def durable(self) -> set[str]:
        """The steps whose result another process would find now."""
        with closing(sqlite3.connect(self.driver.path)) as db:
            rows = db.execute("select body from journal where kind = 'step.succeeded'").fetchall()
        outputs = [json.loads(body)["output"] for (body,) in rows]
        return {output["step"] for output in outputs if "step" in output}


async def started(engine: Engine) -> RunView:
    """Start the run, or find it; a passing trouble is asked to pass."""
    with suppress(StoreError):
        return await engine.start("w", {}, key="k")
    return await engine.start("w", {}, key="k")


async def lived(engine: Engine, fault: Fault) -> RunView | None:
    """The run when it has ended, or None when the process is as good as dead."""
    run = await started(engine)
    ended = asyncio.create_task(engine.wait(run.id, 20))
    dead = asyncio.create_task(fault.met.wait() if fault.dead else asyncio.Event().wait())
    await asyncio.wait((ended, dead), return_when=asyncio.FIRST_COMPLETED)
    view = ended.result() if ended.done() else None
    for task in (ended, dead):
        task.cancel()
    await asyncio.gather(ended, dead, return_exceptions=True)
    return view


async def case(folder: Path, paper: Path, fault: Fault) -> bool:
    """One run under one fault; False when the fault was never met."""
    driver = Sqlite(folder / "h.db")
    steps = Steps(driver)
    functions = {"look": PythonTask(steps.look, Effect.READ)}
    live = None
    with suppress(StoreError):
        async with engine_on(driver, paper, functions, factory=failing(fault)) as engine:
            engine.patience = 0.0
            live = await lived(engine, fault)
    async with engine_on(driver, paper, functions) as engine:
        ended = await engine.wait((await started(engine)).id, 20)
        assert (ended.status, ended.output) == ("completed", {"last": "inside"})
        assert live is None or live.steps == ended.steps
        assert len((await engine.runs()).rows) == 1
        assert not steps.repeated
        assert not (await engine.verify()).problems
        tables = driver.tables()
        await engine.rebuild()
        assert driver.tables() == tables
        assert await engine.run(ended.id) == ended
    return fault.seen >= fault.at


@pytest.mark.timeout(180)
@pytest.mark.parametrize("how", ["once", "dead", "late"])
async def test_whichever_statement_fails_the_run_ends_and_repeats_nothing(
    tmp_path: Path, how: str
) -> None:
    paper = documents(tmp_path / "documents")
    met, number = True, 1
    while met:
        numbers = range(number, number + ABREAST)
        cases = [case(tmp_path / str(n), paper, Fault(n, how)) for n in numbers]
        met = all(await asyncio.gather(*cases))
        number += ABREAST
    assert number > {"once": 60, "dead": 60, "late": 6}[how]

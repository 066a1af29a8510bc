"""The n-th SQL statement fails, for every n: whatever is lost, nothing is half done.

One connection writes, so every statement of it is counted and, life after life, another one
fails: before it is carried out, or (for a commit) after it, when the answer is lost. Then the
process starts again. The run ends well, each of its results was computed once unless it was not
durable yet, and history, tables and chain tell the same.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, PythonTask, Refused, Settings
from engine.app.engine import FEATURES, Engine
from engine.core.errors import Failure, Kind, StepError
from engine.core.run import fold
from engine.core.views import RunView
from engine.store import Store, StoreError, open_sqlite
from tests.core.worlds import flow, look
from tests.shell.documents import write

FLAKY = Failure(Kind.TRANSIENT, "http_503", "unavailable")


class Trouble:
    """When to fail, and what has been seen. `after` fails a commit that was carried out."""

    def __init__(self, at: int = 0, *, after: bool = False) -> None:
        self.at, self.after = at, after
        self.seen: list[str] = []
        self.fired = False

    def meet(self, text: str) -> bool:
        self.seen.append(text)
        self.fired = self.fired or len(self.seen) == self.at
        return len(self.seen) == self.at

    def connection(self) -> type[sqlite3.Connection]:
        trouble = self

        class Failing(sqlite3.Connection):
            def execute(self, text: str, *values: Any) -> sqlite3.Cursor:
                met = trouble.meet(text)
                if met and not trouble.after:
                    raise broken()
                cursor = super().execute(text, *values)
                if met:
                    raise broken()
                return cursor

            def executemany(self, text: str, *values: Any) -> sqlite3.Cursor:
                if trouble.meet(text):
                    raise broken()
                return super().executemany(text, *values)

        return Failing


def broken() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("injected")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
    return error


class Shop:
    """The outside: how often each step really ran; one of them fails the first time."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()

    async def look(self, given: Any) -> Any:
        step = given["step"]
        self.ran[step] += 1
        if step == "flaky" and self.ran[step] == 1:
            raise StepError(FLAKY)
        return step

    def settings(self, tmp_path: Path) -> Settings:
        documents = tmp_path / "documents"
        if not documents.exists():
            write(documents, *DOCUMENTS)
        functions = {"look": PythonTask(self.look, Effect.READ)}
        return Settings(str(tmp_path / "h.db"), (documents,), functions=functions)


def step(name: str, *after: str) -> dict[str, Any]:
    return {"id": name, "taskRef": "t", "input": {"step": name}, "dependsOn": list(after)}


RETRY = {"policy": "fixed", "maxAttempts": 3, "initialDelay": "1ms"}
DOCUMENTS = (
    look("t", retry=RETRY),
    flow("inner", [step("in")]),
    flow(
        "w",
        [
            step("first"),
            step("flaky", "first"),
            {
                "id": "loop",
                "taskRef": "t",
                "dependsOn": ["flaky"],
                "forEach": {"items": ["x", "y"]},
                "input": {"step": "{{forEach.item}}"},
            },
            {"id": "sub", "workflowRef": "inner", "dependsOn": ["loop"]},
        ],
    ),
)


@asynccontextmanager
async def life(settings: Settings, trouble: Trouble) -> AsyncGenerator[Engine]:
    path = Path(settings.database)
    clock = settings.clock
    async with open_sqlite(
        path, FEATURES, clock.bytes, clock.now(), factory=trouble.connection()
    ) as store:
        engine = Engine(settings, store)
        engine.patience = 0.0
        try:
            await engine.begin()
            yield engine
        finally:
            await engine.end()


async def until_broken(settings: Settings, trouble: Trouble) -> None:
    """Work until the trouble has come and something was refused or let go because of it."""
    try:
        async with life(settings, trouble) as engine, asyncio.timeout(5):
            run = await engine.start("w", {}, key="k")
            while not trouble.fired and not (await engine.run(run.id)).ended_at:
                # What is lost with an answer rings no bell.
                await asyncio.wait((asyncio.ensure_future(engine.moved()),), timeout=0.2)
    except (StoreError, Refused):
        assert trouble.fired


async def finished(settings: Settings) -> tuple[RunView, Store]:
    async with life(settings, Trouble()) as engine:
        run = await engine.start("w", {}, key="k")
        ended = await engine.wait(run.id, 10)
        await judge(engine, ended)
        return ended, engine.store


async def judge(engine: Engine, ended: RunView) -> None:
    assert ended.status == "completed", ended
    page = await engine.runs(limit=10)
    assert [row.id for row in page.rows] == [ended.id], "a start was lost or made twice"
    assert not (await engine.verify()).problems
    versions = await engine.versions("w")
    await engine.rebuild()
    assert await engine.runs(limit=10) == page
    assert await engine.versions("w") == versions
    (row,) = await engine.store.fetch("run_by_uid", tenant="default", uid=ended.id)
    recorded = await engine.store.read(row["id"])
    run = fold(entry.event for entry in recorded)
    assert (run.status, run.output) == (ended.status, ended.output)


async def counted(tmp_path: Path) -> Trouble:
    """A life without trouble: the statements that there are."""
    trouble = Trouble()
    settings = Shop().settings(tmp_path)
    async with life(settings, trouble) as engine:
        run = await engine.start("w", {}, key="k")
        assert (await engine.wait(run.id, 10)).status == "completed"
    return trouble


async def tried(tmp_path: Path, trouble: Trouble) -> None:
    shop = Shop()
    settings = shop.settings(tmp_path)
    await until_broken(settings, trouble)
    before = shop.ran.copy()
    durable = await results(settings)
    await finished(settings)
    for name in durable:
        assert shop.ran[name] == before[name], f"{name} was durable and ran again"
    assert all(shop.ran[name] for name in ("first", "flaky", "x", "y", "in"))


async def results(settings: Settings) -> set[str]:
    """The outputs of steps that are in the journal."""
    found = set()
    async with open_sqlite(Path(settings.database), FEATURES, settings.clock.bytes) as store:
        async for recorded in store.tail():
            output = getattr(recorded.event, "output", None)
            if isinstance(output, str):
                found.add(output)
    return found


@pytest.mark.timeout(240)
@pytest.mark.requirement("nothing-half-done")
async def test_whichever_statement_fails_nothing_is_half_done(tmp_path: Path) -> None:
    statements = len((await counted(tmp_path / "whole")).seen)
    assert statements > 60, "too few statements to prove anything"
    for at in range(1, statements + 1):
        await tried(tmp_path / f"before-{at}", Trouble(at))


@pytest.mark.timeout(120)
async def test_whichever_commit_loses_its_answer_nothing_is_half_done(tmp_path: Path) -> None:
    seen = (await counted(tmp_path / "whole")).seen
    commits = [number for number, text in enumerate(seen, 1) if text == "commit"]
    assert len(commits) > 8
    for at in commits:
        await tried(tmp_path / f"after-{at}", Trouble(at, after=True))

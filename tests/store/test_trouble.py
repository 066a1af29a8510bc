"""A database in trouble: a typed error soon, nothing half done, and service when it is over."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask, RunFilter, Settings
from engine.core.errors import Move
from engine.store import StoreError
from engine.store.sqlite import SqliteStore
from tests.shell.documents import flow, look, write
from tests.store.journals import Shown, Sqlite, after, done, first, journal, put_due, started


@pytest.fixture
def driver(tmp_path: Path) -> Sqlite:
    return Sqlite(tmp_path / "h.db")


PATIENCE = 0.05
SOON = 5.0
"""Bounds a wait that takes about PATIENCE: the machine may be busy."""

Trouble = Callable[[Sqlite], AbstractContextManager[None]]


@contextmanager
def held(driver: Sqlite, what: str) -> Generator[None]:
    """Another process holds the database."""
    command = [sys.executable, "-m", "tests.store.holder", str(driver.path), what]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"held"
        yield
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def full(_: Sqlite) -> Generator[None]:
    """There is no room for another page."""
    (pages,) = Shown.last.execute("pragma page_count").fetchone()
    (most,) = Shown.last.execute("pragma max_page_count").fetchone()
    Shown.last.execute(f"pragma max_page_count = {pages}")
    yield
    Shown.last.execute(f"pragma max_page_count = {most}")


@contextmanager
def read_only(_: Sqlite) -> Generator[None]:
    """Nothing may be written."""
    Shown.last.execute("pragma query_only = on")
    yield
    Shown.last.execute("pragma query_only = off")


@contextmanager
def interrupted(_: Sqlite) -> Generator[None]:
    """Every statement breaks off in its middle, as on a failing disk."""
    Shown.last.set_progress_handler(lambda: 1, 1)
    yield
    Shown.last.set_progress_handler(None, 1)


TROUBLES: dict[str, tuple[Trouble, str]] = {
    "another program writes": (lambda driver: held(driver, "transaction"), "database_locked"),
    "another process has the turn": (lambda driver: held(driver, "turn"), "database_locked"),
    "no room": (full, "database_full"),
    "read-only": (read_only, "database_read_only"),
    "a failing disk": (interrupted, "database_io"),
}
troubles = pytest.mark.parametrize("trouble", TROUBLES)


def large() -> list[Any]:
    """Events that need new pages."""
    return [started(), *(done(output="x" * 10_000) for _ in range(5))]


@asynccontextmanager
async def opened(driver: Sqlite) -> AsyncGenerator[SqliteStore]:
    """A store that is impatient and whose connection can be got at."""
    async with driver.open(patience=PATIENCE, factory=Shown) as store:
        yield store


@troubles
async def test_every_caller_hears_of_it_in_an_error_of_its_own(
    driver: Sqlite, trouble: str
) -> None:
    begin, code = TROUBLES[trouble]
    async with opened(driver) as store:
        await store.append(first())
        with begin(driver):
            asked = [store.append_soon(first(*large())) for _ in range(5)]
            waiting = asyncio.gather(*asked, return_exceptions=True)
            answers: list[Any] = await asyncio.wait_for(waiting, SOON)
        assert {(type(error), error.code) for error in answers} == {(StoreError, code)}
        assert len({id(error) for error in answers}) == 5
        assert all(error.hint and error.move is Move.PERSON for error in answers)


@troubles
async def test_nothing_is_half_done_and_reading_goes_on(driver: Sqlite, trouble: str) -> None:
    begin, _ = TROUBLES[trouble]
    async with opened(driver) as store:
        await store.append(first(also=(put_due(),)))
        before = driver.tables()
        with begin(driver):
            for request in (
                store.append(first(*large(), also=(put_due(),))),
                store.append(after(1, 1, *large()[1:])),
                store.write(*(put_due(stream=n, owner=9) for n in range(2_000))),
            ):
                with pytest.raises(StoreError):
                    await asyncio.wait_for(request, SOON)
            assert [r.position for r in await journal(store)] == [1]
            assert (await store.verify()).intact == 1
            assert await store.fetch("due_held", owner=9) == []
        assert (driver.tables(), store.head()) == (before, 1)


@troubles
async def test_service_resumes_when_it_is_over(driver: Sqlite, trouble: str) -> None:
    begin, _ = TROUBLES[trouble]
    async with opened(driver) as store:
        await store.append(first())
        with begin(driver), pytest.raises(StoreError):
            await store.append(first(*large()))
        assert (await store.append(first(*large()))).streams == (2,)
        assert (await store.append(after(1, 1))).versions == (2,)
        assert await store.rebuild() == 8
        assert (await store.verify()).intact == 8
    async with opened(driver) as store:
        assert (await store.append(after(1, 2))).versions == (3,)


async def test_a_look_that_fails_is_told_and_the_next_one_works(driver: Sqlite) -> None:
    async with opened(driver) as store:
        await store.append(first())
        with interrupted(driver), pytest.raises(StoreError):
            await asyncio.wait_for(store.changed(), SOON)
        await store.changed()  # SQLite counts an interruption as a change
        assert await store.changed() is False


async def test_a_database_that_is_held_cannot_be_opened_anew(driver: Sqlite) -> None:
    async with opened(driver):
        pass
    with held(driver, "turn"), pytest.raises(StoreError) as refused:
        async with opened(driver):
            pytest.fail("it was opened")
    assert refused.value.code == "database_locked"


async def test_a_long_log_is_folded_back_but_waits_for_no_reader(
    driver: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.sqlite_session.LONG_LOG", 100_000)
    async with driver.open() as store:  # with all its patience
        with closing(sqlite3.connect(driver.path, isolation_level=None)) as reader:
            await store.append(first())
            reader.execute("begin")
            reader.execute("select count(*) from journal").fetchall()
            for _ in range(20):
                await asyncio.wait_for(store.append(first(*large())), SOON)
            assert log_of(driver) > 500_000
            reader.execute("rollback")
        for _ in range(20):
            await store.append(first(*large()))
        longest = log_of(driver)
        for _ in range(60):
            await store.append(first(*large()))
        assert log_of(driver) == longest  # it is written from its beginning, again and again
        assert not (await store.verify()).problems


def log_of(driver: Sqlite) -> int:
    """Bytes of the write-ahead log."""
    return Path(f"{driver.path}-wal").stat().st_size


# -- through the engine -----------------------------------------------------------------------


class Gate:
    """A step that waits to be let through, and counts how often it ran."""

    def __init__(self) -> None:
        self.entered, self.open, self.runs = asyncio.Event(), asyncio.Event(), 0

    async def step(self, given: Any) -> Any:
        """The function of the step."""
        self.runs += 1
        self.entered.set()
        await self.open.wait()
        return self.runs


@asynccontextmanager
async def engine(driver: Sqlite, gate: Gate) -> AsyncGenerator[Engine]:
    """An engine over an impatient store, with a workflow of one gated step."""
    folder = write(
        driver.path.parent / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}])
    )
    functions = {"look": PythonTask(gate.step, Effect.READ)}
    async with opened(driver) as store:
        made = Engine(Settings(str(driver.path), (folder,), functions=functions), store)
        try:
            await made.begin()
            yield made
        finally:
            await made.end()


async def starts(made: Engine) -> None:
    """Start runs until one is refused: a full database may have room for a few small ones."""
    for number in range(100):
        await asyncio.wait_for(made.start("w", {}, key=f"k{number}"), SOON)


@troubles
async def test_a_start_in_trouble_is_refused_and_leaves_no_run(
    driver: Sqlite, trouble: str
) -> None:
    begin, code = TROUBLES[trouble]
    gate = Gate()
    gate.open.set()
    async with engine(driver, gate) as made:
        with begin(driver):
            with pytest.raises(StoreError) as refused:
                await starts(made)
            assert refused.value.code == code
            known = {row.id for row in (await made.runs(limit=100)).rows}
        run = await made.wait((await made.start("w", {})).id, SOON)
        assert run.status == "completed"
        assert {row.id for row in (await made.runs(limit=101)).rows} == known | {run.id}


@troubles
async def test_a_run_that_is_under_way_survives(driver: Sqlite, trouble: str) -> None:
    begin, _ = TROUBLES[trouble]
    gate = Gate()
    async with engine(driver, gate) as made:
        run = await made.start("w", {})
        await asyncio.wait_for(gate.entered.wait(), SOON)
        let_go = asyncio.Event()
        made.subscribe(lambda _: let_go.set())
        with begin(driver):
            gate.open.set()
            await asyncio.wait_for(let_go.wait(), SOON)
        ended = await made.wait(run.id, SOON)
        assert ended.status == "completed"
        assert (await made.runs(RunFilter(status="completed"))).rows[0].id == run.id
        assert not (await made.verify()).problems

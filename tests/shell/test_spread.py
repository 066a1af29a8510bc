"""Several processes that walk along one journal find what one of them finds."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import repeat
from multiprocessing import get_context, parent_process
from pathlib import Path

import pytest

from engine.core.audit import Auditor
from engine.core.chain import Line
from engine.core.log import NEW, Append, Entry
from engine.core.stretch import Stretch, tasks
from engine.shell.spread import Scan, spread, walk
from engine.store import Store
from engine.store.errors import trouble
from tests.store.journals import AT, Sqlite, done, started

TASKS = tasks(300, [10, 64, 300], 64)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    """A journal of 300 events."""
    async with Sqlite(tmp_path / "h.db").open() as store:
        many = tuple(done(f"s{number}") for number in range(299))
        await store.append(Append((Entry(NEW, 0, (started(), *many)),), AT, "ann"))
        yield store


def alone(store: Store) -> Auditor:
    auditor = Auditor([])
    for page in store.scan("journal_lines"):
        auditor.step(page)
    return auditor


def joined(found: Sequence[Stretch | None]) -> Auditor:
    auditor = Auditor([])
    assert all(each is not None and auditor.join(each) for each in found)
    return auditor


def apart(scan: Scan, others: int) -> list[Stretch]:
    with spread(scan, TASKS, others) as walked:
        return walked()


def in_children(scan: Scan) -> list[Stretch | None]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(walk, repeat(scan), TASKS, timeout=60))


async def test_children_read_the_file_by_themselves_and_find_the_same(store: Store) -> None:
    scan = store.elsewhere("journal_lines")
    found = await asyncio.to_thread(in_children, scan)
    assert joined(found).result() == alone(store).result()
    assert found == await asyncio.to_thread(apart, scan, 2)


def dying(scan: Scan, after: int) -> Iterator[Sequence[Line]]:
    """Reads here, and is the end of every other process."""
    if parent_process() is not None:
        os._exit(3)
    return scan(after)


async def test_children_that_die_leave_nothing_half_told(store: Store) -> None:
    scan = partial(dying, store.elsewhere("journal_lines"))
    found = await asyncio.to_thread(apart, scan, 1)
    assert found == [] or joined(found).result() == alone(store).result()


def broken(after: int) -> Iterator[Sequence[Line]]:
    raise trouble("database_io")


async def test_a_database_that_fails_is_left_to_the_walk_in_one_process() -> None:
    assert await asyncio.to_thread(apart, broken, 1) == []

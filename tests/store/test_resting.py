"""A process that has written a great deal lets go of what it kept for that, and goes on."""

import gc
import sqlite3
from typing import Any
from weakref import ref

import pytest

from engine.core.errors import Stale
from engine.core.log import Appended
from engine.store import Store
from engine.store.connection import rest
from tests.store.journals import Driver, after, done, first, journal, started


async def test_a_store_that_rested_goes_on_where_it_was(store: Store) -> None:
    await store.append(first(started(), done()))
    await store.rest()
    assert store.head() == 2
    with pytest.raises(Stale):
        await store.append(after(1, 1))
    assert await store.append(after(1, 2)) == Appended((1,), (3,))
    await store.rest()
    assert await store.append(first()) == Appended((4,), (1,))
    assert [each.position for each in await journal(store)] == [1, 2, 3, 4]


async def test_a_store_that_rested_sees_what_others_wrote(driver: Driver) -> None:
    async with driver.open() as one, driver.open() as two:
        await one.append(first())
        await one.rest()
        await two.append(after(1, 1))
        await one.rest()
        assert await one.append(after(1, 2)) == Appended((1,), (3,))
        assert len(await two.read(1)) == 3


def test_a_connection_that_rested_has_no_note_of_any_cursor_it_had() -> None:
    db = sqlite3.connect(":memory:")
    for _ in range(150):
        db.execute("select 1")
    before = _notes(db)
    rest(db)
    assert not {id(note) for note in before} & {id(note) for note in _notes(db)}
    assert db.execute("select 1").fetchone() == (1,)


def _notes(db: sqlite3.Connection) -> list[Any]:
    """What Python keeps of the cursors of a connection."""
    lists = [each for each in gc.get_referents(db) if isinstance(each, list)]
    return [note for each in lists for note in each if isinstance(note, ref)]

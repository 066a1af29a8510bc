"""Another program writes to the file: what gets past the journal's guards is found all the same.

SQLite lets `insert or replace` remove a row without firing its delete trigger, unless the
connection asked for that; another program's connection did not.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.core.chain import commit, link
from tests.store.journals import Sqlite, done, first, started

COLUMNS = """position, tenant, stream, version, kind, schema, at, actor, body, salt, commitment,
  hash"""


def replaced(path: Path, position: int, body: str, *, careful: bool) -> None:
    """Replace an event; who is careful makes its hash fit those before it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        one = f"select {COLUMNS} from journal where position = ?"
        before, row = (db.execute(one, (place,)).fetchone() for place in (position - 1, position))
        _, tenant, stream, version, kind, schema, at, actor, _, salt, commitment, own = row
        if careful:
            place = (position, tenant, stream, version, kind, schema, at, actor)
            own = link(before[-1], *place, commit(salt, body.encode()))
        marks = ", ".join("?" * len(row))
        values = (*row[:8], body, salt, commitment, own)
        db.execute(f"insert or replace into journal ({COLUMNS}) values ({marks})", values)


@pytest.mark.parametrize(("careful", "where"), [(False, 2), (True, 3)])
async def test_an_event_that_was_replaced_past_the_guards_is_found(
    tmp_path: Path, careful: bool, where: int
) -> None:
    driver = Sqlite(tmp_path / "h.db")
    async with driver.open() as store:
        await store.append(first(started("one"), done("a", "paid"), done("b")))
        replaced(driver.path, 2, '{"path":"a","output":"never"}', careful=careful)
        found = await store.verify()
    assert [problem.position for problem in found.problems] == [where]


async def test_the_guards_hold_against_plain_changes(tmp_path: Path) -> None:
    driver = Sqlite(tmp_path / "h.db")
    async with driver.open() as store:
        await store.append(first(started("one"), done("a", "paid")))
    with closing(sqlite3.connect(driver.path, isolation_level=None)) as db:
        for change in ("delete from journal", "update journal set body = '{}'"):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(change)

"""Whatever is changed behind our back is found, and where; what was erased still holds."""

import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.chain import GENESIS, Line, Problem, Verification, Walk, commit, link
from engine.store import Store, StoreError
from tests.store.journals import Sqlite, after, done, first, started


@pytest.fixture
def driver(tmp_path: Path) -> Sqlite:
    return Sqlite(tmp_path / "h.db")


Tamper = Callable[[sqlite3.Connection], Any]

INTACT = Verification(5, 5, 0, ())


@pytest.fixture
async def five(driver: Sqlite) -> AsyncGenerator[Store]:
    """A journal of five events in two streams."""
    async with driver.open() as store:
        await store.append(first(started("one"), done("a", "é")))
        await store.append(first(started("two")))
        await store.append(after(3, 1, done("b"), done("c")))
        assert await store.verify() == INTACT
        yield store


def run(text: str, *params: Any) -> Tamper:
    """A statement."""
    return lambda db: db.execute(text, params)


def hash_of(before: bytes, header: Any, commitment: bytes) -> bytes:
    """The hash of an event whose header is given as a row has it."""
    position, tenant, stream, version, kind, schema, at, actor = header
    return link(before, position, tenant, stream, version, kind, schema, at, actor, commitment)


def swapped(db: sqlite3.Connection) -> None:
    """Two whole events change places."""
    db.execute("update journal set position = -2 where position = 2")
    db.execute("update journal set position = 2 where position = 4")
    db.execute("update journal set position = 4 where position = -2")


def forged(db: sqlite3.Connection) -> None:
    """An event with a new body whose hash fits it, and the event before."""
    before = db.execute("select hash from journal where position = 1").fetchone()[0]
    row = db.execute("select * from journal where position = 2").fetchone()
    own = hash_of(before, row[:8], commit(row[9], b"{}"))
    db.execute("update journal set body = '{}', hash = ? where position = 2", (own,))


def committed(db: sqlite3.Connection) -> None:
    """The right commitment stands beside a body, where none was written."""
    salt, body = db.execute("select salt, body from journal where position = 2").fetchone()
    change = "update journal set commitment = ? where position = 2"
    db.execute(change, (commit(salt, body.encode()),))


def shifted(db: sqlite3.Connection) -> None:
    """Salt and body are as long as they were together, and divided elsewhere."""
    salt, body = db.execute("select salt, body from journal where position = 2").fetchone()
    change = "update journal set salt = ?, body = ? where position = 2"
    db.execute(change, (salt + body[:1].encode(), body[1:]))


TAMPERED: dict[str, tuple[Tamper, tuple[int, ...]]] = {
    "body": (run("update journal set body = '{}' where position = 2"), (2,)),
    "one letter": (run("update journal set body = replace(body, 'é', 'è')"), (2,)),
    "body of another type": (run("update journal set body = x'00' where position = 2"), (2,)),
    "text that is not UTF-8": (
        run("update journal set body = cast(x'ff' as text) where position = 2"),
        (2,),
    ),
    "body without its salt": (run("update journal set body = null where position = 2"), (2,)),
    "salt without its body": (run("update journal set salt = null where position = 2"), (2,)),
    "salt": (run("update journal set salt = zeroblob(32) where position = 2"), (2,)),
    "short salt": (run("update journal set salt = x'' where position = 2"), (2,)),
    "kind": (run("update journal set kind = 'run.completed' where position = 2"), (2,)),
    "actor": (run("update journal set actor = 'bob' where position = 2"), (2,)),
    "actor that is not UTF-8": (
        run("update journal set actor = cast(x'ff' as text) where position = 2"),
        (2,),
    ),
    "tenant": (run("update journal set tenant = 't' where position = 2"), (2,)),
    "version": (run("update journal set version = 7 where position = 2"), (2,)),
    "time": (run("update journal set at = at + 1 where position = 2"), (2,)),
    "time of another type": (run("update journal set at = 'noon' where position = 2"), (2,)),
    "schema": (run("update journal set schema = 2 where position = 2"), (2,)),
    "kind of another type": (
        run("update journal set kind = cast(kind as blob) where position = 2"),
        (2,),
    ),
    "kind and time of another type, actor that is not UTF-8": (
        run(
            "update journal set kind = cast(kind as blob), at = cast(at as blob),"
            " actor = cast(x'ff' as text) where position = 2"
        ),
        (2,),
    ),
    "the same body as bytes": (
        run("update journal set body = cast(body as blob) where position = 2"),
        (2,),
    ),
    "time as a fraction": (run("update journal set at = at + 0.5 where position = 2"), (2,)),
    "stream": (run("update journal set stream = 9 where position = 2"), (2,)),
    "commitment": (run("update journal set commitment = x'00' where position = 2"), (2,)),
    "its own commitment beside the body": (committed, (2,)),
    "body and salt without a commitment": (
        run("update journal set body = null, salt = null where position = 2"),
        (2,),
    ),
    "body and salt for another commitment": (
        run("update journal set body = null, salt = null, commitment = hash where position = 2"),
        (2,),
    ),
    "a part of the body moved into the salt": (shifted, (2,)),
    "a part of the actor moved into the kind": (
        run("update journal set kind = kind || substr(actor, 1, 1), actor = substr(actor, 2)"),
        (1, 2, 3, 4, 5),
    ),
    "hash": (run("update journal set hash = x'00' where position = 2"), (2, 3)),
    "last hash": (run("update journal set hash = x'00' where position = 5"), (5,)),
    "hash of another type": (run("update journal set hash = 'x' where position = 2"), (2, 3)),
    "a row deleted": (run("delete from journal where position = 2"), (3,)),
    "the first row deleted": (run("delete from journal where position = 1"), (2,)),
    "rows swapped": (swapped, (2, 3, 4, 5)),
    "a row forged": (forged, (3,)),
}


@pytest.mark.requirement("tamper-evident")
@pytest.mark.parametrize("how", TAMPERED)
async def test_what_was_tampered_with_is_found(driver: Sqlite, five: Store, how: str) -> None:
    tamper, positions = TAMPERED[how]
    with driver.tampered() as db:
        tamper(db)
    found = await five.verify()
    assert tuple(problem.position for problem in found.problems) == positions
    assert found.intact == found.events - len(positions)


async def test_an_erased_event_is_counted_and_the_chain_still_holds(
    driver: Sqlite, five: Store
) -> None:
    driver.erase("position in (2, 4)")
    assert await five.verify() == Verification(5, 3, 2, ())
    assert type((await five.read(1))[1].event).__name__ == "Erased"
    await five.append(after(3, 3))
    assert await five.verify() == Verification(6, 4, 2, ())


async def test_a_text_that_cannot_be_read_is_a_damaged_database(
    driver: Sqlite, five: Store
) -> None:
    with driver.tampered() as db:
        TAMPERED["text that is not UTF-8"][0](db)
    with pytest.raises(StoreError) as refused:
        await five.read(1)
    assert refused.value.code == "database_corrupt"


@pytest.mark.requirement("append-only-journal")
@pytest.mark.parametrize(
    "statement",
    [
        "delete from journal",
        "delete from journal where position = 5",
        "update journal set body = '{}'",
        "update journal set salt = zeroblob(32)",
        "update journal set body = null",
        "update journal set salt = null",
        "update journal set body = null, salt = null",
        "update journal set commitment = hash",
        "update journal set actor = 'bob', body = null, salt = null, commitment = hash",
        "update journal set position = position + 10",
        "update journal set hash = zeroblob(32)",
        "update journal set stream = 9 where position = 2",
        "insert into journal select * from journal where true"
        " on conflict (position) do update set actor = 'bob'",
    ],
)
async def test_events_can_be_neither_changed_nor_deleted(
    driver: Sqlite, five: Store, statement: str
) -> None:
    with (
        closing(sqlite3.connect(driver.path, isolation_level=None)) as db,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        db.execute(statement)
    assert await five.verify() == INTACT


# -- the arithmetic --------------------------------------------------------------------------


texts = st.text(max_size=8)
headers = st.tuples(st.integers(), texts, st.integers(), st.integers(), texts, st.integers(),
                    st.integers(), texts)  # fmt: skip


@given(headers, headers)
def test_different_headers_have_different_hashes(one: Any, other: Any) -> None:
    same = hash_of(GENESIS, one, bytes(32)) == hash_of(GENESIS, other, bytes(32))
    assert same == (one == other)


def test_a_hash_is_today_what_it_was_when_it_was_written() -> None:
    commitment = commit(bytes(32), b"{}")
    made = link(GENESIS, 1, "default", 1, 1, "run.started", 1, 10**15, "ann", commitment)
    assert made.hex() == "306e3e0cfca4d6bcbb91466fe440f6a01012db8562b1fa7de783df7caf4d6cfc"


def test_an_empty_journal_is_intact() -> None:
    walk = Walk()
    walk.step(())
    assert walk.result() == Verification(0, 0, 0, ())


def test_a_gap_is_told_once() -> None:
    walk = Walk()
    lines: list[Line] = [(3, b"[]", None, None, bytes(32), bytes(32))]
    walk.step(lines)
    assert walk.result().problems == (
        Problem(3, "events are missing from position 1 on", "missing"),
    )

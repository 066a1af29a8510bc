"""Opening a file: ours is brought up to date, anybody else's is not touched."""

import asyncio
import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.store import StoreError
from engine.store.connection import connect
from engine.store.dialect import Migration
from engine.store.migrate import migrate, missing, steps_of_today
from tests.store.journals import AT, Shown, Sqlite, first, journal


@pytest.fixture
def driver(tmp_path: Path) -> Sqlite:
    return Sqlite(tmp_path / "h.db")


posix = pytest.mark.skipif(sys.platform == "win32", reason="file modes")


async def refused(driver: Sqlite) -> str:
    """The code with which a file is refused."""
    with pytest.raises(StoreError) as error:
        async with driver.open():
            pytest.fail("it was opened")
    assert error.value.hint
    return error.value.code


def written(path: Path, *statements: str) -> Path:
    """A SQLite file that some program made."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)
    return path


async def ours(driver: Sqlite, *changes: str) -> None:
    """A database of ours, changed afterwards."""
    async with driver.open() as store:
        await store.append(first())
    written(driver.path, *changes)


STRANGERS: dict[str, Callable[[Path], Any]] = {
    "a text": lambda path: path.write_text("My notes.\n" * 100),
    "a few bytes": lambda path: path.write_bytes(b"\0"),
    "almost the header": lambda path: path.write_bytes(b"SQLite format 4\0" * 64),
    "somebody's tables": lambda path: written(path, "create table notes (x)"),
    "somebody's migrations": lambda path: written(
        path, "create table schema_migrations (version text)"
    ),
    "somebody's mark": lambda path: written(path, "pragma application_id = 7"),
    "somebody's log": lambda path: written(
        path, "pragma journal_mode = wal", "create table notes (x)"
    ),
}


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_file_of_another_program_is_refused_and_not_changed_by_a_byte(
    driver: Sqlite, stranger: str
) -> None:
    STRANGERS[stranger](driver.path)
    before = driver.path.read_bytes()
    assert await refused(driver) == "database_foreign"
    assert driver.path.read_bytes() == before
    if not before.startswith(b"SQLite format 3"):
        assert os.listdir(driver.path.parent) == [driver.path.name]


@pytest.mark.parametrize(
    "make",
    [Path.touch, lambda path: written(path), lambda path: written(path, "pragma user_version = 3")],
    ids=["empty", "never written to", "without a table"],
)
async def test_a_file_without_anything_in_it_becomes_ours(
    driver: Sqlite, make: Callable[[Path], Any]
) -> None:
    make(driver.path)
    async with driver.open() as store:
        await store.append(first())
    async with driver.open() as store:
        assert len(await journal(store)) == 1


@pytest.mark.requirement("database-migrated")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("insert into schema_migrations values (99, 'later', 'd', 0)", "database_newer"),
        ("update schema_migrations set digest = 'd'", "database_changed"),
    ],
)
async def test_a_database_of_another_build_is_refused_and_not_changed(
    driver: Sqlite, change: str, code: str
) -> None:
    await ours(driver, change)
    before = driver.path.read_bytes()
    assert await refused(driver) == code
    assert driver.path.read_bytes() == before


async def test_a_header_of_ours_that_was_overwritten_is_damage(driver: Sqlite) -> None:
    await ours(driver)
    with driver.path.open("r+b") as file:
        file.write(b"\xff" * 100)
    assert await refused(driver) == "database_corrupt"


async def test_a_damaged_page_is_told_when_it_is_met(driver: Sqlite) -> None:
    async with driver.open() as store:
        for _ in range(50):
            await store.append(first())
    size = driver.path.stat().st_size
    with driver.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    assert await refused(driver) == "database_corrupt"


def under_a_file(folder: Path) -> Path:
    """A path that goes through a file."""
    (folder / "file").touch()
    return folder / "file" / "h.db"


def with_its_log_a_folder(folder: Path) -> Path:
    """A database whose log cannot be made."""
    (folder / "h.db-wal").mkdir()
    return folder / "h.db"


@pytest.mark.parametrize("place", [under_a_file, lambda folder: folder, with_its_log_a_folder])
async def test_a_place_where_no_database_can_be_is_told(
    tmp_path: Path, place: Callable[[Path], Path]
) -> None:
    assert await refused(Sqlite(place(tmp_path))) == "database_io"


class ReadOnly(sqlite3.Connection):
    """A connection that may only read, as on a read-only disk."""

    def __init__(self, path: Path, *arguments: Any, **more: Any) -> None:
        more["uri"] = True
        super().__init__(f"file:{path}?mode=ro", *arguments, **more)


async def test_a_new_database_cannot_be_made_where_nothing_can_be_written(driver: Sqlite) -> None:
    with pytest.raises(StoreError) as error:
        async with driver.open(factory=ReadOnly):
            pytest.fail("it was opened")
    assert error.value.code == "database_read_only"


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("synchronous", 2), ("wal_autocheckpoint", 0), ("journal_mode", "wal"), ("foreign_keys", 1)],
)
async def test_what_is_acknowledged_is_synced_and_nobody_checkpoints_by_himself(
    driver: Sqlite, pragma: str, value: object
) -> None:
    async with driver.open(factory=Shown):
        assert Shown.last.execute(f"pragma {pragma}").fetchone() == (value,)


@posix
async def test_what_is_made_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        driver = Sqlite(tmp_path / "new" / "h.db")
        async with driver.open() as store:
            await store.append(first())
            made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files(driver)}
    finally:
        os.umask(before)
    assert stat.S_IMODE(driver.path.parent.stat().st_mode) == 0o700
    assert made == dict.fromkeys(["h.db", "h.db-shm", "h.db-wal", "h.db.lock"], 0o600)


def files(driver: Sqlite) -> list[Path]:
    """Every file beside the database, and it."""
    return sorted(driver.path.parent.iterdir())


async def test_many_may_make_one_database_at_once(driver: Sqlite) -> None:
    async def process() -> None:
        async with driver.open() as store:
            await store.append(first())

    await asyncio.wait_for(asyncio.gather(*(process() for _ in range(6))), 10)
    async with driver.open() as store:
        assert (await store.verify()).intact == 6


# -- steps of the schema ------------------------------------------------------------------------


def step(number: int, *statements: str) -> Migration:
    """A step that no file has."""
    return Migration(number, f"step_{number}", f"digest {number}", statements)


LATER = (step(2, "create table two (x)", "insert into two values (2)"), step(3, "drop table two"))
BROKEN = (LATER[0], step(3, "create table three (x)", "this is no statement"))


def migrated(driver: Sqlite, steps: tuple[Migration, ...]) -> Path | None:
    """Bring a database up to some steps, as opening it does."""
    with closing(connect(driver.path, 1)) as db:
        return migrate(db, driver.path, AT, missing(db, steps))


@pytest.mark.requirement("database-migrated")
async def test_an_older_database_is_copied_aside_and_brought_up(driver: Sqlite) -> None:
    await ours(driver)
    steps = (*steps_of_today(), *LATER)
    copy = migrated(driver, steps)
    assert copy == driver.path.with_name("h.db.before-002")
    async with Sqlite(copy).open() as store:
        assert len(await journal(store)) == 1
    known = written(driver.path)
    with closing(sqlite3.connect(known)) as db:
        found = db.execute("select number, name, applied_at from schema_migrations").fetchall()
    assert found == [(1, "initial", AT), (2, "step_2", AT), (3, "step_3", AT)]
    assert migrated(driver, steps) is None
    assert await refused(driver) == "database_newer"


@posix
async def test_the_copy_of_an_older_database_is_for_its_owners_eyes_only(driver: Sqlite) -> None:
    await ours(driver)
    copy = migrated(driver, (*steps_of_today(), *LATER))
    assert copy is not None
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


async def test_what_is_still_in_the_log_is_in_the_copy(driver: Sqlite) -> None:
    async with driver.open() as store:
        await store.append(first())
        copy = migrated(driver, (*steps_of_today(), *LATER))
    assert copy is not None
    async with Sqlite(copy).open() as store:
        assert len(await journal(store)) == 1


async def test_steps_are_applied_all_or_none(driver: Sqlite) -> None:
    await ours(driver)
    with pytest.raises(sqlite3.OperationalError):
        migrated(driver, (*steps_of_today(), *BROKEN))
    async with driver.open() as store:
        assert len(await journal(store)) == 1
    assert migrated(driver, (*steps_of_today(), *LATER)) is not None


async def test_nothing_is_changed_when_the_copy_cannot_be_made(driver: Sqlite) -> None:
    await ours(driver)
    driver.path.with_name("h.db.before-002").mkdir()
    with pytest.raises(OSError, match="before-002"):
        migrated(driver, (*steps_of_today(), *LATER))
    async with driver.open() as store:
        assert len(await journal(store)) == 1


async def test_a_step_that_was_edited_after_its_release_is_refused(driver: Sqlite) -> None:
    await ours(driver)
    migrated(driver, (*steps_of_today(), *LATER))
    with pytest.raises(StoreError) as error:
        migrated(driver, (*steps_of_today(), replace(LATER[0], digest="another"), LATER[1]))
    assert error.value.code == "database_changed"

"""What only PostgreSQL can do to us: go away, keep a lock, refuse a login, lose an answer."""

import asyncio
from collections.abc import Generator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from engine.core.errors import Move, Refused
from engine.store import StoreError
from engine.store.errors import TROUBLES
from engine.store.postgres_link import CLASSES, CODES, judged, outside
from engine.store.postgres_session import GRACE
from tests.postgres import Server
from tests.store.journals import (
    Postgres,
    first,
    journal,
    put_due,
)
from tests.store.servers import SOON, opened, run, until

ALL = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'handrail'"


@pytest.fixture
def driver(postgres: Server) -> Generator[Postgres]:
    url = postgres.create()
    yield Postgres(url)
    postgres.drop(url)


# -- a server that goes away --------------------------------------------------------------------


async def test_connections_that_broke_while_nobody_used_them_are_not_noticed(
    driver: Postgres,
) -> None:
    async with driver.open() as store:
        await store.append(first(also=(put_due(owner=5),)))
        assert await store.fetch("due_held", owner=5) == [{"run": 1}]
        await asyncio.wait_for(store.stirred(), SOON)
        run(driver, ALL)
        assert (await store.append(first())).streams == (2,)
        assert await store.fetch("due_held", owner=5) == [{"run": 1}]
        await asyncio.wait_for(store.stirred(), SOON)  # something may have been missed
        assert (await store.verify()).intact == 2


async def test_the_lock_of_a_life_is_taken_back_after_the_connection_broke(
    driver: Postgres,
) -> None:
    async with driver.open() as store, driver.open() as other:
        life = await store.hold(7)
        assert life is not None
        assert await other.hold(7) is None
        run(driver, ALL)
        assert await other.dead(7, "") is None  # it has only just come back itself
        await until(lambda: locks(driver))
        assert await other.hold(7) is None
        life.release()
        await store.write()
        assert await other.hold(7) is not None


def locks(driver: Postgres) -> list[Any]:
    """The locks of lives that somebody holds."""
    return run(driver, "select pid from pg_locks where locktype = 'advisory' and objid = 7")


async def test_the_life_of_one_that_is_gone_is_free_at_once(driver: Postgres) -> None:
    async with driver.open() as other:
        async with driver.open() as store:
            assert await store.hold(7) is not None
            assert await other.dead(7, "elsewhere") is None
        # Closing waits for nobody: the server's process may need a moment to notice.
        async with asyncio.timeout(min(SOON, GRACE)):
            while await other.dead(7, "elsewhere") is None:  # noqa: ASYNC110 - it is elsewhere
                await asyncio.sleep(0.02)
    assert GRACE > 0


# -- opening ------------------------------------------------------------------------------------


async def refused(url: str) -> Refused:
    """How an address is refused."""
    with pytest.raises(Refused) as error:
        async with opened(url, patience=0.1):
            pytest.fail("it was opened")
    assert error.value.hint
    assert "secret" not in f"{error.value} {error.value.hint} {error.value.__cause__}"
    return error.value


async def test_why_a_server_cannot_be_had_is_told_apart(driver: Postgres) -> None:
    host = driver.url.partition("@")[2]
    server = host.partition("/")[0]
    found = {
        url: (await refused(url)).code
        for url in (
            f"postgresql://postgres:secret@{server}/nowhere",
            f"postgresql://nobody:secret@{host}",
            "postgresql://postgres:secret@127.0.0.1:1/x",
            "postgresql://a:b@secret@127.0.0.1/x",
            "postgresql://a@127.0.0.1/x?secret=1",
        )
    }
    assert list(found.values()) == [
        "database_denied",
        "database_denied",
        "database_unreachable",
        "database_unreachable",
        "database_url",
    ]


async def test_the_place_of_a_database_is_shown_without_its_password(driver: Postgres) -> None:
    url = driver.url.replace("postgres@", "postgres:secret@")
    async with opened(url) as store:
        assert store.place == driver.url
        about = await store.about()
    assert (about.software, about.size > 0) == ("postgresql", True)


@pytest.mark.requirement("database-migrated")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("insert into schema_migrations values (99, 'later', 'd', 0)", "database_newer"),
        ("update schema_migrations set digest = 'd'", "database_changed"),
        ("drop table schema_migrations", "database_foreign"),
    ],
)
async def test_a_database_of_another_build_or_program_is_refused(
    driver: Postgres, change: str, code: str
) -> None:
    async with driver.open() as store:
        await store.append(first())
    run(driver, change)
    before = driver.rows("journal")
    assert (await refused(driver.url)).code == code
    assert driver.rows("journal") == before


async def test_many_may_make_one_database_at_once(driver: Postgres) -> None:
    async def process() -> None:
        async with driver.open() as store:
            await store.append(first())

    await asyncio.wait_for(asyncio.gather(*(process() for _ in range(6))), SOON)
    async with driver.open() as store:
        assert (await store.verify()).intact == 6


async def test_a_schema_of_its_own_may_be_named_in_the_address(driver: Postgres) -> None:
    run(driver, "create schema ours")
    run(driver, "create table journal (x text)")
    url = f"{driver.url}?options=-c%20search_path%3Dours"
    async with opened(url) as store:
        await store.append(first())
        assert len(await journal(store)) == 1
    assert run(driver, "select count(*) from ours.journal") == [(1,)]
    assert (await refused(driver.url)).code == "database_foreign"


async def test_one_who_may_not_write_is_told_so(driver: Postgres) -> None:
    async with driver.open() as store:
        await store.append(first())
    name = f"reader_{driver.url.rpartition('/')[2]}"
    run(driver, f"create role {name} login")
    run(driver, f"grant select on all tables in schema public to {name}")
    async with opened(driver.url.replace("postgres@", f"{name}@")) as store:
        assert len(await journal(store)) == 1
        with pytest.raises(StoreError) as error:
            await store.append(first())
        assert error.value.code == "database_read_only"


ERASED = "commitment = sha256(salt || convert_to(body, 'UTF8')), body = null, salt = null"


@pytest.mark.requirement("append-only-journal")
@pytest.mark.parametrize(
    "statement",
    [
        "delete from journal",
        "truncate journal",
        "update journal set body = '{}'",
        "update journal set salt = null",
        "update journal set body = null, salt = null",
        "update journal set commitment = hash",
        f"update journal set actor = 'bob', {ERASED}",
        "update journal set position = position + 10",
    ],
)
async def test_events_can_be_neither_changed_nor_deleted(driver: Postgres, statement: str) -> None:
    async with driver.open() as store:
        await store.append(first())
        with pytest.raises(errors.RaiseException):
            run(driver, statement)
        run(driver, f"update journal set {ERASED}")
        assert (await store.verify()).erased == 1


# -- what the server says -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "ours_alone"),
    [
        (errors.DiskFull(), "database_full", False),
        (errors.ReadOnlySqlTransaction(), "database_read_only", False),
        (errors.LockNotAvailable(), "database_locked", False),
        (errors.QueryCanceled(), "database_locked", False),
        (errors.AdminShutdown(), "database_unreachable", False),
        (errors.IdleInTransactionSessionTimeout(), "database_unreachable", False),
        (errors.ConnectionFailure(), "database_unreachable", False),
        (psycopg.OperationalError("the connection is lost"), "database_unreachable", False),
        (errors.InvalidPassword(), "database_denied", False),
        (errors.TooManyConnections(), "database_denied", False),
        (errors.DataCorrupted(), "database_corrupt", False),
        (errors.IoError(), "database_io", False),
        (psycopg.DataError("NUL"), "database_value", True),
        (errors.NumericValueOutOfRange(), "database_value", True),
        (errors.UniqueViolation(), "database_rule", True),
        (errors.SyntaxError(), "database_rule", True),
    ],
    ids=repr,
)
def test_an_error_is_told_by_its_code(error: Exception, code: str, ours_alone: bool) -> None:
    heard = judged(error)
    assert isinstance(heard, StoreError)
    assert (heard.code, outside(error)) == (code, not ours_alone)
    assert heard.move in {Move.PERSON, Move.CALLER, Move.ENGINE}


def test_every_code_has_words() -> None:
    assert {*CODES.values(), *CLASSES.values()} <= set(TROUBLES)

"""Whose turn it is on PostgreSQL, who hears of what, and leases whose answer is lost."""

import asyncio
import random
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from engine.core.log import Write
from engine.store import StoreError
from engine.store.postgres import PostgresStore
from engine.store.postgres_link import Link
from engine.store.postgres_session import TURN
from tests.chaos.proxy import Proxy, proxy
from tests.postgres import Server
from tests.store.journals import AT, Postgres, first, put_due
from tests.store.servers import SOON, opened, run, until


@pytest.fixture
def driver(postgres: Server) -> Generator[Postgres]:
    url = postgres.create()
    yield Postgres(url)
    postgres.drop(url)


# -- an answer that is lost ---------------------------------------------------------------------


class Fixed(random.Random):
    """As many commits as it says are cut off, in one way."""

    how, left = "", 0

    def random(self) -> float:
        self.left -= 1
        return 0.0 if self.left >= 0 else 1.0

    def choice(self, seq: Any) -> Any:
        return self.how


@asynccontextmanager
async def breaking(
    driver: Postgres, postgres: Server, how: str
) -> AsyncGenerator[tuple[PostgresStore, Proxy]]:
    """A store in which a run is due, and the line to it, which breaks at the next commit."""
    dice = Fixed()
    dice.how = how
    database = driver.url.rpartition("/")[2]
    with proxy(postgres.port, dice) as line:
        async with opened(postgres.url(database, line.port)) as store:
            await store.append(first(also=(put_due(),)))
            line.odds, dice.left = 1.0, 1
            yield store, line


@pytest.mark.parametrize("how", ["before it arrived", "while it was answered"])
async def test_a_lease_whose_commit_was_not_answered_is_answered_by_what_happened(
    driver: Postgres, postgres: Server, how: str
) -> None:
    claim = Write("due_claim", {"owner": 5, "now": AT, "limit": 10})
    async with breaking(driver, postgres, how) as (store, line):
        answers: list[Any] = [await store.write(claim)]
        assert line.cuts == {how: 1}
        held = bool(await store.fetch("due_held", owner=5))
    # What is known not to have happened is carried out once more.
    assert ([row["run"] for (rows,) in answers for row in rows], held) == ([1], True)


# -- others that do not let go ------------------------------------------------------------------


async def test_one_that_was_stopped_in_a_transaction_holds_up_the_others_for_a_while_only(
    driver: Postgres,
) -> None:
    async with opened(driver.url, patience=2.0) as store:
        with Link(driver.url, 2.0).open(writes=True) as stopped:
            stopped.execute("begin")
            stopped.execute("select pg_advisory_xact_lock($1)", (TURN,))
            answer = await asyncio.wait_for(store.append(first()), SOON)
            assert answer.streams == (1,)
            with pytest.raises(psycopg.Error):
                stopped.execute("commit")


async def test_a_turn_that_does_not_come_is_a_database_that_is_locked(driver: Postgres) -> None:
    async with opened(driver.url, patience=0.5) as store:
        with driver.busy(), pytest.raises(StoreError) as error:
            await asyncio.wait_for(store.append(first()), SOON)
        assert error.value.code == "database_locked"
        assert (await store.append(first())).streams == (1,)


async def test_a_heartbeat_wakes_nobody_and_a_lease_does(driver: Postgres) -> None:
    beat = Write("worker_beat", {"id": 1, "now": AT})
    async with driver.open() as store, driver.open() as other:
        await asyncio.wait_for(store.stirred(), SOON)
        stirred = asyncio.ensure_future(store.stirred())
        heard = await listening(driver)
        await other.write(beat)
        assert not await said(heard)
        await other.write(put_due(stream=1))
        await asyncio.wait_for(stirred, SOON)
        assert await said(heard)
        await heard.close()


async def test_a_start_tells_the_others_when_it_is_due(driver: Postgres) -> None:
    async with driver.open() as store, driver.open() as other:
        await asyncio.wait_for(store.stirred(), SOON)
        await other.write(put_due(stream=1, at=AT + 2), put_due(stream=2, at=AT + 1))
        await other.write(put_due(stream=3, owner=5, at=AT))
        due = [await asyncio.wait_for(store.stirred(), SOON)]
        run(driver, "notify handrail, '-1'")
        run(driver, f"notify handrail, '{'1' * 5_000}'")
        due.append(await asyncio.wait_for(store.stirred(), SOON))
        assert due == [AT + 1, None]


async def test_a_claim_that_finds_nothing_wakes_nobody(driver: Postgres) -> None:
    claim = Write("due_claim", {"owner": 5, "now": AT, "limit": 1})
    async with driver.open() as store:
        await store.write(put_due(stream=1))
        heard = await listening(driver)
        assert await store.write(claim) == [[{"run": 1, "tenant": "default", "lane": 0}]]
        assert await said(heard)
        assert await store.write(claim) == [[]]
        assert not await said(heard)
        await heard.close()


async def test_a_claim_is_told_to_nobody_and_waits_for_its_turn(driver: Postgres) -> None:
    async with driver.open() as store:
        await store.append(first(also=(put_due(),)))
        heard = await listening(driver)
        with driver.busy():
            claim = asyncio.ensure_future(store.claim(5, AT, 1))
            await until(lambda: run(driver, "select 1 from pg_locks where not granted"))
            assert not claim.done()
        assert [claimed.run for claimed in await asyncio.wait_for(claim, SOON)] == [1]
        assert not run(driver, "select 1 from pg_locks where locktype = 'advisory'")
        assert not await said(heard)
        await heard.close()


@pytest.mark.parametrize("how", ["before it arrived", "while it was answered"])
async def test_a_claim_without_an_answer_is_an_error_and_the_next_one_goes_on(
    driver: Postgres, postgres: Server, how: str
) -> None:
    async with breaking(driver, postgres, how) as (store, line):
        with pytest.raises(StoreError) as error:
            await store.claim(5, AT, 1)
        assert line.cuts == {how: 1}
        again = [claimed.run for claimed in await store.claim(6, AT, 1)]
        owned = [bool(await store.fetch("due_held", owner=owner)) for owner in (5, 6)]
    assert error.value.code == "database_unreachable"
    happened = how == "while it was answered"
    assert (again, owned) == ([] if happened else [1], [happened, not happened])


async def listening(driver: Postgres) -> psycopg.AsyncConnection[Any]:
    """Somebody who listens."""
    db = await psycopg.AsyncConnection.connect(driver.url, autocommit=True)
    await db.execute("listen handrail")
    return db


async def said(db: psycopg.AsyncConnection[Any]) -> bool:
    """Whether something was heard until now: an answer comes after what was said before it."""
    heard = list[Any]()
    db.add_notify_handler(heard.append)
    await db.execute("select 1")
    return bool(heard)

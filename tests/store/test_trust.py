"""A session on PostgreSQL that was alone for a while trusts that it still is, and may be wrong."""

import asyncio
from collections.abc import Generator

import pytest

from engine.core.errors import Stale
from engine.core.log import Append, Entry
from engine.store import Store
from engine.store.postgres_session import STEADY
from tests.postgres import Server
from tests.store.journals import AT, Postgres, after, first, journal, put_due, started


@pytest.fixture
def driver(postgres: Server) -> Generator[Postgres]:
    url = postgres.create()
    yield Postgres(url)
    postgres.drop(url)


async def alone(store: Store) -> None:
    """Write until it is trusted that nobody else does."""
    for _ in range(STEADY + 2):
        await store.append(first())


async def test_one_that_trusts_to_be_alone_and_is_not_leaves_no_gap(driver: Postgres) -> None:
    async with driver.open() as store, driver.open() as other:
        await alone(store)
        await other.append(first(started("stranger")))
        here = await store.append(first(also=(put_due(owner=3),)))
        assert here.streams == (STEADY + 4,)
        assert await store.fetch("due_held", owner=3) == [{"run": STEADY + 4}]
        assert [each.position for each in await journal(store)] == list(range(1, STEADY + 5))
        assert (await store.verify()).intact == STEADY + 4


async def test_nobody_is_stale_because_of_what_others_have_written_meanwhile(
    driver: Postgres,
) -> None:
    async with driver.open() as store, driver.open() as other:
        await store.append(first())
        await alone(store)
        await other.append(after(1, 1))
        assert (await store.append(after(1, 2))).versions == (3,)
        with pytest.raises(Stale):
            await store.append(after(1, 2))


async def test_a_lease_without_an_event_is_fenced_by_the_journal_as_it_is(
    driver: Postgres,
) -> None:
    async with driver.open() as store, driver.open() as other:
        await store.append(first(also=(put_due(owner=3),)))
        await alone(store)
        await other.append(after(1, 1))
        free = put_due(owner=0, stream=1)
        with pytest.raises(Stale):
            await store.append(Append((Entry(1, 1, (), (free,)),), AT, "ann"))
        assert await store.fetch("due_held", owner=3) == [{"run": 1}]


async def test_what_others_say_of_the_journals_end_is_compared_before_it_counts(
    driver: Postgres,
) -> None:
    async with driver.open() as store:
        await alone(store)
        await store._writer.ask(lambda session: session.hear(999, bytes(32)))
        assert (await store.append(first())).streams == (STEADY + 3,)
        assert (await store.verify()).intact == STEADY + 3


async def test_two_that_hear_of_each_other_take_turns_without_a_gap(driver: Postgres) -> None:
    async with driver.open() as one, driver.open() as two:
        for turn in range(1, 4 * STEADY):
            asks, hears = (one, two) if turn % 2 else (two, one)
            assert (await asks.append(first())).streams == (turn,)
            async with asyncio.timeout(20):
                await hears.stirred()
        assert (await one.verify()).intact == 4 * STEADY - 1

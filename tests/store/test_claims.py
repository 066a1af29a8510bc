"""Leases with the histories that they are for: the same tests for every driver."""

import asyncio

from engine.core.log import Appended
from engine.store import Store, StoreError
from tests.store.journals import AT, Driver, done, first, put_due, started


async def test_a_claim_gives_the_oldest_with_their_histories(store: Store) -> None:
    await store.append(first(started(), done(), also=(put_due(at=AT - 1),)))
    await store.append(first(also=(put_due(at=AT - 3),)))
    await store.append(first(tenant="t", also=(put_due(at=AT - 2, tenant="t"),)))
    await store.write(put_due(stream=88, at=AT - 4), put_due(stream=99, at=AT + 1))
    taken = [*await store.claim(5, AT, 2), *await store.claim(6, AT, 9)]
    versions = {
        claimed.run: [(event.tenant, event.version) for event in store.decoded(claimed.lines)]
        for claimed in taken
    }
    one = "default"
    assert versions == {88: [], 3: [(one, 1)], 4: [("t", 1)], 1: [(one, 1), (one, 2)]}
    assert {claimed.run: claimed.tenant for claimed in taken} == {88: one, 3: one, 4: "t", 1: one}
    owned = [await store.fetch("due_held", owner=owner) for owner in (5, 6)]
    assert [sorted(row["run"] for row in rows) for rows in owned] == [[3, 88], [1, 4]]
    assert await store.claim(7, AT, 9) == []


async def test_a_claim_that_cannot_be_carried_out_disturbs_nobody(
    driver: Driver, store: Store
) -> None:
    with driver.busy():
        claim = asyncio.ensure_future(store.claim(2**70, AT, 1))
        await asyncio.sleep(0)
        start = store.append_soon(first())
    async with asyncio.timeout(5):
        failure, answer = await asyncio.gather(claim, start, return_exceptions=True)
    assert isinstance(failure, StoreError)
    assert answer == Appended((1,), (1,))

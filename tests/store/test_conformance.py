"""What it means to be a store: the same tests for every driver."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from engine.core import events as ev
from engine.core.codec import CodecError
from engine.core.errors import Refused, Stale
from engine.core.log import NEW, Append, Appended, Entry, Recorded, Taken, Write
from engine.features import runs
from engine.store import Store, StoreError
from engine.store.writer import MOST
from tests.store.journals import (
    AT,
    Driver,
    after,
    done,
    first,
    journal,
    keyed,
    put_due,
    started,
)


async def settled(*futures: asyncio.Future[Appended]) -> list[Any]:
    """What became of some requests: results and errors."""
    async with asyncio.timeout(5):
        return await asyncio.gather(*futures, return_exceptions=True)


# -- places -----------------------------------------------------------------------------------


async def test_positions_have_no_gaps_and_follow_the_order_of_asking(store: Store) -> None:
    asked = [store.append_soon(first(started(), *[done()] * (n % 3))) for n in range(50)]
    answers = await settled(*asked)
    found = await journal(store)
    assert [entry.position for entry in found] == list(range(1, len(found) + 1))
    assert [answer.streams[0] for answer in answers] == sorted({entry.stream for entry in found})
    assert store.head() == len(found) == sum(1 + n % 3 for n in range(50))


async def test_a_stream_is_named_by_the_position_of_its_first_event(store: Store) -> None:
    await store.append(first(started(), done(), done()))
    answer = await store.append(first(started(), done()))
    assert answer == Appended((4,), (2,))
    assert [(r.position, r.stream, r.version) for r in await store.read(4)] == [
        (4, 4, 1),
        (5, 4, 2),
    ]


async def test_what_was_appended_is_read_as_it_was(store: Store) -> None:
    event = started("u", input={"é": [1, 2.5, None, True, "\0😀"]})
    await store.append(first(event, tenant="t"))
    assert await store.read(1, tenant="t") == [Recorded(1, "t", 1, 1, AT, "ann", event)]
    assert await journal(store) == await store.read(1, tenant="t")


async def test_a_stream_is_read_from_any_version_on(store: Store) -> None:
    await store.append(first(started(), done("a"), done("b")))
    assert [r.event.path for r in await store.read(1, after=1)] == ["a", "b"]
    assert await store.read(1, after=3) == await store.read(2) == []


async def test_many_histories_are_read_at_once(store: Store) -> None:
    await store.append(first(started(), done("a"), tenant="t"))
    await store.append(first())
    await store.append(first(tenant="t"))
    found = await store.histories([4, 1, 3, 9], "t")
    assert {stream: store.decoded(rows) for stream, rows in found.items()} == {
        stream: await store.read(stream, tenant="t") for stream in (4, 1, 3, 9)
    }
    assert len(found[1]) == 2
    assert not found[3]
    assert await store.histories([]) == {}


async def test_streams_that_others_began_are_judged_together(driver: Driver) -> None:
    async with driver.open() as one, driver.open() as two:
        for tenant in ("a", "a", "b", "a"):
            await one.append(first(tenant=tenant))
        wanted = [(1, 1, "a"), (2, 1, "b"), (3, 1, "b"), (4, 2, "a"), (9, 1, "a"), (2, 1, "a")]
        asked = [two.append(after(stream, at, tenant=by)) for stream, at, by in wanted]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [isinstance(answer, Stale) for answer in answers] == [
            False, True, False, True, True, False
        ]  # fmt: skip


async def test_a_tail_begins_where_it_is_told_to_and_sees_what_came_meanwhile(
    store: Store,
) -> None:
    for _ in range(3):
        await store.append(first())
    seen = []
    async for recorded in store.tail(after=1, limit=1):
        seen.append(recorded.position)
        if len(seen) == 1:
            await store.append(first())
    assert seen == [2, 3, 4]


async def test_tenants_see_and_change_only_their_own(store: Store) -> None:
    await store.append(first(started(), tenant="one"))
    assert await store.read(1, tenant="two") == []
    with pytest.raises(Stale):
        await store.append(after(1, 1, tenant="two"))
    assert (await store.append(after(1, 1, tenant="one"))).versions == (2,)


# -- conflicts --------------------------------------------------------------------------------


@pytest.mark.requirement("append-only-journal")
async def test_of_two_at_the_same_version_one_wins_whether_they_share_a_batch_or_not(
    driver: Driver, store: Store
) -> None:
    await store.append(first())
    with driver.busy():
        rivals = [store.append_soon(after(1, 1, done(f"{n}"))) for n in range(20)]
    answers = await settled(*rivals)
    assert answers[0] == Appended((1,), (2,))
    assert all(isinstance(answer, Stale) for answer in answers[1:])
    assert [r.event for r in await store.read(1, after=1)] == [done("0")]


@pytest.mark.parametrize(("stream", "expected"), [(1, 0), (1, 2), (1, -1), (2, 0), (2, 1), (9, 0)])
async def test_nobody_appends_to_a_stream_that_is_elsewhere_or_nowhere(
    store: Store, stream: int, expected: int
) -> None:
    await store.append(first(started()))
    with pytest.raises(Stale):
        await store.append(after(stream, expected))
    assert store.head() == 1


async def test_a_conflict_is_seen_although_the_stream_was_forgotten(driver: Driver) -> None:
    async with driver.open() as store:
        await store.append(first(started(), done()))
    async with driver.open() as store:
        with pytest.raises(Stale):
            await store.append(after(1, 1))
        assert (await store.append(after(1, 2))).versions == (3,)


async def test_entries_are_written_together_or_not_at_all(store: Store) -> None:
    await store.append(first())
    both = (Entry(NEW, 0, (started(),), (put_due(),)), Entry(1, 7, (done(),)))
    with pytest.raises(Stale):
        await store.append(Append(both, AT, "ann"))
    assert store.head() == 1
    assert await store.fetch("due_next") == [{"at": None}]
    three = (Entry(1, 1, (done(),)), Entry(NEW, 0, (started(),)), Entry(NEW, 0, (started(),)))
    assert await store.append(Append(three, AT, "ann")) == Appended((1, 3, 4), (2, 1, 1))


async def test_of_many_starts_under_one_key_one_wins_and_the_others_are_shown_it(
    driver: Driver, store: Store
) -> None:
    with driver.busy():
        rivals = [store.append_soon(keyed("k")) for _ in range(8)]
    winner, *others = await settled(*rivals)
    assert winner == Appended((1,), (1,))
    assert all(isinstance(other, Taken) and other.row["run"] == 1 for other in others)
    assert len({id(other) for other in others}) == 7
    assert store.head() == 1


# -- writes beside events -----------------------------------------------------------------------


async def test_a_write_beside_a_new_stream_may_name_it(store: Store) -> None:
    await store.append(first())
    await store.append(first(also=(put_due(owner=5),)))
    assert await store.fetch("due_held", owner=5) == [{"run": 2}]


async def test_a_write_beside_events_need_not_name_the_stream(store: Store) -> None:
    free = Write("due_free_all", {"owner": 5, "now": AT})
    await store.append(first(also=(put_due(owner=5), free)))
    assert await store.fetch("due_held", owner=0) == [{"run": 1}]


async def test_a_write_that_returns_rows_sees_what_its_batch_wrote_before_it(
    driver: Driver, store: Store
) -> None:
    claim = Write("due_claim", {"owner": 5, "now": AT, "limit": 10})
    with driver.busy():
        store.append_soon(first())
        store.append_soon(first(also=(put_due(),)))
        asked = asyncio.ensure_future(store.write(put_due(stream=77), claim, put_due(stream=78)))
        await asyncio.sleep(0)
        last = asyncio.ensure_future(store.write(claim))
        await asyncio.sleep(0)
    none, claimed, nothing = await asyncio.wait_for(asked, 5)
    assert (none, nothing) == ([], [])
    assert sorted(row["run"] for row in claimed) == [2, 77]
    assert [row["run"] for (row,) in await asyncio.wait_for(last, 5)] == [78]


# -- requests that cannot be carried out ----------------------------------------------------------


def wrongs() -> dict[str, tuple[Append, type[Exception]]]:
    """Requests of which each is wrong in its own way, and what their callers hear."""
    twice = (Entry(1, 1, (done(),)), Entry(1, 1, (done(),)))
    return {
        "not JSON": (first(started(input=float("nan"))), CodecError),
        "not an event": (first("hello"), TypeError),
        "an unknown statement": (first(also=(Write("nope", {}),)), KeyError),
        "a missing parameter": (first(also=(Write("due_put", {}),)), TypeError),
        "a parameter too many": (first(also=(put_due(more=1),)), TypeError),
        "a number too large": (first(also=(put_due(owner=2**70),)), StoreError),
        "half a surrogate pair": (first(tenant="\ud800"), Exception),
        "a value of a strange type": (first(also=(put_due(at=object()),)), StoreError),
        "a rule of the schema": (first(started("taken")), StoreError),
        "one stream twice": (Append(twice, AT, "ann"), StoreError),
        "a stream without events": (Append((Entry(NEW, 0, ()),), AT, "ann"), ValueError),
    }


@pytest.mark.parametrize("wrong", wrongs())
async def test_what_is_wrong_with_one_request_is_its_callers_alone(
    driver: Driver, store: Store, wrong: str
) -> None:
    request, error = wrongs()[wrong]
    await store.append(first(started("taken")))
    with driver.busy():
        good = [store.append_soon(first()) for _ in range(5)]
        bad = store.append_soon(request)
        more = [store.append_soon(first()) for _ in range(5)]
    answers = await settled(*good, bad, *more)
    assert isinstance(answers.pop(5), error)
    assert [answer.streams[0] for answer in answers] == list(range(2, 12))
    assert len(await journal(store)) == len(driver.rows("runs")) == 11
    assert not (await store.verify()).problems


async def test_others_are_not_kept_waiting_by_a_request_that_failed(
    driver: Driver, store: Store
) -> None:
    await store.append(first(started("taken")))
    with pytest.raises(StoreError):
        await store.append(first(started("taken")))
    async with driver.open(patience=0.0) as other:
        assert (await other.append(first())).streams == (2,)


async def test_writes_of_which_one_is_wrong_are_undone_together(
    driver: Driver, store: Store
) -> None:
    with driver.busy():
        filler = store.append_soon(first())
        wrong = asyncio.ensure_future(store.write(put_due(stream=5), Write("due_drop", {})))
        await asyncio.sleep(0)
        right = store.append_soon(first())
    await settled(filler, right)
    with pytest.raises(TypeError, match="due_drop needs"):
        await wrong
    assert driver.rows("due") == []


async def test_a_value_that_no_column_holds_is_refused_when_it_is_looked_for(store: Store) -> None:
    for value in ("\ud800", 2**70):
        with pytest.raises(StoreError) as refused:
            await store.fetch("start_key_find", tenant="t", namespace="n", workflow="w", key=value)
        assert refused.value.code == "database_value"


# -- callers that go away ---------------------------------------------------------------------


async def test_a_caller_that_goes_away_harms_nobody_and_its_request_is_whole_or_absent(
    driver: Driver, store: Store
) -> None:
    with driver.busy():
        asked = [store.append_soon(first(started(), done())) for _ in range(10)]
        for future in asked[::2]:
            future.cancel()
    answers = await settled(*asked)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
    found = await journal(store)
    for answer in answers[1::2]:
        assert len([r for r in found if r.stream == answer.streams[0]]) == 2
    assert len(found) % 2 == 0
    assert (await store.append(first())).streams == (len(found) + 1,)


async def test_closing_finishes_what_was_asked_for_and_takes_nothing_more(driver: Driver) -> None:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(driver.open())
        with driver.busy():
            asked = [store.append_soon(first()) for _ in range(MOST + 100)]
            late = asyncio.ensure_future(store.fetch("due_next"))
            await asyncio.sleep(0)
            closing = asyncio.create_task(stack.aclose())
            assert await late == [{"at": None}]
        await asyncio.wait_for(closing, 10)
    answers = await settled(*asked)
    assert [answer.streams[0] for answer in answers] == list(range(1, MOST + 101))
    for act in (store.append(first()), store.fetch("due_next"), store.write(), store.stirred()):
        with pytest.raises(StoreError) as closed:
            await act
        assert closed.value.code == "database_closed"
    async with driver.open() as store:
        assert (await store.verify()).intact == MOST + 100


async def test_closing_may_be_interrupted_and_is_finished_all_the_same(driver: Driver) -> None:
    opened, leave, left = asyncio.Event(), asyncio.Event(), asyncio.Event()
    asked: list[asyncio.Future[Appended]] = []

    async def process() -> None:
        async with driver.open() as store:
            opened.set()
            await leave.wait()
            asked.extend(store.append_soon(first()) for _ in range(10))
            left.set()

    task = asyncio.create_task(process())
    await asyncio.wait_for(opened.wait(), 5)
    with driver.busy():
        leave.set()
        await asyncio.wait_for(left.wait(), 5)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
    assert [answer.streams[0] for answer in await settled(*asked)] == list(range(1, 11))
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    async with driver.open() as store:
        assert len(await journal(store)) == 10


# -- other processes ----------------------------------------------------------------------------


async def test_a_commit_of_another_process_is_noticed(driver: Driver, store: Store) -> None:
    async with driver.open() as other:
        await asyncio.wait_for(store.stirred(), 5)  # for all that it knows
        await store.append(first())
        await other.append(first())
        await asyncio.wait_for(store.stirred(), 5)
        assert store.head() == 1
        assert (await store.append(first())).streams == (3,)
        assert store.head() == 3


async def test_two_processes_agree_on_versions_and_on_the_chain(driver: Driver) -> None:
    async with driver.open() as one, driver.open() as two:
        await one.append(first())
        for version in range(1, 10):
            rivals = [one.append_soon(after(1, version)), two.append_soon(after(1, version))]
            answers = await settled(*rivals)
            assert sorted(isinstance(answer, Stale) for answer in answers) == [False, True]
        assert [r.version for r in await two.read(1)] == list(range(1, 11))
        assert (await one.verify()).intact == 10


# -- the whole journal --------------------------------------------------------------------------


@pytest.mark.requirement("projections-rebuilt")
async def test_tables_drawn_again_equal_those_drawn_live(driver: Driver, store: Store) -> None:
    for number in range(30):
        (stream,) = (await store.append(keyed(f"k{number}"))).streams
        await store.append(after(stream, 1, ev.RunPaused("paused:retry", AT), ev.RunResumed()))
        await store.append(after(stream, 3, ev.RunCancelled("enough")))
    live = driver.tables()
    assert await store.rebuild() == 120
    assert driver.tables() == live
    assert len(live["runs"]) == len(live["start_keys"]) == 30


async def test_a_redrawing_that_fails_leaves_every_table_as_it_was(driver: Driver) -> None:
    async with driver.open() as store:
        await store.append(first(started("u")))
        await store.append(first(ev.DefaultSet("1.0.0", pinned=False)))
        live = driver.tables()
    async with driver.open(features=(runs.FEATURE,)) as store:
        with driver.busy():
            good = store.append_soon(first())
            broken = asyncio.ensure_future(store.rebuild())
            await asyncio.sleep(0)
            more = store.append_soon(first())
        await settled(good, more)
        with pytest.raises(Refused) as refused:
            await broken
        assert refused.value.code == "event_unknown_kind"
        rows = [row for row in driver.rows("runs") if row[2] == "u"]
        assert (rows, driver.rows("versions")) == (live["runs"], live["versions"])
        assert len(driver.rows("runs")) == 3

"""A request that begins a stream and goes on with it at once, on either database."""

from engine.core import events as ev
from engine.core.log import NEW, SAME, Append, Appended, Entry
from engine.store import Store
from tests.store.journals import AT, after, done, first, put_due, started


async def test_one_request_begins_a_stream_and_goes_on_with_it_in_another_name(
    store: Store,
) -> None:
    begun = Entry(NEW, 0, (started("u"),))
    rest = Entry(SAME, 1, (done("a"), ev.RunCompleted(1)), (put_due(7),), "worker:1", AT + 5)
    await store.append(first())
    answered = await store.append(Append((begun, rest), AT, "ann"))
    assert answered == Appended((2, 2), (1, 3))
    told = await store.read(2)
    assert [(line.version, line.actor, line.at) for line in told] == [
        (1, "ann", AT), (2, "worker:1", AT + 5), (3, "worker:1", AT + 5)
    ]  # fmt: skip
    (row,) = await store.fetch("run_by_uid", tenant="default", uid="u")
    assert (row["status"], row["created_at"], row["ended_at"]) == ("completed", AT, AT + 5)
    assert [row["run"] for row in await store.fetch("due_held", owner=7)] == [2]
    assert (await store.append(after(2, 3))).versions == (4,)
    assert (await store.verify()).problems == ()

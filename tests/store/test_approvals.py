"""What lists say of approvals is what their histories say, live and drawn again."""

import random
from typing import Any

import pytest

from engine.core.approval import events as ev
from engine.core.approval.state import Approval, Approver, Claim, End, Finish, Vote, decide, evolve
from engine.core.errors import Refused
from engine.core.log import NEW, Append, Entry
from engine.store import Store
from tests.core.approval.test_state import ANN, AT, SHOWN, asked
from tests.store.journals import Driver

SECOND = 1_000_000


def anything(dice: random.Random, now: int) -> Any:
    """Some command at a time; most do not fit."""
    approver = dice.choice([ANN, Approver("form", "A1", "stdio")])
    decision = dice.choice(["approve", "approve", "deny"])
    state = dice.choice(["expired", "cancelled", "superseded", "void", "revoked"])
    return dice.choice(
        [
            Vote(decision, SHOWN, approver, now, "A1"),  # type: ignore[arg-type]
            Claim("w", now, "A1"),
            Finish("ok", {"n": 1}),
            End(state, "why", "x", now),  # type: ignore[arg-type]
        ]
    )


async def lived(store: Store, dice: random.Random, number: int) -> tuple[int, Approval]:
    """An approval with a random history; its stream."""
    request, now = asked(uid=f"apr_{number}", run=dice.choice(["", f"r{number}"])), AT
    entry: Entry = Entry(NEW, 0, (request,))
    done = await store.append(Append((entry,), now, "ann"))
    approval, stream, version = evolve(Approval(), request, now), done.streams[0], 1
    for _ in range(dice.randrange(6)):
        now += dice.randrange(20 * 60) * SECOND
        try:
            events = decide(approval, anything(dice, now))
        except Refused:
            continue
        await store.append(Append((Entry(stream, version, events),), now, "ann"))
        version += len(events)
        for event in events:
            evolve(approval, event, now)
    return stream, approval


@pytest.mark.requirement("projections-rebuilt")
async def test_rows_of_approvals_tell_what_their_histories_tell(
    driver: Driver, store: Store
) -> None:
    dice = random.Random(11)
    told = dict([await lived(store, dice, number) for number in range(150)])
    given = ev.GrantGiven("grant_1", "rule", "ann", "apr_1", AT + SECOND, {"rule": {"id": "a"}})
    (grant,) = (await store.append(Append((Entry(NEW, 0, (given,)),), AT, "ann"))).streams
    revoked = Entry(grant, 1, (ev.GrantRevoked("ann", "enough"),))
    await store.append(Append((revoked,), AT, "ann"))
    live = driver.tables()
    rows = {row["id"]: row for row in await store.fetch("approval_list", **EVERYTHING)}
    assert rows.keys() == told.keys()
    for stream, approval in told.items():
        (row,) = await store.fetch("approval_by_uid", tenant="default", uid=approval.request.uid)
        assert (row["id"], row["state"]) == (stream, approval.state)
    assert {approval.state for approval in told.values()} > {"pending", "done", "denied", "void"}
    await store.rebuild()
    assert driver.tables() == live
    assert len(live["grants"]) == 1


EVERYTHING: dict[str, Any] = {"tenant": "default", "before": 2**62, "limit": 1_000}

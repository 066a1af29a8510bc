"""Attacks 5 to 7, 25, 26 and 28 to 32 on the life of an approval."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.approval.gated import Gated
from tests.attacks.documents import FLOWS
from tests.attacks.world import ASSISTANT, MINUTE, World, allowed, attacked, refusal

pytestmark = pytest.mark.requirement("attacks")

PAY = {"to": "annette", "amount": 5}
WIPE = {"id": "1", "to": "ann"}


def _edit(database: Path, old: str, new: str) -> int:
    """Change rows of the journal behind the engine's back, as somebody with the file could."""
    with sqlite3.connect(database) as link:
        for (name,) in link.execute("select name from sqlite_master where type = 'trigger'"):
            link.execute(f'drop trigger "{name}"')
        edit = "update journal set body = replace(body, ?, ?) where kind = 'approval.requested'"
        done = link.execute(edit, (old, new)).rowcount
        link.commit()
    link.close()
    return done


async def test_5_a_plan_that_was_changed_in_the_database_is_never_carried_out(
    world: World,
) -> None:
    view = await world.asked("pay", PAY)
    assert _edit(world.database, "annette", "mallory") > 0
    told = await refusal(world.approves(view))
    assert told.code in {"digest_changed", "bad_plan"}
    await world.quiet()
    assert world.happened == []


async def test_5_a_plan_changed_after_the_vote_is_never_carried_out(tmp_path: Path) -> None:
    async with attacked(tmp_path, accept=True) as world:
        view = await world.asked("pay", PAY)
        await world.restart(work=False)
        await world.approves(view)
        assert _edit(world.database, "annette", "mallory") > 0
        await world.restart()
        run = await world.engine.wait(view.run, 3)
        assert run.status != "completed"
        assert world.happened == []


async def test_7_a_workflow_published_anew_after_the_vote_does_not_ride_on_it(
    world: World,
) -> None:
    view = await world.asked("pay", PAY)
    rug = FLOWS.replace('to: "{{input.to}}", amount', "to: eve, amount")
    (world.folder / "flows.yaml").write_text(rug, encoding="utf-8")
    await world.engine.refresh()
    await world.approves(view)
    await world.settled(view.run)
    assert world.happened == [("POST", "/pay", '{"amount":5,"to":"annette"}')]
    later = await world.asked("pay", {"to": "bob", "amount": 1})
    assert allowed(later.plan) == [("POST", "/pay", '{"amount":1,"to":"bob"}')]
    newest = max(await world.engine.versions("pay"), key=lambda info: info.published_at)
    assert newest.pending
    with pytest.raises(Gated) as gated:
        await world.engine.start("pay", PAY, version=newest.version, requester=ASSISTANT)
    assert gated.value.approval.kind == "version.accept"


async def test_7_a_connector_that_points_elsewhere_now_is_asked_again(world: World) -> None:
    await world.restart(work=False)
    view = await world.engine.start("pay", PAY, requester=ASSISTANT)
    await world.restart()
    asked = await world.asked("pay", {"to": "ann", "amount": 6})
    await world.approves(asked)
    await world.settled(asked.run)
    before = world.happened
    waiting = await world.settled(view.id)
    plan = (await world.engine.approvals.get(waiting.approval)).plan
    elsewhere = {"connectors": {"bank": f"http://localhost:{world.outside.port}"}}
    await world.restart(work=False, **elsewhere)
    await world.approves(await world.engine.approvals.get(waiting.approval))
    await world.restart(**elsewhere)
    run = await world.settled(view.id)
    assert world.happened == before
    assert run.status == "paused:approval"
    anew = await world.engine.approvals.get(run.approval)
    assert anew.plan.ops[0].target != plan.ops[0].target


async def test_25_nothing_is_decided_nor_carried_out_after_its_time(world: World) -> None:
    view = await world.asked("pay", PAY)
    world.clock.ahead += 16 * MINUTE
    assert (await refusal(world.approves(view))).code == "expired"
    assert (await world.engine.approvals.get(view.id)).state == "expired"
    world.clock.ahead -= 30 * MINUTE
    assert (await refusal(world.approves(view))).code in {"expired", "already_decided"}
    await world.quiet()
    assert world.happened == []
    run = await world.engine.run(view.run)
    assert run.status == "paused:approval"


async def test_25_a_clock_set_back_revives_nothing_that_nobody_looked_at(world: World) -> None:
    view = await world.asked("pay", PAY)
    other = await world.asked("pay", {"to": "ann", "amount": 6})
    world.clock.ahead += 16 * MINUTE
    await world.engine.approvals.get(other.id)
    await world.restart()
    world.clock.ahead -= 60 * MINUTE
    assert (await refusal(world.approves(view))).code in {"expired", "already_decided"}
    assert world.happened == []


async def test_25_a_vote_whose_claim_comes_too_late_is_void(world: World) -> None:
    view = await world.asked("twice", WIPE)
    await world.restart(work=False)
    await world.approves(view)
    world.clock.ahead += 6 * MINUTE
    await world.restart()
    run = await world.engine.wait(view.run, 3)
    assert run.status == "paused:approval"
    assert (await world.engine.approvals.get(view.id)).state == "expired"
    assert world.happened == []


async def test_26_of_a_yes_and_a_no_at_once_one_counts_and_a_no_is_never_carried_out(
    world: World,
) -> None:
    denied = 0
    for amount in range(6):
        view = await world.asked("pay", {"to": "ann", "amount": amount})
        before = len(world.happened)
        votes = [world.approves(view), world.denies(view)]
        if amount % 2:
            votes.reverse()
        done = await asyncio.gather(*votes, return_exceptions=True)
        assert sum(not isinstance(one, Exception) for one in done) == 1
        await world.settled(view.run)
        await world.quiet()
        state = (await world.engine.approvals.get(view.id)).state
        assert state in {"done", "denied"}
        denied += state == "denied"
        assert world.happened[before:] == (allowed(view.plan) if state == "done" else [])
    assert 0 <= denied <= 6


async def test_26_what_was_taken_back_before_it_began_is_never_carried_out(world: World) -> None:
    view = await world.asked("pay", PAY)
    await world.restart(work=False)
    await world.approves(view)
    await world.engine.approvals.revoke(view.id, approver=await world.person())
    await world.restart()
    await world.engine.wait(view.run, 3)
    assert world.happened == []
    assert (await refusal(world.approves(view))).code == "already_decided"


async def test_28_a_vote_on_a_plan_that_was_replaced_counts_for_nothing(world: World) -> None:
    view = await world.asked("pay", PAY)
    world.clock.ahead += 16 * MINUTE
    fresh = await world.engine.approvals.replan(view.id, requester=ASSISTANT)
    assert fresh.id != view.id
    for stale in (view, replace(fresh, digest=view.digest), replace(fresh, digest="0" * 64)):
        assert (await refusal(world.approves(stale))).code in {
            "expired", "already_decided", "digest_changed"
        }  # fmt: skip
    assert world.happened == []
    await world.approves(fresh)
    await world.settled(fresh.run)
    assert world.happened == allowed(fresh.plan)


async def test_29_an_approval_of_one_tenant_is_none_in_another(world: World) -> None:
    view = await world.asked("pay", PAY)
    async with world.another(tenant="other", folders=()) as other:
        assert (await refusal(other.approvals.get(view.id))).code == "unknown_approval"
        assert (await other.approvals.list()).rows == ()
        person = await world.person()
        vote = other.approvals.approve(view.id, digest=view.digest, approver=person)
        assert (await refusal(vote)).code == "unknown_approval"
        assert not await other.approvals.has_approver()
    assert view.plan.tenant == "default"
    assert world.happened == []


async def test_31_a_loop_asks_for_every_item_and_does_no_more_than_was_shown(
    world: World,
) -> None:
    people = [f"p{at}@shop.example" for at in range(7)]
    view = await world.asked("mail-all", {"to": people})
    assert sum(op.count for op in view.plan.ops) == 7
    await world.approves(view)
    run = await world.settled(view.run)
    assert run.status == "completed"
    assert sorted(world.happened) == sorted(("POST", "/mail", f'{{"to":"{p}"}}') for p in people)


async def test_31_what_is_known_only_at_run_time_is_asked_when_it_is_known(world: World) -> None:
    view = await world.asked("pay-row", {"id": "1", "to": "ann"})
    assert allowed(view.plan) == [("POST", "/pay", '{"amount":10,"to":"ann"}')]
    world.outside.rows["1"] = {"amount": 10_000}
    await world.approves(view)
    await world.settled(view.run)
    assert world.happened == [("POST", "/pay", '{"amount":10,"to":"ann"}')]

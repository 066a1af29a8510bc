"""Attacks 22, 23, 32 and 33: split, confuse labels, loosen the policy, edit the record."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from engine.core.approval.facts import facts
from engine.core.approval.plan import Operation
from engine.core.approval.policy import Allow, Ask, judge
from engine.core.approval.rules import policy_of
from engine.core.definition import RawDocument
from tests.attacks.world import MINUTE, World, allowed, attacked, refusal
from tests.core.approval.plans import operation, plan

pytestmark = pytest.mark.requirement("attacks")

PAY = {"to": "ann", "amount": 5}
AUTO = """
rules:
  - {id: tags, when: {effect: update, task: default/tag}, then: {auto: true, budget: 10/h}}
"""
NEVER = "rules:\n  - {id: never, when: {effect: pay}, then: deny}\n"


async def test_22_many_small_changes_do_not_add_up_to_a_big_one(tmp_path: Path) -> None:
    async with attacked(tmp_path, policy=AUTO) as world:
        for at in range(14):
            await world.starts("tag", {"id": str(at), "tag": "t"})
        await world.quiet()
        assert len(world.happened) == 10
        await world.restart()
        await world.starts("tag", {"id": "after a restart", "tag": "t"})
        assert len(world.happened) == 10
        world.clock.ahead += 61 * MINUTE
        await world.starts("tag", {"id": "later", "tag": "t"})
        assert len(world.happened) == 11


async def test_22_several_at_once_do_not_slip_under_one_budget(tmp_path: Path) -> None:
    async with attacked(tmp_path, policy=AUTO) as world, world.another() as other:
        starts = [
            world.starts("tag", {"id": str(at), "tag": "t"}, engine=(world.engine, other)[at % 2])
            for at in range(24)
        ]
        await asyncio.gather(*starts, return_exceptions=True)
        await world.quiet()
        assert len(world.happened) <= 10


@pytest.mark.parametrize("label", ["auto-ok", "AUTO-OK", "auto-ok "])
def test_23_a_label_that_a_document_or_an_assistant_gave_does_not_count(label: str) -> None:
    tree = {
        "rules": [
            {"id": "r", "when": {"label": "auto-ok"}, "then": {"auto": True, "budget": "9/h"}}
        ]
    }
    policy, problems = policy_of(RawDocument("p", 0, tree))
    assert problems == ()
    sly = plan(
        operation(args={"labels": [label], "label": label}), workflow=label, env=label,
        rationale=f"label: {label}",
    )  # fmt: skip
    assert judge(policy, facts(sly)) == Ask("A2")
    assert judge(policy, facts(sly, labels=["auto-ok"])) == Allow("r")


async def test_32_a_policy_that_became_stricter_voids_what_was_approved(world: World) -> None:
    view = await world.asked("pay", PAY)
    await world.restart(work=False)
    await world.approves(view)
    (world.database.parent / "policy.yaml").write_text(NEVER, encoding="utf-8")
    await world.restart()
    await world.engine.wait(view.run, 3)
    assert world.happened == []


async def test_32_a_vote_under_a_stricter_policy_is_refused(world: World) -> None:
    view = await world.asked("pay", PAY)
    (world.database.parent / "policy.yaml").write_text(NEVER, encoding="utf-8")
    assert (await refusal(world.approves(view))).code == "policy_changed"
    (world.database.parent / "policy.yaml").write_text("rules: [odd]\n", encoding="utf-8")
    assert (await refusal(world.approves(view))).code in {"policy_changed", "policy_broken"}
    await world.quiet()
    assert world.happened == []


async def test_32_a_policy_that_became_looser_does_not_decide_what_waits(world: World) -> None:
    view = await world.asked("tag", {"id": "1", "tag": "t"})
    (world.database.parent / "policy.yaml").write_text(AUTO, encoding="utf-8")
    await world.quiet()
    assert (await world.engine.approvals.get(view.id)).state == "pending"
    assert world.happened == []


async def test_32_a_broken_policy_stops_every_change(world: World) -> None:
    (world.database.parent / "policy.yaml").write_text("rules: [", encoding="utf-8")
    run = await world.engine.start("pay", PAY)
    shown = await world.settled(run.id)
    assert shown.failure is not None
    assert shown.failure.code == "policy_broken"
    assert world.happened == []
    assert (await world.engine.run(await world.starts("look", {"id": "1"}))).status == "completed"


async def test_33_a_record_that_was_edited_no_longer_verifies(world: World) -> None:
    view = await world.asked("pay", PAY)
    await world.denies(view)
    await world.settled(view.run)
    assert not (await world.engine.verify()).problems
    with sqlite3.connect(world.database) as link:
        for (name,) in link.execute("select name from sqlite_master where type = 'trigger'"):
            link.execute(f'drop trigger "{name}"')
        edit = "update journal set body = replace(body, '\"deny\"', '\"approve\"') where kind = ?"
        assert link.execute(edit, ("approval.voted",)).rowcount > 0
    link.close()
    assert (await world.engine.verify()).problems


def test_the_witness_and_the_plan_speak_the_same_language() -> None:
    args = {"request": {"method": "POST", "url": "http://h:1/pay?x=1", "body": "{}"}}
    assert allowed(plan(Operation("a", "pay", "POST http://h:1/pay?x=1", args))) == [
        ("POST", "/pay?x=1", "{}")
    ]

"""Attack 21: bury a person in questions, or ask again and again after a no."""

import asyncio
from typing import Any

import pytest

from tests.attacks.world import ASSISTANT, MINUTE, World, said

pytestmark = pytest.mark.requirement("attacks")

PAY: dict[str, Any] = {"workflow": "pay", "input": {"to": "ann", "amount": 5}, "waitSeconds": 5}


async def _open(world: World) -> int:
    return len((await world.engine.approvals.list(limit=100)).rows)


async def test_21_the_same_question_is_one_question(world: World) -> None:
    async with world.client() as client:
        told = [said(await client.call_tool("execute_workflow", PAY)) for _ in range(6)]
    assert len({one["approvalId"] for one in told}) == 1
    assert await _open(world) == 1


async def test_21_a_flood_of_questions_stops_at_five_also_when_it_comes_at_once(
    world: World,
) -> None:
    async with world.another() as other:
        starts = [
            world.starts("pay", {"to": "x", "amount": at}, engine=(world.engine, other)[at % 2])
            for at in range(30)
        ]
        runs = [await world.engine.run(uid) for uid in await asyncio.gather(*starts)]
    assert await _open(world) == 5
    assert sum(run.status == "paused:approval" for run in runs) == 5
    codes = {run.failure.code for run in runs if run.failure is not None}
    assert codes == {"too_many_pending"}
    assert world.happened == []


async def test_21_a_no_holds_for_ten_minutes_whatever_the_call_is_called(world: World) -> None:
    view = await world.asked("pay", PAY["input"])
    await world.denies(view)
    denied = await world.settled(view.run)
    async with world.client() as client:
        for more in ({}, {"idempotencyKey": "a"}, {"idempotencyKey": "b"}, {"version": "1.0.0"}):
            told = said(await client.call_tool("execute_workflow", {**PAY, **more}))
            assert told["status"] != "approval_required", more
        await client.call_tool("retry_run", {"runId": denied.id})
        await world.quiet()
    assert await _open(world) == 0
    world.clock.ahead += 11 * MINUTE
    again = await world.engine.start("pay", PAY["input"], key="c", requester=ASSISTANT)
    assert (await world.settled(again.id)).status == "paused:approval"
    assert world.happened == []

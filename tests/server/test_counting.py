"""What the gate refuses is counted for the audit, by caller and code."""

from typing import Any

import pytest

from engine.features.refusals import RefusalsCounted
from tests.server.test_gate import ERAS
from tests.server.world import World


@pytest.mark.requirement("refusals-counted")
@pytest.mark.parametrize("mode", ERAS)
async def test_refusals_of_a_session_are_in_the_journal_without_their_arguments(
    world: World, mode: Any
) -> None:
    async with world.client(mode) as client:
        await client.call_tool("list_workflows", {})
        for _ in range(2):
            await client.call_tool("get_run", {"runId": "hunter2"})
        await client.call_tool("get_run", {"runId": "x", "approved": True})
        await client.call_tool("approve_everything", {})
    async with world.open() as engine:
        found = [each.event async for each in engine.store.tail()]
    counted: dict[tuple[str, str], int] = {}
    for event in found:
        if isinstance(event, RefusalsCounted):
            key = (event.principal, event.code)
            counted[key] = counted.get(key, 0) + event.count
    assert counted == {
        ("local", "unknown_run"): 2,
        ("local", "invalid_arguments"): 1,
        ("local", "unknown_tool"): 1,
    }
    assert "hunter2" not in repr([event for event in found if isinstance(event, RefusalsCounted)])

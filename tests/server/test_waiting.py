"""While a client waits: progress, and a client that goes away changes nothing."""

from typing import Any

import anyio
import pytest
from mcp import Client

from mcp_server.settings import ServerSettings
from tests.server.calling import serving
from tests.server.test_gate import ERAS
from tests.server.world import World

SECONDS = 10


@pytest.mark.parametrize("mode", ERAS)
async def test_progress_tells_about_each_step_that_ends(world: World, mode: Any) -> None:
    async with (
        serving(ServerSettings(port=0), world.open) as port,
        Client(f"http://127.0.0.1:{port}/mcp", mode=mode) as client,
    ):
        told = await _told(world, client)
    counts = [done for done, _ in told]
    assert counts == sorted(set(counts))
    assert 1 in counts
    assert all(total == 2 for _, total in told)


async def _told(world: World, client: Client) -> list[tuple[float, float | None]]:
    told: list[tuple[float, float | None]] = []
    first = anyio.Event()

    async def notice(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total))
        if progress == 1:
            first.set()

    async with anyio.create_task_group() as group:

        async def run() -> None:
            with anyio.fail_after(SECONDS):
                answer = await client.call_tool(
                    "execute_workflow", {"workflow": "long"}, progress_callback=notice
                )
            assert answer.structured_content is not None
            assert answer.structured_content["status"] == "completed"

        group.start_soon(run)
        with anyio.fail_after(SECONDS):
            await first.wait()
        world.go.set()
    return told


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_that_stops_waiting_does_not_stop_the_run(world: World, mode: Any) -> None:
    async with world.client(mode) as client:
        with anyio.move_on_after(0.5):
            await client.call_tool("execute_workflow", {"workflow": "long"})
        assert world.engine is not None
        (row,) = (await world.engine.runs()).rows
        assert row.status != "cancelled"
        world.go.set()
        with anyio.fail_after(SECONDS):
            view = await world.engine.wait(row.id, SECONDS)
        assert view.status == "completed"


async def test_a_client_that_leaves_does_not_stop_the_run(world: World) -> None:
    async with Client(world.server()) as client:
        await client.call_tool("execute_workflow", {"workflow": "long", "waitSeconds": 0})
    world.go.set()
    async with world.client() as client:
        answer = await client.call_tool("list_runs", {})
        assert answer.structured_content is not None
        (run,) = answer.structured_content["runs"]
        assert world.engine is not None
        with anyio.fail_after(SECONDS):
            view = await world.engine.wait(run["executionId"], SECONDS)
    assert view.status == "completed"


async def test_a_listening_client_hears_of_its_run(world: World) -> None:
    async with world.client() as client:
        answer = await client.call_tool("execute_workflow", {"workflow": "long", "waitSeconds": 0})
        assert answer.structured_content is not None
        uri = f"run://{answer.structured_content['executionId']}"
        with anyio.fail_after(SECONDS):
            async with client.listen(resource_subscriptions=[uri]) as events:
                world.go.set()
                async for event in events:
                    assert getattr(event, "uri", "") == uri
                    break

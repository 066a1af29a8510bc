"""A server that is called too often, by too many, or too slowly, and serves the others meanwhile.

Number 37 (a slow request) and 38 (a flood) of the bad inputs are here.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest

from mcp_server.settings import ServerSettings
from tests.server.calling import SECONDS, ask, send, serving
from tests.server.marks import bad_inputs, limits
from tests.server.world import World

pytestmark = [limits, bad_inputs]

BRIEF = 0.3
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "t", "version": "0"},
    },
}  # fmt: skip


@pytest.fixture
async def port(world: World) -> AsyncGenerator[int]:
    settings = ServerSettings(
        port=0, call_rate=0, most_calls=2, most_sessions=2, read_timeout=BRIEF
    )
    async with serving(settings, world.open) as found:
        yield found


@pytest.fixture
async def slow(world: World) -> AsyncGenerator[int]:
    """A server that takes one call a second, and ten at once; twice that from one address."""
    async with serving(ServerSettings(port=0, call_rate=1), world.open) as found:
        yield found


async def test_a_flood_is_held_and_told_when_to_come_again(slow: int, world: World) -> None:  # 38
    replies = [await ask(slow, "tools/list") for _ in range(60)]
    held = [reply for reply in replies if reply.status == 429]
    assert {reply.status for reply in replies[:10]} == {200}
    assert held
    for reply in held:
        assert int(reply.header("retry-after")) >= 1
        assert reply.error["data"]["code"] == "rate_limited"
        assert "come again" in reply.error["message"]
    async with world.open() as engine:
        assert (await engine.runs()).rows == ()


async def test_a_flood_of_anything_from_one_address_is_held_before_it_is_read(slow: int) -> None:
    replies = [await send(slow, method="GET", path="/nothing", body=b"") for _ in range(80)]
    assert {reply.status for reply in replies} == {404, 429}
    assert [reply.status for reply in replies].index(429) >= 20


async def test_starts_of_runs_have_a_limit_of_their_own(world: World) -> None:
    settings = ServerSettings(port=0, run_rate=1)
    call = {"name": "execute_workflow", "arguments": {"workflow": "hello", "dryRun": True}}
    async with serving(settings, world.open) as port:
        replies = [await ask(port, "tools/call", id=f"n{n}", **call) for n in range(25)]
        held = [reply for reply in replies if reply.status == 429]
        assert held
        assert json.loads(held[0].body)["id"].startswith("n")
        assert (await ask(port, "tools/call", name="list_runs", arguments={})).status == 200


async def test_only_so_many_calls_of_a_caller_are_under_way(port: int, world: World) -> None:
    started = await ask(
        port, "tools/call", name="execute_workflow",
        arguments={"workflow": "long", "waitSeconds": 0}, 
    )  # fmt: skip
    run = started.result["structuredContent"]["executionId"]
    waiting: dict[str, Any] = {"workflow": "long", "waitSeconds": 20, "idempotencyKey": "k"}
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(_call, port, "execute_workflow", waiting)
        reply = started
        with anyio.fail_after(SECONDS):
            while reply.status != 429:
                reply = await ask(port, "tools/call", name="get_run", arguments={"runId": run})
                await anyio.sleep(0.25)
        assert "at a time" in reply.error["message"]
        assert reply.header("retry-after") == "1"
        world.go.set()
    assert (await ask(port, "tools/list")).status == 200


async def _call(port: int, name: str, arguments: dict[str, Any]) -> None:
    """Call until there is room."""
    for _ in range(100):
        if (await ask(port, "tools/call", name=name, arguments=arguments)).status == 200:
            return
        await anyio.sleep(0.05)
    raise AssertionError("there was never room")


async def test_only_so_many_sessions_of_older_clients_are_kept(port: int) -> None:
    body = json.dumps(HELLO).encode()
    first, second, third = [await send(port, body=body) for _ in range(3)]
    assert (first.status, second.status, third.status) == (200, 200, 503)
    session = f"Mcp-Session-Id: {first.header('mcp-session-id')}"
    assert (await send(port, session, method="DELETE", body=b"")).status == 200
    assert (await send(port, body=body)).status == 200


# -- 37: requests that take for ever ------------------------------------------------------------


async def _heard(port: int, *parts: bytes, gap: float = 0.05) -> bytes:
    """Send parts slowly, then nothing more; everything that is answered until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(SECONDS):
        for part in parts:
            writer.write(part)
            await asyncio.sleep(gap)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    assert await _heard(port) == b""


async def test_a_head_that_does_not_end_is_not_waited_for(port: int) -> None:
    head = b"POST /mcp HTTP/1.1\r\nHost: x\r\n"
    assert await _heard(port, head) == b""
    drops = [b"X-%d: y\r\n" % number for number in range(40)]
    with contextlib.suppress(ConnectionError):  # the server closed it while we went on
        assert await _heard(port, head, *drops, gap=BRIEF / 10) == b""


async def test_a_second_head_on_the_same_connection_has_no_more_time(port: int) -> None:
    whole = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    said = await _heard(port, whole, b"GET /healthz HTTP/1.1\r\n")
    assert said.startswith(b"HTTP/1.1 200")
    assert said.count(b"HTTP/1.1") == 1


async def test_a_body_that_does_not_end_is_answered_and_cut_off(port: int) -> None:
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\nContent-Length: 1000\r\n\r\n"
    ).encode()
    said = await _heard(port, head, b"{", b'"a"', b":")
    assert said.startswith(b"HTTP/1.1 408")
    assert b"takes too long" in said


async def test_a_rejected_body_that_goes_on_does_not_hold_the_connection(port: int) -> None:
    head = b"POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 100000\r\n\r\n"
    with contextlib.suppress(ConnectionError):
        said = await _heard(port, head, *[b"x"] * 30, gap=BRIEF / 10)
        assert said.startswith(b"HTTP/1.1 421")


async def test_an_answer_may_take_as_long_as_it_takes(port: int, world: World) -> None:
    """The time limit is for what the client sends, not for what we answer."""
    arguments = {"workflow": "long", "waitSeconds": 20}
    async with anyio.create_task_group() as group:
        group.start_soon(_call, port, "execute_workflow", arguments)
        await anyio.sleep(3 * BRIEF)
        world.go.set()

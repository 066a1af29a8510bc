"""The HTTP surface: who may speak, what may be said, and that it says so in time."""

import json
import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from mcp import Client

from engine import Refused
from mcp_server import edge, http, strict
from mcp_server.settings import ServerSettings
from mcp_server.tools import chosen
from tests.server.calling import send, serving
from tests.server.test_gate import broken

TOOLS = len(chosen(frozenset({"default"})))
pytestmark = pytest.mark.requirement("both-transports")

LOCAL = ServerSettings(port=0)


@pytest.fixture
async def port() -> AsyncGenerator[int]:
    async with serving(LOCAL, broken) as found:
        yield found


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Host: evil.example", 421),
        ("Host: localhost:evil.com", 421),
        ("Host: 127.0.0.1", 421),
        ("Host: 127.0.0.1:1", 421),
        ("Origin: null", 403),
        ("Origin: http://127.0.0.1.evil.com", 403),
        ("Origin: http://127.0.0.1:1", 403),
        ("Origin: https://evil.example", 403),
        ("Content-Type: text/plain", 415),
        ("Content-Type: application/jsonx", 415),
        ("Content-Encoding: gzip", 415),
    ],
)
async def test_a_stranger_is_turned_away_before_anything_is_read(
    port: int, line: str, status: int
) -> None:
    reply = await send(port, line)
    assert reply.status == status
    assert reply.error["code"] == strict.INVALID_REQUEST


async def test_a_request_without_a_host_is_turned_away(port: int) -> None:
    assert (await send(port, "Host: -")).status in {400, 421}


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b"[" * 100_000,
        b"\xff",
        b"{",
        b"",
    ],
)
async def test_json_that_breaks_a_rule_is_refused(port: int, body: bytes) -> None:
    reply = await send(port, body=body)
    assert reply.status == 400
    assert reply.error["code"] in {strict.PARSE_ERROR, strict.INVALID_REQUEST}


@pytest.mark.parametrize("body", [b"[]", b"[1]", b"null", b"5", b'"x"'])
async def test_json_that_is_no_message_is_refused(port: int, body: bytes) -> None:
    assert (await send(port, "MCP-Protocol-Version: 2026-07-28", body=body)).status == 400


async def test_a_body_that_is_too_large_is_refused(port: int) -> None:
    body = b'"' + b"x" * strict.LARGEST + b'"'
    assert (await send(port, body=body)).status == 413


async def test_a_chunked_body_is_counted_while_it_arrives(port: int) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    body = chunk * 17 + b"0\r\n\r\n"
    reply = await send(
        port, "Content-Length: -", "Transfer-Encoding: chunked", body=body
    )  # fmt: skip
    assert reply.status == 413


async def test_blanks_round_a_header_are_no_part_of_it() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(scope["headers"])

    async def nothing(*_: Any) -> Any:
        raise AssertionError("a GET is not read")

    host = (b"host", b" 127.0.0.1:1\t")
    scope = {"type": "http", "method": "GET", "headers": [host, (b"mcp-method", b"\tx ")]}
    await edge.Edge(app, frozenset({"127.0.0.1:1"}), frozenset())(scope, nothing, nothing)
    assert seen == [(b"host", b"127.0.0.1:1"), (b"mcp-method", b"x")]


async def test_a_server_is_alive_before_it_is_ready(port: int) -> None:
    alive = await send(port, method="GET", path="/healthz", body=b"")
    assert (alive.status, alive.body) == (200, b'{"status":"ok"}')
    ready = await send(port, method="GET", path="/readyz", body=b"")
    assert ready.status == 503
    assert json.loads(ready.body) == {"status": "not ready", "code": "database_locked"}


async def test_health_is_for_this_machine_only(port: int) -> None:
    reply = await send(port, "Host: evil.example", method="GET", path="/healthz", body=b"")
    assert reply.status == 421


@pytest.mark.requirement("both-eras")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_clients_of_both_eras_list_tools(port: int, mode: Any) -> None:
    async with Client(f"http://127.0.0.1:{port}/mcp", mode=mode) as client:
        assert len((await client.list_tools()).tools) == TOOLS
        answer = await client.call_tool("list_workflows", {})
        assert answer.structured_content is not None
        assert answer.structured_content["code"] == "database_locked"


async def test_a_page_may_call_only_if_its_origin_was_named() -> None:
    settings = ServerSettings(port=0, origins=("http://localhost:6274",))
    async with serving(settings, broken) as port:
        asked = ("Origin: http://localhost:6274", "Access-Control-Request-Method: POST")
        reply = await send(port, *asked, method="OPTIONS", body=b"")
        assert reply.status == 200
        reply = await send(port, "Origin: http://localhost:6275", method="OPTIONS", body=b"")
        assert reply.status == 403


def test_a_port_that_is_taken_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ServerSettings(port=taken.getsockname()[1])
        with pytest.raises(Refused) as refused:
            http.listen(settings)
    assert refused.value.code == "port_taken"


def test_the_socket_says_that_it_is_tcp_and_stays_on_loopback() -> None:
    with http.listen(ServerSettings(port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert listener.getsockname()[0] == "127.0.0.1"

"""What a request of the HTTP API has to get past before a route hears of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine import Engine
from mcp_server import strict
from mcp_server.api import ROUTES
from mcp_server.scopes import EXECUTE, LABELS, READ, SCOPES
from mcp_server.settings import ServerSettings
from tests.api.asking import get, give, told
from tests.server.calling import bearer, send, serving
from tests.server.issuers import issuing
from tests.server.world import World

pytestmark = pytest.mark.requirement("http-api")


async def test_a_route_answers_as_its_tool_does(port: int) -> None:
    status, facts = await get(port, "/workflows?limit=1")
    assert status == 200
    assert [each["name"] for each in facts["workflows"]] == ["breaks"]
    status, onward = await get(port, f"/workflows?limit=1&cursor={facts['nextCursor']}")
    assert [each["name"] for each in onward["workflows"]] == ["changes"]


@pytest.mark.parametrize(
    ("query", "name"),
    [("limit=many", "limit"), ("limit=0", "limit"), ("colour=red", "colour"),
     ("limit=" + "9" * 400, "limit")],
)  # fmt: skip
async def test_what_a_query_gets_wrong_is_named(port: int, query: str, name: str) -> None:
    status, facts = await get(port, f"/workflows?{query}")
    assert (status, facts["code"]) == (400, "invalid_arguments")
    assert [each["name"] for each in facts["arguments"]] == [name]


@pytest.mark.parametrize(
    ("line", "status"),
    [("Host: evil.example", 421), ("Origin: https://evil.example", 403)],
)
async def test_a_stranger_is_turned_away(port: int, line: str, status: int) -> None:
    reply = await send(port, line, method="GET", path="/api/v1/workflows", body=b"")
    assert reply.status == status


async def test_only_the_methods_of_a_route_are_there(port: int) -> None:
    reply = await send(port, method="DELETE", path="/api/v1/workflows", body=b"")
    assert reply.status == 405


async def test_nothing_of_an_answer_is_kept_on_the_way(port: int) -> None:
    reply = await send(port, method="GET", path="/api/v1/tasks", body=b"")
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-content-type-options") == "nosniff"


async def test_without_a_token_a_caller_learns_how_to_get_one(world: World) -> None:
    async with issuing() as issuer:
        settings = ServerSettings(port=0, issuer=issuer.url)
        async with serving(settings, world.open) as port:
            for route in ROUTES:
                path = route.path.replace("{name:path}", "hello")
                reply = await send(port, method=route.method, path=path, body=b"{}")
                assert told(reply)[1]["code"] == "unauthenticated", route.name
                assert reply.status == 401
                assert "resource_metadata=" in reply.header("www-authenticate")


async def test_each_route_needs_its_scope_and_that_for_reading(world: World) -> None:
    async with issuing() as issuer:
        settings = ServerSettings(port=0, issuer=issuer.url)
        async with serving(settings, world.open) as port:
            for route in ROUTES:
                for missing in {READ, route.scope}:
                    held = " ".join(sorted(set(SCOPES) - {missing}))
                    token = bearer(issuer.token(f"http://127.0.0.1:{port}/mcp", scope=held))
                    path = route.path.replace("{name:path}", "hello")
                    reply = await send(port, token, method=route.method, path=path, body=b"{}")
                    assert (reply.status, told(reply)[1]["code"]) == (403, "insufficient_scope")
                    assert f'scope="{missing}"' in reply.header("www-authenticate")


def test_what_changes_something_needs_more_than_reading() -> None:
    asking = {"POST /api/v1/workflows/{name:path}/validate-input"}
    changing = {route.name: route.scope for route in ROUTES if route.method != "GET"}
    assert {name for name, scope in changing.items() if scope == READ} <= asking
    assert set(changing.values()) <= {READ, LABELS, EXECUTE}


async def test_a_caller_who_asks_too_often_is_told_when_to_come_again(world: World) -> None:
    settings = ServerSettings(port=0, call_rate=1)
    async with serving(settings, world.open) as port:
        replies = [await send(port, method="GET", path="/api/v1/tasks", body=b"")
                   for _ in range(30)]  # fmt: skip
    late = [reply for reply in replies if reply.status == 429]
    assert late
    assert int(late[0].header("retry-after")) >= 1


def _changing() -> list[Any]:
    return [route for route in ROUTES if route.method != "GET"]


@pytest.mark.parametrize("route", _changing(), ids=lambda route: route.name)
@pytest.mark.parametrize(
    ("lines", "body", "status", "code"),
    [
        ((), b"[1]", 400, "invalid_json"),
        ((), b'{"a":1,"a":2}', 400, "invalid_json"),
        ((), b"{", 400, "invalid_json"),
        ((), b"\xff", 400, "invalid_json"),
        (("Content-Type: text/plain",), b"{}", 415, "unsupported_media_type"),
        (("Content-Encoding: gzip",), b"{}", 415, "unsupported_media_type"),
        ((), b" " * (strict.LARGEST + 1), 413, "too_large"),
    ],
)
async def test_a_body_that_breaks_a_rule_is_refused(
    port: int, route: Any, lines: tuple[str, ...], body: bytes, status: int, code: str
) -> None:
    path = route.path.removeprefix("/api/v1").replace("{name:path}", "hello")
    found, facts = await give(port, route.method, path, body, *lines)
    assert (found, facts["code"]) == (status, code)


async def test_a_body_that_takes_too_long_is_not_waited_for(world: World) -> None:
    settings = ServerSettings(port=0, read_timeout=0.05)
    async with serving(settings, world.open) as port:
        path = "/api/v1/workflows/hello/validate-input"
        lines = "Content-Length: 10", "Connection: keep-alive"
        reply = await send(port, *lines, path=path, body=b"{")
    assert (reply.status, told(reply)[1]["code"]) == (408, "too_slow")
    assert reply.header("connection") == "close"


async def test_an_error_nobody_foresaw_is_a_number(world: World) -> None:
    async def fails() -> None:
        raise ZeroDivisionError("secret words")

    @asynccontextmanager
    async def opener() -> AsyncGenerator[Engine]:
        async with world.open() as engine:
            engine.refresh = fails  # type: ignore[method-assign]
            yield engine

    async with serving(ServerSettings(port=0), opener) as port:
        status, facts = await get(port, "/workflows")
    assert (status, facts["code"]) == (500, "internal")
    assert "secret" not in str(facts)
    assert facts["errorId"]

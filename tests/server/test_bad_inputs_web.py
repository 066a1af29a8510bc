"""Bad inputs 20 to 41, those at the web's edge: where each is proved, and that nothing comes of it.

20 to 22 Host, 23 Origin: `test_a_request_from_elsewhere_does_nothing`, and test_http.py;
24 kinds of body: test_bad_inputs_protocol.py; 25 preflight: `test_a_preflight_opens_nothing`, and
tests/e2e/test_cors.py in a browser; 26 no token, 33 scopes: test_http_sign_in.py; 27 to 32 tokens:
test_tokens.py; 34 another tenant's ids, 36 guessed ids: test_tenants.py, and handles of sessions
`test_a_session_that_was_guessed_is_none`; 35 a state sent again:
`test_a_state_and_its_answer_count_once`; 37 slow and 38 too many requests: test_http_limits.py;
39 forms, 40 frames, 41 PINs of the page: tests/console/test_guard.py and
tests/console/test_signing_in.py, and tests/attacks/test_page.py.
"""

import json
from collections.abc import Generator
from typing import Any

import anyio
import pytest

from tests.server.bad_inputs import Target, target, unmoved
from tests.server.marks import bad_inputs
from tests.server.test_elicitation import ask, by_hand, never, question
from tests.server.world import World

pytestmark = bad_inputs

PAGE = "https://app.example.com"
CALL = {
    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {"name": "execute_workflow",
               "arguments": {"workflow": "hello", "input": {"name": "Ann"}}},
}  # fmt: skip
BODY = json.dumps(CALL).encode()
NOW = ("MCP-Protocol-Version: 2025-11-25",)


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Generator[Target]:
    with target(tmp_path_factory.mktemp("bad"), origins=(PAGE,)) as found:
        yield found


ELSEWHERE: dict[str, tuple[tuple[str, ...], set[int]]] = {
    "20 another name": (("Host: evil.example",), {421}),
    "20 a name that begins so": (("Host: 127.0.0.1.evil.example",), {421}),
    "20 no port": (("Host: 127.0.0.1",), {421}),
    "20 another port": (("Host: 127.0.0.1:1",), {421}),
    "20 a user before it": (("Host: 127.0.0.1:8765@evil.example",), {421}),
    "21 a name as a port": (("Host: localhost:evil.com",), {421}),
    "22 no name": (("Host: -",), {400, 421}),
    "22 two names": (("Host: evil.example", "Host: 127.0.0.1"), {400, 421}),
    "22 an empty name": (("Host:",), {400, 421}),
    "20 a proxy's name": (("Host: evil.example", "X-Forwarded-Host: 127.0.0.1"), {421}),
    "23 no origin that has a name": (("Origin: null",), {403}),
    "23 another port": (("Origin: http://127.0.0.1:1",), {403}),
    "23 a name that begins so": (("Origin: http://127.0.0.1.evil.com",), {403}),
    "23 nearly the page's": ((f"Origin: {PAGE}.evil.com",), {403}),
    "23 the page's, in clear": (("Origin: http://app.example.com",), {403}),
    "23 the page's, in capitals": (("Origin: https://APP.example.com",), {403}),
    "23 the page's, with a port": ((f"Origin: {PAGE}:443",), {403}),
    "23 two origins": ((f"Origin: {PAGE} https://evil.example",), {403}),
    "23 an extension": (("Origin: chrome-extension://abcdef",), {403}),
    "23 a file": (("Origin: file://",), {403}),
}


@pytest.mark.parametrize(("lines", "statuses"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_request_from_elsewhere_does_nothing(
    bad: Target, lines: tuple[str, ...], statuses: set[int]
) -> None:
    with unmoved(bad):
        for method, path in (("POST", "/mcp"), ("GET", "/mcp"), ("GET", "/healthz")):
            reply = bad.send(*lines, *NOW, body=BODY, method=method, path=path)
            assert reply.status in statuses
            assert reply.header("access-control-allow-origin") == ""


ASKED = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")


def test_a_preflight_opens_nothing(bad: Target) -> None:  # 25
    with unmoved(bad):
        for origin in ("null", "https://evil.example", "http://127.0.0.1:1"):
            reply = bad.send(f"Origin: {origin}", *ASKED, method="OPTIONS", body=b"")
            assert reply.status == 403
            assert reply.header("access-control-allow-origin") == ""
        reply = bad.send(f"Origin: {PAGE}", *ASKED, method="OPTIONS", body=BODY)
    assert reply.header("access-control-allow-origin") == PAGE
    assert reply.header("access-control-allow-credentials") == ""
    assert "PUT" not in reply.header("access-control-allow-methods")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "CONNECT", "QUERY", "HEAD", "BREW"])
def test_a_method_that_is_not_ours_does_nothing(bad: Target, method: str) -> None:
    with unmoved(bad):
        assert bad.send(*NOW, body=BODY, method=method).status in {400, 404, 405, 406}


@pytest.mark.parametrize(
    "path", ["/", "/mcp/", "/mcp/x", "//mcp", "/%2e%2e/mcp", "/api/v1/runs", "/webhooks/x", "/sse",
             "/mcp%00", "/metrics", "/.well-known/oauth-protected-resource/mcp", "/a"],
)  # fmt: skip
def test_a_path_that_is_not_ours_leads_nowhere(bad: Target, path: str) -> None:
    with unmoved(bad):
        assert bad.send(*NOW, body=BODY, path=path).status in {307, 400, 404, 405}


@pytest.mark.parametrize("id", ["5eed" * 8, "1", "../x", "é", "x" * 4_000, "' or 1=1"])
def test_a_session_that_was_guessed_is_none(bad: Target, id: str) -> None:  # 36
    with unmoved(bad):
        for method in ("POST", "GET", "DELETE"):
            lines = (f"Mcp-Session-Id: {id}", "Accept: application/json, text/event-stream")
            reply = bad.send(*lines, *NOW, body=BODY, method=method)
            assert reply.status in {400, 404}


async def test_a_state_and_its_answer_count_once(world: World) -> None:  # 35
    """Also of many at once, after a new question, and in another process of the installation."""
    from mcp import Client

    async with by_hand(world) as client, world.decided(client):
        state, answers = await question(client)
        again: dict[str, Any] = {"request_state": state, "input_responses": answers}
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(lambda: ask(client, **again))
        await ask(client, **again)
        other = World(world.folder, world.database, changes=world.changes)
        second = Client(other.server(), cache=None, elicitation_callback=never)
        async with second:
            await ask(second, **again)
            await ask(second, **again)
        await ask(client, **again)
        assert world.engine is not None
        for row in (await world.engine.runs()).rows:
            await world.ended(row.id)
        assert world.changes == ["the price"]

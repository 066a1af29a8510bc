"""Who calls over HTTP: who is turned away, what each may do, and when no server starts at all."""

import json
import os
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from engine import Refused
from engine.core.errors import Move
from mcp_server import http, scopes
from mcp_server.auth import make_token, reachable_issuer, read_token, way_in
from mcp_server.settings import ServerSettings
from mcp_server.tools import TOOLSETS
from tests.server.calling import ask, bearer, send, serving
from tests.server.issuers import Issuer, issuing
from tests.server.people import Person
from tests.server.world import World

pytestmark = pytest.mark.requirement("http-sign-in")

ALL = frozenset({"default", "operate"})
TOOLS = {tool.name for tools in TOOLSETS.values() for tool in tools}


class Served:
    """A server that takes the tokens of an issuer."""

    def __init__(self, port: int, issuer: Issuer) -> None:
        self.port, self.issuer = port, issuer
        self.url = f"http://127.0.0.1:{port}/mcp"

    def holding(self, *scopes: str, **changed: Any) -> str:
        """The header of somebody who holds these scopes."""
        return bearer(self.issuer.token(self.url, scope=" ".join(scopes), **changed))


@pytest.fixture
async def served(world: World) -> AsyncGenerator[Served]:
    async with issuing() as issuer:
        settings = ServerSettings(port=0, issuer=issuer.url, toolsets=ALL)
        async with serving(settings, world.open) as port:
            yield Served(port, issuer)


# -- who is turned away -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    ["X: -", "Authorization: Bearer", "Authorization: Bearer x", "Authorization: Basic YTpi",
     "Authorization: bearer  ", "X-Token: x"],
)  # fmt: skip
async def test_a_caller_without_a_good_token_is_led_to_the_issuer(  # 26
    served: Served, line: str
) -> None:
    reply = await send(served.port, line)
    assert reply.status == 401
    challenge = reply.header("www-authenticate")
    metadata = f"http://127.0.0.1:{served.port}/.well-known/oauth-protected-resource/mcp"
    assert f'resource_metadata="{metadata}"' in challenge
    assert json.loads(reply.body)["error"] == "invalid_token"


async def test_the_metadata_names_the_server_and_the_issuer(served: Served) -> None:
    path = "/.well-known/oauth-protected-resource/mcp"
    reply = await send(served.port, method="GET", path=path, body=b"")
    found = json.loads(reply.body)
    assert found["resource"] == served.url
    assert found["authorization_servers"] == [served.issuer.url]
    assert found["scopes_supported"] == [scopes.READ]
    assert found["bearer_methods_supported"] == ["header"]


async def test_a_token_in_the_address_is_none(served: Served) -> None:
    token = served.holding(*scopes.SCOPES).rpartition(" ")[2]
    assert (await send(served.port, path=f"/mcp?access_token={token}")).status == 401


async def test_nothing_of_a_body_is_read_before_it_is_known_who_sends_it(served: Served) -> None:
    lines = ("Content-Length: 1000000", "Content-Type: text/plain")
    assert (await send(served.port, *lines, body=b"{")).status == 401


async def test_a_token_without_the_first_scope_is_good_for_nothing(served: Served) -> None:
    reply = await ask(served.port, "tools/list", served.holding("openid", scopes.ADMIN))
    assert reply.status == 403
    assert 'error="insufficient_scope"' in reply.header("www-authenticate")


@pytest.mark.parametrize("changed", [{"tenant": "globex"}, {"aud": "https://other.example/mcp"}])
async def test_a_token_for_somebody_else_is_refused(
    served: Served, changed: dict[str, Any]
) -> None:
    assert (await ask(served.port, "tools/list", served.holding(scopes.READ))).status == 200
    reply = await ask(served.port, "tools/list", served.holding(scopes.READ, **changed))
    assert reply.status == 401


async def test_a_probe_is_told_no_more_than_that_all_is_well(served: Served) -> None:
    reply = await send(served.port, method="GET", path="/readyz", body=b"")
    assert (reply.status, reply.body) == (200, b'{"status":"ok"}')


async def test_a_session_belongs_to_who_opened_it(served: Served) -> None:
    ann, bob = served.holding(scopes.READ), served.holding(scopes.READ, sub="bob")
    hello = {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "t", "version": "0"},
    }  # fmt: skip
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    opened = await send(served.port, ann, body=json.dumps(body).encode())
    session = f"Mcp-Session-Id: {opened.header('mcp-session-id')}"
    assert (await send(served.port, ann, session)).status == 200
    assert (await send(served.port, bob, session)).status == 404


# -- what each may do ---------------------------------------------------------------------------


def test_every_tool_says_which_scope_it_needs() -> None:
    assert set(scopes.NEEDED) == TOOLS
    assert set(scopes.NEEDED.values()) <= set(scopes.SCOPES)
    for tools in TOOLSETS.values():
        for tool in tools:
            assert tool.hints.read_only or scopes.NEEDED[tool.name] != scopes.READ, tool.name


@pytest.mark.parametrize("more", [(), (scopes.EXECUTE,), (scopes.ADMIN,), tuple(scopes.SCOPES)])
async def test_a_caller_sees_the_tools_that_it_may_call(
    served: Served, more: tuple[str, ...]
) -> None:
    held = {scopes.READ, *more}
    reply = await ask(served.port, "tools/list", served.holding(*held))
    shown = {tool["name"] for tool in reply.result["tools"]}
    assert shown == {name for name in TOOLS if scopes.NEEDED[name] in held}
    assert reply.result["cacheScope"] == "private"


@pytest.mark.parametrize("tool", sorted(TOOLS))
async def test_a_tool_whose_scope_is_missing_is_refused(served: Served, tool: str) -> None:  # 33
    wanted = scopes.NEEDED[tool]
    others = served.holding(scopes.READ, *(set(scopes.SCOPES) - {wanted}))
    reply = await ask(served.port, "tools/call", others, name=tool, arguments={})
    if wanted == scopes.READ:
        assert reply.status == 200
        return
    assert reply.status == 403
    challenge = reply.header("www-authenticate")
    assert 'error="insufficient_scope"' in challenge
    assert f'scope="{wanted}"' in challenge
    assert "resource_metadata=" in challenge
    assert reply.error["data"] == {"code": "insufficient_scope", "scope": wanted}


async def test_a_known_caller_at_a_closed_door_is_counted(served: Served, world: World) -> None:
    reader = served.holding(scopes.READ)
    call: dict[str, Any] = {"name": "list_runs", "arguments": {}}
    await ask(served.port, "tools/call", reader, **call)
    for line in (reader, bearer("x" * 43)):
        await ask(served.port, "tools/call", line, name="cancel_run", arguments={"runId": "x"})
    assert world.engine is not None
    counted = world.engine.refusals._counted
    assert [(who, code, times) for (_, who, code), times in counted.items()] == [
        (f"{served.issuer.url}|ann", "insufficient_scope", 1)
    ]


async def test_who_calls_is_known_to_whoever_decides(served: Served, world: World) -> None:
    reader = served.holding(scopes.READ)
    await ask(served.port, "tools/call", reader, name="list_runs", arguments={})
    assert world.engine is not None
    await Person(world.engine).enrols()
    held = (scopes.READ, scopes.EXECUTE)
    given = {"workflow": "changes", "input": {"what": "the price"}}
    for who in ("ann", "bob"):
        caller = served.holding(*held, sub=who)
        reply = await ask(
            served.port, "tools/call", caller, name="execute_workflow", arguments=given
        )
        facts = reply.result["structuredContent"]
        asked = (await world.engine.approvals.get(facts["approvalId"])).plan.requester
        assert (asked.channel, asked.iss, asked.sub) == ("http", served.issuer.url, who)
        assert asked.principal == f"{served.issuer.url}|{who}"


async def test_older_clients_are_held_to_the_same_scopes(served: Served) -> None:
    from httpx2 import AsyncClient
    from mcp.client.streamable_http import streamable_http_client

    name, _, value = served.holding(scopes.READ).partition(": ")
    async with AsyncClient(headers={name: value}) as sender:
        transport = streamable_http_client(served.url, http_client=sender)
        async with Client(transport, mode="legacy") as client:
            shown = {tool.name for tool in (await client.list_tools()).tools}
            assert shown == {name for name in TOOLS if scopes.NEEDED[name] == scopes.READ}
            with pytest.raises(Exception, match=r"."):
                await client.call_tool("execute_workflow", {"workflow": "hello"})


async def test_behind_the_edge_stands_a_second_look(world: World) -> None:
    """The middleware of the server refuses by itself what an edge let through."""
    from types import SimpleNamespace

    async def reached(_: Any) -> None:
        raise AssertionError("the call went through")

    held = SimpleNamespace(scope={"auth": SimpleNamespace(scopes=[scopes.READ])})
    params = {"name": "somebody_elses_tool"}
    ctx = SimpleNamespace(request=held, method="tools/call", params=params)
    server = world.server()
    second = next(each for each in server.middleware if each.__module__ == scopes.__name__)
    answer: Any = await second(ctx, reached)  # type: ignore[arg-type]
    assert answer["isError"]
    assert answer["structuredContent"]["code"] == "insufficient_scope"
    assert answer["structuredContent"]["whoseMove"] == "person"


# -- the token in a file ------------------------------------------------------------------------


async def test_with_a_token_file_only_its_token_opens(world: World, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "token"
    make_token(file)
    settings = ServerSettings(port=0, token_file=file, toolsets=ALL)
    async with serving(settings, world.open) as port:
        good = bearer(read_token(file))
        reply = await ask(port, "tools/list", good)
        assert {tool["name"] for tool in reply.result["tools"]} == TOOLS
        reply = await send(port, bearer("x" * 43))
        assert reply.status == 401
        assert "resource_metadata" not in reply.header("www-authenticate")
        assert (await send(port)).status == 401


def test_a_token_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "token"
    make_token(file)
    token = read_token(file)
    assert len(token) == 43
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        make_token(file)
    assert read_token(file) == token
    make_token(file, replace=True)
    assert read_token(file) != token
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"x" * 43, 0o644, "can be read by others"),
        (b"x" * 43, 0o620, "can be read by others"),
        (b"x" * 42, 0o600, "holds no token"),
        (b"x" * 513, 0o600, "holds no token"),
        (b"x" * 20 + b" " + b"x" * 30, 0o600, "holds no token"),
        (b"\xff" * 43, 0o600, "holds no token"),
        (b"", 0o600, "holds no token"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused(
    tmp_path: Path, content: bytes, mode: int, words: str
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(Refused, match=words) as refused:
        read_token(file)
    assert refused.value.code == "token_file"
    assert "x" * 20 not in refused.value.message
    with pytest.raises(Refused):
        http.application(ServerSettings(token_file=file), 1)


def test_a_file_that_is_not_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No such file") as refused:
        read_token(tmp_path / "token")
    assert "handrail token" in refused.value.hint


# -- when no server starts ----------------------------------------------------------------------

OPEN = ServerSettings(host="0.0.0.0", port=0)
TOKEN = replace(OPEN, token_file=Path("/nowhere"))
ISSUER = replace(OPEN, issuer="https://id.example.com")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "::ffff:127.0.0.1"])
def test_nothing_listens_for_others_who_are_not_asked_who_they_are(host: str) -> None:
    with pytest.raises(Refused, match="nobody would be asked") as refused:
        http.listen(replace(OPEN, host=host, tls_proxy=True))
    assert (refused.value.code, refused.value.move) == ("unsafe_address", Move.PERSON)


@pytest.mark.parametrize("settings", [TOKEN, ISSUER])
def test_nothing_listens_for_others_whose_tokens_would_be_seen(settings: ServerSettings) -> None:
    with pytest.raises(Refused, match="in clear") as refused:
        http.listen(settings)
    assert refused.value.code == "unsafe_address"
    http.listen(replace(settings, tls_proxy=True)).close()
    http.listen(replace(settings, trusted_proxies=("10.0.0.5/32",))).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_on_this_machine_nobody_needs_to_be_asked(host: str) -> None:
    http.listen(ServerSettings(host=host, port=0)).close()


def test_two_ways_to_know_callers_are_one_too_many() -> None:
    with pytest.raises(Refused, match="two ways"):
        http.listen(replace(TOKEN, host="127.0.0.1", issuer="https://id.example.com"))


def test_tokens_for_others_need_a_name_to_be_made_for() -> None:
    with pytest.raises(Refused) as refused:
        http.application(replace(ISSUER, tls_proxy=True), 1)
    assert "HANDRAIL_PUBLIC_URL" in refused.value.hint


def test_every_name_of_a_server_is_exact() -> None:
    settings = replace(ISSUER, public_url="https://Handrail.example.com/mcp", host_names=("h:1",))
    assert http.host_names(settings, 80) == [
        "127.0.0.1:80", "localhost:80", "[::1]:80", "h:1", "handrail.example.com",
        "handrail.example.com:443",
    ]  # fmt: skip
    assert "[2001:db8::1]:80" in http.host_names(replace(OPEN, host="2001:db8::1"), 80)


async def test_the_way_in_can_be_told_in_words(tmp_path: Path) -> None:
    file = tmp_path / "token"
    make_token(file)
    assert "every program on this machine" in way_in(ServerSettings())
    assert str(file) in way_in(ServerSettings(token_file=file))
    async with issuing() as issuer:
        settings = ServerSettings(issuer=issuer.url)
        assert issuer.url in way_in(settings)
        await reachable_issuer(settings)
        issuer.keys = {"keys": []}
        with pytest.raises(Refused, match="no key"):
            await reachable_issuer(settings)
    with pytest.raises(Refused, match="ConnectError"):
        await reachable_issuer(replace(settings, jwks_url=f"{issuer.url}/keys"))


@pytest.mark.skipif(os.name != "posix", reason="rights of files are those of POSIX")
def test_the_command_ends_with_its_own_exit_code(tmp_path: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "mcp_server.cli", "serve", "--host", "0.0.0.0", "--port", "0"]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HANDRAIL_")}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False,
        env={**kept, "HANDRAIL_DATABASE_URL": str(tmp_path / "x.db")},
    )  # fmt: skip
    assert done.returncode == 4
    assert "nobody would be asked who they are" in done.stderr
    assert "--token-file" in done.stderr
    assert not (tmp_path / "x.db").exists()

"""No door changes anything without a grant: every tool, command and route is pushed."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from engine.core.approval.plan import Requester
from engine.core.views import RunFilter
from mcp_server import http
from mcp_server.api import PREFIX, ROUTES
from mcp_server.cli.root import COMMANDS, main
from mcp_server.settings import ServerSettings
from mcp_server.tools import TOOLSETS
from tests.api.asking import give
from tests.attacks import doors
from tests.attacks.world import World
from tests.server.calling import serving

pytestmark = pytest.mark.requirement("every-door")

NOBODY = doors.Marks("", "", "", "", "")
BOB = Requester("http", "https://idp.example", "bob")
PORT = 4711


# -- the lists are complete -----------------------------------------------------------------------


def test_every_tool_is_on_the_list() -> None:
    known = {tool.name for tools in TOOLSETS.values() for tool in tools}
    assert known - set(doors.tools(NOBODY)) == set()


def test_every_command_is_on_the_list() -> None:
    assert set(COMMANDS) - set(doors.commands(NOBODY)) == set()


def _routes(app: Any) -> Iterator[Any]:
    while not hasattr(app, "routes"):
        app = getattr(app, "app", None) or app._app
    return iter(app.routes)


def test_every_route_of_the_server_is_on_the_list() -> None:
    app = http.application(ServerSettings(work=False), PORT)
    found = {route.path for route in _routes(app) if not route.path.startswith(PREFIX)}
    assert found - doors.ROUTES["http"] == set()


def test_every_route_of_the_api_is_on_the_list() -> None:
    app = http.application(ServerSettings(work=False), PORT)
    found = {
        f"{method} {route.path}"
        for route in _routes(app)
        if route.path.startswith(PREFIX)
        for method in route.methods - {"HEAD"}
    }
    assert found == {route.name for route in ROUTES}
    assert found - set(doors.api(NOBODY)) == set()


async def test_every_route_of_the_page_is_on_the_list(world: World) -> None:
    from mcp_server.console.app import application

    found = {
        f"{method} {route.path}"
        for route in _routes(application(world.engine, PORT, "ab" * 32))
        for method in route.methods - {"HEAD"}
    }
    assert found - doors.ROUTES["page"] == set()


# -- nothing gives way ----------------------------------------------------------------------------


async def _marks(world: World) -> doors.Marks:
    """A run of the assistant's that waits, one of somebody else's, and one that was denied."""
    denied = await world.asked("pay", {"to": "ann", "amount": 1})
    await world.denies(denied)
    await world.settled(denied.run)
    view = await world.asked("pay", {"to": "ann", "amount": 2})
    theirs = await world.engine.start("pay", {"to": "bob", "amount": 3}, requester=BOB)
    await world.settled(theirs.id)
    return doors.Marks(view.run, theirs.id, denied.run, view.id, view.digest)


async def _live(world: World) -> dict[str, Any]:
    """What must not change: what happened, the catalogue's live state, others' runs, decisions."""
    engine = world.engine
    versions = {
        info.name: [
            (v.version, v.is_default, v.pending, v.deprecated)
            for v in await engine.versions(info.name)
        ]
        for info in engine.workflows()
    }
    runs = (await engine.runs(RunFilter(), limit=100)).rows
    approvals = (await engine.approvals.list(open_only=False, limit=100)).rows
    return {
        "outside": world.happened,
        "versions": versions,
        "labels": [(info.name, info.tags, info.categories) for info in engine.workflows()],
        "completed": [run.id for run in runs if run.status == "completed"],
        "decided": sorted((a.id, a.state) for a in approvals if a.state not in {"pending"}),
        "approvers": await engine.approvals.has_approver(),
    }


async def test_no_tool_changes_anything_without_a_grant(world: World) -> None:
    marks = await _marks(world)
    before = await _live(world)
    pushed = doors.tools(marks)
    async with world.client() as client:
        for tool in [tool for tools in TOOLSETS.values() for tool in tools]:
            for arguments in pushed[tool.name]:
                await client.call_tool(tool.name, arguments)
                await world.quiet()
                assert await _live(world) == before, (tool.name, arguments)
    assert (await world.engine.run(marks.theirs)).status == "paused:approval"


async def test_no_route_of_the_api_changes_anything_without_a_grant(world: World) -> None:
    marks = await _marks(world)
    before = await _live(world)
    pushed = doors.api(marks)
    async with serving(ServerSettings(port=0), world.lent) as port:
        for route in ROUTES:
            for path, body in pushed[route.name]:
                status, facts = await give(port, route.method, path, body)
                await world.quiet()
                assert status < 500, (route.name, facts)
                assert await _live(world) == before, (route.name, path, body)


@pytest.mark.timeout(180)
async def test_no_command_changes_anything_without_a_grant(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    marks = await _marks(world)
    before = await _live(world)
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", str(world.database))
    monkeypatch.setenv("HANDRAIL_WORKFLOWS", str(world.folder))
    monkeypatch.setenv("HANDRAIL_ALLOWED_HOSTS", f"127.0.0.1:{world.outside.port}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    words = {"{folder}": str(world.folder), "{empty}": str(tmp_path / "empty")}
    pushed = doors.commands(marks)
    for name in COMMANDS:
        for arguments in pushed[name]:
            given = [name, *(words.get(word, word) for word in arguments)]
            assert await asyncio.to_thread(main, given) is not None
            await world.quiet()
            assert await _live(world) == before, given


async def test_no_form_without_a_session_changes_anything(world: World) -> None:
    from mcp_server.console.app import application

    marks = await _marks(world)
    before = await _live(world)
    app: Any = application(world.engine, PORT, "ab" * 32)
    base = f"http://localhost:{PORT}"
    ours = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
    fields = {"decision": "approve", "digest": marks.digest, "token": "0" * 64, "verdict": "skip"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=base) as browser:
        for door in doors.ROUTES["page"]:
            method, _, path = door.partition(" ")
            path = path.replace("{id}", marks.approval).replace("{run}", marks.waiting)
            for headers in ({}, ours):
                for verb in ("GET", "POST", "PUT", "DELETE"):
                    filled = path.replace("{path:path}", "pay")
                    data = fields if verb != "GET" else None
                    await browser.request(verb, filled, data=data, headers=headers)
                await world.quiet()
                assert await _live(world) == before, (method, path)

"""No door changes anything without a grant: every tool, command and route is pushed."""

from collections.abc import Iterator
from typing import Any

import pytest

from mcp_server import http
from mcp_server.cli.root import COMMANDS
from mcp_server.settings import ServerSettings
from mcp_server.tools import TOOLSETS
from tests.attacks import doors
from tests.attacks.world import World

pytestmark = pytest.mark.requirement("every-door")

NOBODY = doors.Marks("", "", "", "", "")
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
    assert {route.path for route in _routes(app)} - doors.ROUTES["http"] == set()


async def test_every_route_of_the_page_is_on_the_list(world: World) -> None:
    from mcp_server.console.app import application

    found = {
        f"{method} {route.path}"
        for route in _routes(application(world.engine, PORT, "ab" * 32))
        for method in route.methods - {"HEAD"}
    }
    assert found - doors.ROUTES["page"] == set()

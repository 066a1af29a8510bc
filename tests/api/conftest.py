"""Fixtures of the HTTP API's tests."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from mcp_server.settings import ServerSettings
from tests.server import world as worlds
from tests.server.calling import serving


@pytest.fixture
def world(tmp_path: Path) -> worlds.World:
    return worlds.world(tmp_path)


@pytest.fixture
async def port(world: worlds.World) -> AsyncGenerator[int]:
    async with serving(ServerSettings(port=0), world.open) as found:
        yield found

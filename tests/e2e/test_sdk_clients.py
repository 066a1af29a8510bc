"""The SDK's client in both eras, over both transports, on the served demo."""

from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, StdioServerParameters

from tests.e2e.processes import Served, environment

Era = Literal["legacy", "auto"]
VERSIONS: dict[Era, str] = {"legacy": "2025-11-25", "auto": "2026-07-28"}


def _stdio(python: str, folder: Path) -> StdioServerParameters:
    env = environment(folder, HANDRAIL_DEMO="1")
    return StdioServerParameters(command=python, args=["-m", "mcp_server"], env=env, cwd="/")


async def _use(target: Any, era: Era) -> None:
    async with Client(target, mode=era, read_timeout_seconds=30) as client:
        assert client.session.protocol_version == VERSIONS[era]
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"list_workflows", "search_workflows", "execute_workflow", "get_run"} <= tools

        found = await client.call_tool("search_workflows", {"query": "profile of a user"})
        assert found.structured_content is not None
        names = [each["name"] for each in found.structured_content["workflows"]]
        assert "demo/user-profile" in names

        ran = await client.call_tool(
            "execute_workflow", {"workflow": "user-profile", "input": {"userId": "3"}}
        )
        assert not ran.is_error
        assert ran.structured_content is not None
        assert ran.structured_content["status"] == "completed"

        run = f"run://{ran.structured_content['executionId']}"
        assert (await client.read_resource(run)).contents


@pytest.mark.requirement("both-eras", "both-transports")
@pytest.mark.parametrize("era", VERSIONS)
async def test_a_workflow_is_found_and_run_over_http(demo: Served, era: Era) -> None:
    await _use(demo.url, era)


@pytest.mark.requirement("both-eras", "both-transports")
@pytest.mark.parametrize("era", VERSIONS)
async def test_a_workflow_is_found_and_run_over_stdio(tmp_path: Path, era: Era) -> None:
    import sys

    await _use(_stdio(sys.executable, tmp_path), era)

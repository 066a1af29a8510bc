"""The SDK's client in both eras, over both transports, on the served demo."""

import json
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, StdioServerParameters

from tests.e2e.processes import Served, environment

Era = Literal["legacy", "auto"]
SAID = "Get me the profile for user 3"
VERSIONS: dict[Era, str] = {"legacy": "2025-11-25", "auto": "2026-07-28"}


def _stdio(python: str, folder: Path) -> StdioServerParameters:
    env = environment(folder, HANDRAIL_DEMO="1", HANDRAIL_AUTO_EXECUTE="on")
    return StdioServerParameters(command=python, args=["-m", "mcp_server"], env=env, cwd="/")


async def _use(target: Any, era: Era, *, auto: bool) -> None:
    async with Client(target, mode=era, read_timeout_seconds=30) as client:
        assert client.session.protocol_version == VERSIONS[era]
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"list_workflows", "search_workflows", "execute_workflow", "get_run"} <= tools

        wanted = {"query": SAID, "context": {"userId": "3"}, "autoExecute": True}
        found = await client.call_tool("search_workflows", wanted)
        assert found.structured_content is not None
        best = found.structured_content["bestMatch"]
        assert best["workflow"] == "demo/user-profile"
        assert best["canAutoExecute"] is auto

        known = {each["name"]: each["value"] for each in best["extractedInputs"]}
        ran = await client.call_tool(
            "execute_workflow", {"workflow": best["workflow"], "input": known}
        )
        assert not ran.is_error, ran.content
        assert ran.structured_content is not None
        assert ran.structured_content["status"] == "completed"
        told = json.dumps(ran.structured_content["output"])
        assert "Clementine Bauch" in told
        assert "Nathan@yesenia.net" in told

        run = f"run://{ran.structured_content['executionId']}"
        assert (await client.read_resource(run)).contents


@pytest.mark.requirement("both-eras", "both-transports", "seed-dialogue")
@pytest.mark.parametrize("era", VERSIONS)
async def test_a_workflow_is_found_and_run_over_http(demo: Served, era: Era) -> None:
    await _use(demo.url, era, auto=False)


@pytest.mark.requirement("both-eras", "both-transports", "seed-dialogue")
@pytest.mark.parametrize("era", VERSIONS)
async def test_a_workflow_is_found_and_run_over_stdio(tmp_path: Path, era: Era) -> None:
    await _use(_stdio(sys.executable, tmp_path), era, auto=True)

"""The official Inspector's command line on the demo, over stdio and HTTP, in both eras."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Node
from tests.e2e.processes import Served

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]

Ask = Callable[..., Any]


@pytest.fixture(params=["legacy", "modern"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["stdio", "http"])
def ask(request: pytest.FixtureRequest, node: Node, demo: Served, tmp_path: Path, era: str) -> Ask:
    """One call of the Inspector: the result it printed."""
    target = ["--transport", "http", demo.url]
    if request.param == "stdio":
        settings = [
            "-e",
            "HANDRAIL_DEMO=1",
            "-e",
            f"HANDRAIL_DATABASE_URL={tmp_path / 'handrail.db'}",
        ]
        target = [*settings, "--cwd", "/", "--", sys.executable, "-m", "mcp_server"]

    def call(method: str, *arguments: str) -> Any:
        options = [
            "--cli",
            "--format",
            "json",
            "--quiet",
            "--protocol-era",
            era,
            "--method",
            method,
        ]
        done = node.run("mcp-inspector", *options, *arguments, *target)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["result"]

    return call


@pytest.mark.requirement("official-clients")
def test_the_inspector_lists_searches_runs_and_reads(ask: Ask) -> None:
    tools = {tool["name"] for tool in ask("tools/list", "--strict")["tools"]}
    assert {"list_workflows", "execute_workflow", "cancel_run", "retry_run"} <= tools

    found = _call(ask, "search_workflows", query="profile of a user")
    assert "demo/user-profile" in [each["name"] for each in found["workflows"]]

    ran = _call(ask, "execute_workflow", workflow="user-profile", input={"userId": "3"})
    assert ran["status"] == "completed"

    read = ask("resources/read", "--uri", "workflow://user-profile")
    assert "user-profile" in read["contents"][0]["text"]


def _call(ask: Ask, tool: str, **arguments: Any) -> Any:
    given = ["--tool-name", tool, "--tool-args-json", json.dumps(arguments)]
    return ask("tools/call", *given)["structuredContent"]

"""What a client sees before it calls anything: tools, hints, instructions, the reference page."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from mcp_server.server import build
from mcp_server.settings import ServerSettings
from mcp_server.tools import TOOLSETS
from tests.server.test_gate import ERAS, server

ALL = ServerSettings(toolsets=frozenset({"default", "operate"}))
DOCS = Path(__file__).parents[2] / "docs" / "tools.md"


async def listed(mode: Any = "auto", settings: ServerSettings = ALL) -> list[dict[str, Any]]:
    async with Client(build(settings), mode=mode) as client:
        tools = (await client.list_tools()).tools
    return [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools]


@pytest.mark.requirement("small-tool-list")
@pytest.mark.parametrize("mode", ERAS)
async def test_the_list_of_tools_is_small(mode: Any) -> None:
    usual = await listed(mode, ServerSettings())
    assert len(usual) <= 18
    assert len(json.dumps(usual, separators=(",", ":"))) < 14_000


@pytest.mark.requirement("small-tool-list")
async def test_no_tool_that_is_asked_for_besides_is_large() -> None:
    for tool in await listed():
        assert len(json.dumps(tool, separators=(",", ":"))) < 2_000, tool["name"]


@pytest.mark.requirement("small-tool-list")
async def test_every_tool_says_everything_about_itself() -> None:
    for tool in await listed():
        assert tool["title"]
        assert tool["description"].startswith("Use this ")
        assert tool["outputSchema"]["type"] == "object"
        assert tool["inputSchema"]["additionalProperties"] is False
        assert set(tool["annotations"]) >= {
            "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint",
        }  # fmt: skip


async def test_only_tools_that_change_something_are_not_read_only() -> None:
    changing = [t["name"] for t in await listed() if not t["annotations"]["readOnlyHint"]]
    assert changing == [
        "execute_workflow", "cancel_run", "retry_run", "resolve_mutation", "manage_labels",
    ]  # fmt: skip


async def test_the_order_of_tools_is_always_the_same() -> None:
    names = [tool["name"] for tool in await listed()]
    expected = [tool.name for tools in TOOLSETS.values() for tool in tools]
    assert names == expected
    assert names == [tool["name"] for tool in await listed("legacy")]


async def test_every_published_schema_is_a_valid_schema() -> None:
    import jsonschema_rs

    for tool in await listed():
        jsonschema_rs.validator_for(tool["inputSchema"])
        jsonschema_rs.validator_for(tool["outputSchema"])


@pytest.mark.parametrize("mode", ERAS)
async def test_a_server_says_who_it_is_and_how_to_begin(mode: Any) -> None:
    async with Client(server(), mode=mode) as client:
        assert client.server_info is not None
        assert client.server_info.name == "handrail"
        assert client.server_info.version
        assert client.instructions is not None
        assert "search_workflows" in client.instructions
        assert "The demo is on" not in client.instructions
        assert len(client.instructions) < 1200


async def test_the_demo_gives_three_sentences_to_say() -> None:
    async with Client(build(ServerSettings(demo=True))) as client:
        assert client.instructions is not None
        assert "Get me the profile for user 3" in client.instructions


def test_the_reference_page_says_everything_about_every_tool() -> None:
    page = DOCS.read_text("utf-8")
    for toolset, tools in TOOLSETS.items():
        assert f"`{toolset}`" in page
        for tool in tools:
            section = page.partition(f"## `{tool.name}`")[2].partition("\n## ")[0]
            assert section, f"docs/tools.md has no section for {tool.name}"
            for name in tool.takes["properties"]:
                assert f"`{name}`" in section, f"{tool.name}: {name} is not documented"


def test_the_reference_page_names_no_tool_that_is_not_there() -> None:
    known = {tool.name for tools in TOOLSETS.values() for tool in tools}
    sections = [
        line.split("`")[1]
        for line in DOCS.read_text("utf-8").splitlines()
        if line.startswith("## `")
    ]
    assert set(sections) == known

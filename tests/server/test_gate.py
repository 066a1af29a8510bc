"""The gate: what the published schema accepts is accepted, and nothing else is."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from mcp.server import MCPServer

from engine import Refused
from engine.shell.redact import Redactor
from mcp_server.arguments import Checked
from mcp_server.door import Door
from mcp_server.server import build
from mcp_server.settings import ServerSettings
from mcp_server.tools import TOOLSETS

TOOLS = {tool.name: tool for tools in TOOLSETS.values() for tool in tools}
ERAS = ("auto", "legacy")


@asynccontextmanager
async def broken() -> AsyncGenerator[Any]:
    raise Refused("database_locked", "the database is locked", "Try again.")
    yield


def server(*, extra: Any = ()) -> MCPServer[Door]:
    return build(ServerSettings(), door=Door(broken), extra=extra)


async def call(name: str, arguments: dict[str, Any], mode: Any = "auto") -> Any:
    async with Client(server(), mode=mode) as client:
        return await client.call_tool(name, arguments)


VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "full", "concise", "person", "1", "true", "{}", "x" * 2000]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(sorted(TOOLS)))
    names = [*TOOLS[name].takes["properties"], "confirm", "Limit"]
    return name, draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=4))


@pytest.mark.requirement("strict-arguments")
@given(calls())
def test_exactly_what_the_schema_accepts_is_accepted(given_call: tuple[str, Any]) -> None:
    name, arguments = given_call
    valid = jsonschema_rs.validator_for(TOOLS[name].takes).is_valid(arguments)
    if valid:
        assert set(Checked(TOOLS[name]).arguments(arguments)) >= set(TOOLS[name].defaults)
        return
    with pytest.raises(Refused) as refused:
        Checked(TOOLS[name]).arguments(arguments)
    assert refused.value.code == "invalid_arguments"
    assert refused.value.details["arguments"]


def test_a_whole_number_written_with_a_point_is_a_whole_number() -> None:
    filled = Checked(TOOLS["list_workflows"]).arguments({"limit": 5.0})
    assert repr(filled["limit"]) == "5"


@pytest.mark.requirement("strict-arguments")
@pytest.mark.parametrize("mode", ERAS)
async def test_an_unknown_argument_is_refused_with_the_one_that_was_meant(mode: Any) -> None:
    answer = await call("get_run", {"runID": "x"}, mode)
    assert answer.is_error
    assert answer.structured_content["code"] == "invalid_arguments"
    assert answer.structured_content["suggestions"] == ["runId"]
    assert "Use runId instead of runID." in answer.content[0].text


async def test_an_approval_in_the_arguments_is_an_unknown_argument() -> None:
    answer = await call("execute_workflow", {"workflow": "a", "approved": True})
    assert answer.structured_content["arguments"][0]["name"] == "approved"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"workflow": "a", "input": '{"a": 1}'}, "input"),
        ({"workflow": "a", "waitSeconds": "5"}, "waitSeconds"),
        ({"workflow": "a", "dryRun": "true"}, "dryRun"),
    ],
)
async def test_json_in_a_text_is_refused_with_a_hint(arguments: Any, name: str) -> None:
    answer = await call("execute_workflow", arguments)
    assert answer.is_error
    assert f"Send {name} as JSON itself" in answer.structured_content["hint"]


async def test_every_mistake_is_said_at_once() -> None:
    answer = await call("search_workflows", {"limit": 99, "qeury": "x"})
    wrong = {each["name"]: each["error"] for each in answer.structured_content["arguments"]}
    assert wrong == {
        "limit": "must be at most 20",
        "query": "is missing",
        "qeury": "there is no such argument",
    }


@pytest.mark.parametrize("mode", ERAS)
async def test_an_unknown_tool_is_refused_with_the_nearest(mode: Any) -> None:
    answer = await call("list_workflow", {}, mode)
    assert answer.is_error
    assert answer.structured_content["code"] == "unknown_tool"
    assert answer.structured_content["suggestions"][0] == "list_workflows"


async def test_a_tool_of_another_toolset_is_unknown() -> None:
    answer = await call("manage_versions", {"workflow": "a"})
    assert answer.structured_content["code"] == "unknown_tool"


@pytest.mark.parametrize("mode", ERAS)
async def test_a_database_that_cannot_be_opened_is_said_in_words(mode: Any) -> None:
    answer = await call("list_workflows", {}, mode)
    assert answer.is_error
    assert answer.structured_content["code"] == "database_locked"
    assert "the database is locked" in answer.content[0].text


async def test_the_next_call_tries_to_open_the_engine_again() -> None:
    tries = []

    @asynccontextmanager
    async def counted() -> AsyncGenerator[Any]:
        tries.append(1)
        raise Refused("database_locked", "no")
        yield

    async with Client(build(ServerSettings(), door=Door(counted), patience=60)) as client:
        for expected in (1, 2):
            await client.call_tool("list_workflows", {})
            assert len(tries) == expected


async def test_an_engine_that_is_still_being_opened_is_given_up_when_the_server_ends() -> None:
    begun, given_up = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slow() -> AsyncGenerator[Any]:
        begun.set()
        try:
            await asyncio.Event().wait()
            yield
        finally:
            given_up.set()

    async with Client(build(ServerSettings(), door=Door(slow), patience=0)):
        await begun.wait()
    assert given_up.is_set()


async def test_an_unforeseen_error_shows_a_number_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Crashes:
        async def refresh(self) -> None:
            raise RuntimeError("the password is hunter2")

    @asynccontextmanager
    async def crashing() -> AsyncGenerator[Any]:
        yield Crashes()

    with caplog.at_level(logging.ERROR):
        async with Client(build(ServerSettings(), door=Door(crashing))) as client:
            answer = await client.call_tool("search_workflows", {"query": "my secret"})
    facts = answer.structured_content
    assert facts is not None
    assert facts["code"] == "internal"
    assert facts["errorId"] in caplog.text
    assert "in search_workflows: RuntimeError" in caplog.text
    for text in (caplog.text, json.dumps(facts), answer.content[0].text):  # type: ignore[union-attr]
        assert "hunter2" not in text
        assert "my secret" not in text


async def test_a_tool_that_somebody_else_registered_is_passed_on() -> None:
    def register(target: MCPServer[Any]) -> None:
        @target.tool()
        async def echo(text: str) -> str:
            return text

    async with Client(server(extra=[register])) as client:
        answer = await client.call_tool("echo", {"text": "hello"})
    assert answer.content[0].text == "hello"  # type: ignore[union-attr]


async def test_a_secret_that_this_process_knows_is_in_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Redactor()
    known.learn("correct-horse-battery")
    monkeypatch.setattr("engine.shell.redact.KNOWN", known)
    answer = await call("get_run", {"runId": "x", "correct-horse-battery": 1})
    assert "[secret]" in answer.content[0].text
    assert "correct-horse" not in answer.model_dump_json()

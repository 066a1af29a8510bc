"""Prompts from files: complete, strict about their arguments, filled in one pass."""

from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference

from mcp_server import prompting
from mcp_server.places import find
from tests.server.test_gate import ERAS, server

pytestmark = pytest.mark.requirement("prompts")

GOOD = """---
name: greet
title: Greet
description: Says hello.
arguments:
  - who (required): Whom to greet
  - how: In which way
---
Greet {{who}}, {{how}}.
"""


async def get(name: str, arguments: dict[str, str], mode: Any = "auto") -> str:
    async with Client(server(), mode=mode) as client:
        result = await client.get_prompt(name, arguments)
    (message,) = result.messages
    return message.content.text  # type: ignore[union-attr]


def test_the_three_prompts_are_there_and_parse() -> None:
    names = [prompt.name for prompt in prompting.load(find("prompts"))]
    assert names == ["discover-workflow", "execute-workflow", "troubleshoot-execution"]


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_lists_them_with_titles_and_arguments(mode: Any) -> None:
    async with Client(server(), mode=mode) as client:
        prompts = (await client.list_prompts()).prompts
    assert [prompt.title for prompt in prompts] == [
        "Find the right workflow", "Run a workflow", "Find out why a run failed",
    ]  # fmt: skip
    assert all(arg.description for prompt in prompts for arg in prompt.arguments or [])


@pytest.mark.parametrize("mode", ERAS)
async def test_arguments_are_put_into_the_body(mode: Any) -> None:
    text = await get("discover-workflow", {"goal": "see an order"}, mode)
    assert "The user wants: see an order" in text
    assert "{{" not in text


async def test_an_argument_that_looks_like_a_placeholder_stays_text() -> None:
    text = await get("execute-workflow", {"workflow": "{{input}}", "input": "{{workflow}}"})
    assert "Run the workflow {{input}}. Known about its input: {{workflow}}" in text


async def test_what_is_not_given_is_said_to_be_absent() -> None:
    assert "input: (not given)" in await get("execute-workflow", {"workflow": "a"})


@pytest.mark.parametrize("mode", ERAS)
async def test_wrong_arguments_are_an_error_in_words(mode: Any) -> None:
    async with Client(server(), mode=mode) as client:
        with pytest.raises(MCPError, match="goal is missing; there is no argument") as error:
            await client.get_prompt("discover-workflow", {"gaol": "x"})
    assert error.value.error.code == -32602


@pytest.mark.parametrize("mode", ERAS)
async def test_an_unknown_prompt_is_refused_with_the_nearest(mode: Any) -> None:
    async with Client(server(), mode=mode) as client:
        with pytest.raises(MCPError, match="Did you mean execute-workflow") as error:
            await client.get_prompt("run-workflow", {})
    assert error.value.error.code == -32602


def test_a_placeholder_that_is_not_declared_is_a_mistake_of_the_file() -> None:
    with pytest.raises(ValueError, match=r"greet.md: \{\{whom\}\} is not a declared argument"):
        prompting.parse(GOOD.replace("{{how}}", "{{whom}}"), "greet.md")


@pytest.mark.parametrize(
    "text",
    [
        "no front matter",
        GOOD.replace("title: Greet\n", ""),
        GOOD.replace("title:", "tilte:"),
        GOOD.replace("  - how: In", "  - how : In"),
    ],
)
def test_anything_out_of_place_names_the_file(text: str) -> None:
    with pytest.raises(ValueError, match=r"^greet\.md: "):
        prompting.parse(text, "greet.md")


async def test_completions_of_an_unknown_argument_are_empty() -> None:
    async with Client(server()) as client:
        ref = PromptReference(name="discover-workflow")
        result = await client.complete(ref, {"name": "goal", "value": "a"})
    assert result.completion.values == []

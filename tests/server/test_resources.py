"""Resources: by name, by id, from files; and addresses that try to be clever."""

import json
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from mcp_server.places import find
from tests.server.test_gate import ERAS
from tests.server.world import World


async def read(client: Client, uri: str) -> Any:
    (content,) = (await client.read_resource(uri)).contents
    return json.loads(content.text)  # type: ignore[union-attr]


@pytest.mark.requirement("workflow-resources")
@pytest.mark.parametrize("mode", ERAS)
async def test_a_workflow_and_its_schema_can_be_read(world: World, mode: Any) -> None:
    async with world.client(mode) as client:
        shown = await read(client, "workflow://hello")
        assert shown["name"] == "hello"
        assert shown["document"]["kind"] == "Workflow"
        assert (await read(client, "workflow://hello/schema"))["required"] == ["name"]


async def test_a_workflow_of_a_namespace_has_its_own_address(world: World) -> None:
    async with world.client() as client:
        assert (await read(client, "workflow://other/hello"))["name"] == "other/hello"
        assert (await read(client, "workflow://other/hello/schema"))["type"] == "object"


async def test_a_workflow_called_schema_can_be_reached(world: World) -> None:
    text = "kind: Workflow\napiVersion: t/v1\nmetadata: {name: schema, namespace: other}\nspec:\n"
    text += "  description: Odd.\n  tasks:\n"
    text += "    - {id: say, taskRef: default/greet, input: {name: Eve}}\n"
    (world.folder / "odd.yaml").write_text(text, "utf-8")
    async with world.client() as client:
        assert (await read(client, "workflow://other/schema"))["name"] == "other/schema"


async def test_a_run_can_be_read_whole(world: World) -> None:
    async with world.client() as client:
        answer = await client.call_tool(
            "execute_workflow", {"workflow": "hello", "input": {"name": "Ann"}}
        )
        assert answer.structured_content is not None
        run = answer.structured_content["executionId"]
        shown = await read(client, f"run://{run}")
    assert shown["output"] == {"said": "hello Ann"}
    assert shown["tasks"][0]["attemptLog"]


async def test_the_full_schemas_of_a_tool_can_be_read(world: World) -> None:
    async with world.client() as client:
        shown = await read(client, "schema://tool/execute_workflow")
        assert shown["inputSchema"]["required"] == ["workflow"]
        assert len(shown["outputSchema"]["anyOf"]) == 5
        with pytest.raises(MCPError, match="Did you mean get_run"):
            await read(client, "schema://tool/getrun")


@pytest.mark.parametrize(
    "uri",
    [
        "workflow://../../etc/passwd",
        "workflow://%2e%2e",
        "workflow://%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "workflow://..%2fhello",
        "workflow://other%2Fhello",
        "workflow://hello%00",
        "workflow://hello%20",
        "workflow:///etc/passwd",
        "workflow://hello/../hello",
        "workflow://",
        "workflow://ünknown",
        "run://../test.db",
        "run://%2e%2e",
        "run://x",
        "schema://tool/..",
        "handrail://guides/../../pyproject.toml",
        "handrail://guides/%2e%2e/%2e%2e/pyproject.toml",
        "file:///etc/passwd",
        "nothing",
    ],
)
async def test_an_address_that_leads_nowhere_is_not_found(world: World, uri: str) -> None:
    async with world.client() as client:
        with pytest.raises(MCPError) as error:
            await client.read_resource(uri)
    assert error.value.error.code == -32602


async def test_a_name_that_is_nearly_right_is_helped(world: World) -> None:
    async with world.client() as client:
        with pytest.raises(MCPError, match="hello"):
            await client.read_resource("workflow://helo")


async def test_every_file_in_resources_is_served_as_it_is(world: World) -> None:
    async with world.client() as client:
        listed = {str(each.uri): each for each in (await client.list_resources()).resources}
        for path in find("resources").rglob("*.*"):
            uri = "handrail://" + path.relative_to(find("resources")).as_posix()
            uri = uri.removesuffix(".md")
            assert uri in listed, f"{path} is not served"
            (content,) = (await client.read_resource(uri)).contents
            assert content.text == path.read_text("utf-8")  # type: ignore[union-attr]
    assert {"handrail://guides/getting-started", "handrail://guides/errors"} <= set(listed)
    assert all(each.title and each.description and each.mime_type for each in listed.values())


@pytest.mark.parametrize("mode", ERAS)
async def test_template_variables_and_prompt_arguments_are_completed(
    world: World, mode: Any
) -> None:
    async with world.client(mode) as client:
        answer = await client.call_tool(
            "execute_workflow", {"workflow": "hello", "input": {"name": "Ann"}}
        )
        assert answer.structured_content is not None

        async def complete(ref: Any, name: str, value: str, **known: str) -> list[str]:
            context = {"context_arguments": known} if known else {}
            result = await client.complete(ref, {"name": name, "value": value}, **context)
            return list(result.completion.values)

        one = ResourceTemplateReference(uri="workflow://{name}")
        assert await complete(one, "name", "h") == ["hello", "changes"]
        two = ResourceTemplateReference(uri="workflow://{namespace}/{name}")
        assert await complete(two, "namespace", "o") == ["other"]
        assert await complete(two, "name", "", namespace="other") == ["hello"]
        run = ResourceTemplateReference(uri="run://{id}")
        assert await complete(run, "id", "") == [answer.structured_content["executionId"]]
        tool = ResourceTemplateReference(uri="schema://tool/{name}")
        found = await complete(tool, "name", "get")
        assert found == ["get_workflow_details", "get_run", "get_approval", "get_blast_radius"]
        prompt = PromptReference(name="execute-workflow")
        assert await complete(prompt, "workflow", "other") == ["other/hello"]

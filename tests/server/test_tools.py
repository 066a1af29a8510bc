"""Every tool against the real engine, in both eras; each result is held against its schemas."""

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import jsonschema_rs
import pytest
from mcp import Client

from mcp_server.tools import TOOLSETS
from tests.server.test_gate import ERAS
from tests.server.world import World

TOOLS = {tool.name: tool for tools in TOOLSETS.values() for tool in tools}
SECONDS = 10


async def call(client: Client, name: str, /, **arguments: Any) -> dict[str, Any]:
    """The structured result, which fits both schemas; the text says something too."""
    with anyio.fail_after(SECONDS):
        answer = await client.call_tool(name, arguments)
    facts = answer.structured_content
    assert isinstance(facts, dict)
    jsonschema_rs.validator_for(TOOLS[name].gives).validate(facts)
    jsonschema_rs.validator_for(TOOLS[name].compact).validate(facts)
    assert answer.content[0].text  # type: ignore[union-attr]
    assert "](" not in answer.content[0].text  # type: ignore[union-attr]
    return {**facts, "isError": bool(answer.is_error)}


@pytest.mark.requirement("tool-list-workflows")
@pytest.mark.parametrize("mode", ERAS)
async def test_workflows_are_listed_with_what_is_wrong_in_the_documents(
    world: World, mode: Any
) -> None:
    async with world.client(mode) as client:
        facts = await call(client, "list_workflows")
    names = [each["name"] for each in facts["workflows"]]
    assert names == ["breaks", "changes", "hello", "long", "other/hello"]
    assert facts["total"] == 5
    hello = facts["workflows"][2]
    assert hello["inputs"][0] == {
        "name": "name", "type": "string", "description": "Whom to greet", "required": True,
    }  # fmt: skip
    assert hello["tags"] == ["greeting"]
    (problem,) = [each for each in facts["problems"] if each["severity"] == "error"]
    assert problem["line"] > 0
    assert "gret" in problem["message"]


async def test_a_list_is_paged_and_a_changed_cursor_is_refused(world: World) -> None:
    async with world.client() as client:
        first = await call(client, "list_workflows", limit=2)
        second = await call(client, "list_workflows", limit=2, cursor=first["nextCursor"])
        third = await call(client, "list_workflows", limit=2, cursor=second["nextCursor"])
        pages = [first, second, third]
        names = [each["name"] for page in pages for each in page["workflows"]]
        assert names == ["breaks", "changes", "hello", "long", "other/hello"]
        assert "nextCursor" not in third
        for cursor in ("x", first["nextCursor"][:-2], first["nextCursor"] + "A", "ü"):
            refused = await call(client, "list_workflows", limit=2, cursor=cursor)
            assert refused["code"] == "invalid_cursor"
        foreign = await call(client, "list_tasks", cursor=first["nextCursor"])
        assert foreign["code"] == "invalid_cursor"
        filtered = await call(client, "list_workflows", tags=["x"], cursor=first["nextCursor"])
        assert filtered["code"] == "invalid_cursor"


async def test_a_list_can_be_narrowed(world: World) -> None:
    async with world.client() as client:
        by_tag = await call(client, "list_workflows", tags=["Greeting"])
        assert [each["name"] for each in by_tag["workflows"]] == ["hello"]
        by_category = await call(client, "list_workflows", category="talk")
        assert [each["name"] for each in by_category["workflows"]] == ["hello"]
        nothing = await call(client, "list_workflows", tags=["none"])
        assert nothing["workflows"] == []
        assert nothing["total"] == 0
        by_pattern = await call(client, "list_workflows", tagPattern="GREET*")
        assert [each["name"] for each in by_pattern["workflows"]] == ["hello"]
        others = await call(client, "list_workflows", excludeTags=["greeting"])
        assert "hello" not in {each["name"] for each in others["workflows"]}
        too_many = await call(client, "list_workflows", anyTags=[str(at) for at in range(51)])
        assert too_many["code"] == "invalid_filter"


async def test_a_cursor_belongs_to_its_filter_whatever_the_case_of_its_words(world: World) -> None:
    async with world.client() as client:
        first = await call(client, "list_workflows", limit=1, excludeTags=["Greeting"])
        cursor = first["nextCursor"]
        again = {"limit": 1, "cursor": cursor}
        same = await call(client, "list_workflows", **again, excludeTags=["greeting"])
        other = await call(client, "list_workflows", **again, anyTags=["greeting"])
    assert same["workflows"] != first["workflows"]
    assert other["code"] == "invalid_cursor"


@pytest.mark.requirement("tool-search-workflows")
async def test_search_puts_the_best_match_first(world: World) -> None:
    async with world.client() as client:
        facts = await call(client, "search_workflows", query="say hello to a person")
    assert facts["workflows"][0]["name"] == "hello"
    scores = [each["score"] for each in facts["workflows"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.requirement("tool-get-workflow-details")
@pytest.mark.parametrize("mode", ERAS)
async def test_details_say_what_is_needed_and_what_is_done(world: World, mode: Any) -> None:
    async with world.client(mode) as client:
        facts = await call(client, "get_workflow_details", workflow="breaks")
        full = await call(client, "get_workflow_details", workflow="hello", detail="full")
    assert facts["parallelGroups"] == [["first"], ["second"]]
    assert facts["steps"][1]["dependsOn"] == ["first"]
    assert "document" not in facts
    assert full["inputSchema"]["required"] == ["name"]
    assert full["document"]["metadata"]["name"] == "hello"
    assert full["versions"][0]["default"] is True
    assert full["examples"][0]["input"] == {"name": "Ann"}


@pytest.mark.parametrize("tool", ["get_workflow_details", "execute_workflow"])
async def test_an_unknown_workflow_is_refused_with_the_nearest(world: World, tool: str) -> None:
    async with world.client() as client:
        facts = await call(client, tool, workflow="helo")
    assert facts["isError"]
    assert facts["code"] == "unknown_workflow"
    assert "hello" in facts["suggestions"]


@pytest.mark.requirement("tool-list-tasks")
async def test_tasks_are_listed_with_their_users(world: World) -> None:
    async with world.client() as client:
        facts = await call(client, "list_tasks", category="Talk")
    (greet,) = facts["tasks"]
    assert greet["name"] == "greet"
    assert set(greet["usedBy"]) == {"breaks", "hello", "long", "other/hello"}


@pytest.mark.requirement("tool-execute-workflow")
@pytest.mark.parametrize("mode", ERAS)
async def test_a_workflow_runs_to_its_result(world: World, mode: Any) -> None:
    async with world.client(mode) as client:
        facts = await call(client, "execute_workflow", workflow="hello", input={"name": "Ann"})
        assert facts["status"] == "completed"
        assert facts["output"] == {"said": "hello Ann"}
        assert not facts["isError"]
        assert facts["durationMs"] >= 0
        assert [(t["id"], t["status"], t["attempts"]) for t in facts["tasks"]] == [
            ("say", "done", 1)
        ]
        shown = await call(client, "get_run", runId=facts["executionId"], detail="full")
        assert shown["input"] == {"name": "Ann", "times": 1}
        assert shown["actor"].startswith("mcp")
        assert shown["tasks"][0]["attemptLog"][0]["attempt"] == 1


async def test_a_workflow_of_a_namespace_is_asked_for_with_it(world: World) -> None:
    async with world.client() as client:
        facts = await call(client, "execute_workflow", workflow="other/hello")
    assert facts["output"] == {"said": "hello Zoe"}
    assert facts["workflow"] == "other/hello"


@pytest.mark.requirement("validation-failure")
async def test_missing_and_wrong_input_is_listed_with_a_sentence_for_the_user(
    world: World,
) -> None:
    async with world.client() as client:
        facts = await call(client, "execute_workflow", workflow="hello", input={"times": "x"})
        runs = await call(client, "list_runs")
    assert facts["status"] == "invalid_input"
    assert facts["isError"]
    assert facts["whoseMove"] == "caller"
    (missing,) = facts["missingInputs"]
    assert (missing["name"], missing["type"]) == ("name", "string")
    assert missing["description"] == "Whom to greet"
    (wrong,) = facts["invalidInputs"]
    assert wrong["name"] == "times"
    assert wrong["received"]
    assert "Whom to greet" in facts["suggestedPrompt"]
    assert runs["runs"] == []


@pytest.mark.requirement("execution-failure", "errors-stored")
@pytest.mark.parametrize("mode", ERAS)
async def test_a_failed_run_says_where_why_and_whose_move_it_is(world: World, mode: Any) -> None:
    async with world.client(mode) as client:
        facts = await call(client, "execute_workflow", workflow="breaks")
    assert facts["isError"]
    assert facts["status"].startswith("failed:")
    assert facts["failedTask"] == "second"
    assert facts["error"]["code"] == "no_luck"
    assert facts["error"]["retryable"] is False
    assert facts["errorMessage"].startswith("no luck")
    assert facts["partialOutput"] == {"first": {"said": "hello Bob"}}
    assert facts["whoseMove"] == "person"
    assert facts["nextStep"]


@pytest.mark.requirement("dry-run")
async def test_a_dry_run_shows_the_plan_and_records_nothing(world: World) -> None:
    async with world.client() as client:
        facts = await call(
            client, "execute_workflow", workflow="changes", input={"what": "x"}, dryRun=True
        )
        assert facts["status"] == "dry_run"
        assert facts["plan"]["mutations"] == 1
        assert facts["plan"]["parallelGroups"] == [["change"]]
        assert facts["pending"] is True
        incomplete = await call(client, "execute_workflow", workflow="hello", dryRun=True)
        assert incomplete["status"] == "dry_run"
        assert incomplete["missingInputs"][0]["name"] == "name"
        assert (await call(client, "list_runs"))["runs"] == []


@pytest.mark.requirement("mutations-wait")
async def test_a_workflow_that_changes_something_waits_for_a_person(world: World) -> None:
    async with world.client() as client:
        facts = await call(client, "execute_workflow", workflow="changes", input={"what": "x"})
    assert facts["status"] == "setup_required"
    assert facts["whoseMove"] == "person"


@pytest.mark.requirement("idempotent-start")
async def test_the_same_key_gives_the_same_run(world: World) -> None:
    asked: dict[str, Any] = {"workflow": "hello", "input": {"name": "Ann"}, "idempotencyKey": "k"}
    async with world.client() as client:
        first = await call(client, "execute_workflow", **asked)
        again = await call(client, "execute_workflow", **asked)
        assert again["executionId"] == first["executionId"]
        assert again["reused"] is True
        other = await call(client, "execute_workflow", **{**asked, "input": {"name": "Bob"}})
        assert other["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("mode", ERAS)
async def test_a_long_run_gives_its_id_at_once_and_can_be_followed(world: World, mode: Any) -> None:
    async with world.client(mode) as client:
        facts = await call(client, "execute_workflow", workflow="long", waitSeconds=0)
        run = facts["executionId"]
        assert not facts["isError"]
        assert f"get_run with runId {run}" in facts["nextStep"]
        world.go.set()
        assert world.engine is not None
        with anyio.fail_after(SECONDS):
            await world.engine.wait(run, SECONDS)
        shown = await call(client, "get_run", runId=run)
    assert shown["status"] == "completed"
    assert shown["output"] == {"ok": True}


async def test_a_run_is_cancelled_once(world: World) -> None:
    async with world.client() as client:
        run = (await call(client, "execute_workflow", workflow="long", waitSeconds=0))[
            "executionId"
        ]
        facts = await call(client, "cancel_run", runId=run, reason="enough")
        assert facts["status"] == "cancelled"
        again = await call(client, "cancel_run", runId=run)
        assert again["code"] == "already_ended"


@pytest.mark.requirement("retry-chain")
async def test_a_failed_run_is_tried_again_as_a_new_run(world: World) -> None:
    async with world.client() as client:
        failed = await call(client, "execute_workflow", workflow="breaks")
        world.broken = False
        fresh = await call(client, "retry_run", runId=failed["executionId"])
        assert fresh["retryOf"] == failed["executionId"]
        assert world.engine is not None
        with anyio.fail_after(SECONDS):
            await world.engine.wait(fresh["executionId"], SECONDS)
        shown = await call(client, "get_run", runId=fresh["executionId"])
        assert shown["status"] == "completed"
        old = await call(client, "get_run", runId=failed["executionId"])
        assert old["retriedBy"] == fresh["executionId"]
        refused = await call(client, "retry_run", runId=fresh["executionId"])
        assert refused["code"] == "not_retryable"


async def test_runs_are_listed_filtered_and_grouped(world: World) -> None:
    async with world.client() as client:
        for _ in range(3):
            await call(client, "execute_workflow", workflow="breaks")
        await call(client, "execute_workflow", workflow="hello", input={"name": "Ann"})
        everything = await call(client, "list_runs")
        assert [run["workflow"] for run in everything["runs"]] == ["hello", *["breaks"] * 3]
        needs = await call(client, "list_runs", whoseMove="person")
        assert {run["workflow"] for run in needs["runs"]} == {"breaks"}
        failed = await call(client, "list_runs", status="failed", limit=2)
        assert len(failed["runs"]) == 2
        rest = await call(
            client, "list_runs", status="failed", limit=2, cursor=failed["nextCursor"]
        )
        assert len(rest["runs"]) == 1
        (group,) = (await call(client, "list_runs", groupFailures=True))["groups"]
        assert (group["workflow"], group["failedTask"], group["count"]) == ("breaks", "second", 3)
        future = await call(client, "list_runs", since="2999-01-01T00:00:00Z")
        assert future["runs"] == []
        past = await call(client, "list_runs", until="1999-01-01T00:00:00+01:00")
        assert past["runs"] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"since": "yesterday"}, "invalid_time"),
        ({"until": "2026-01-01T00:00:00"}, "invalid_time"),
        ({"since": "2026-02-30T00:00:00Z"}, "invalid_time"),
        ({"status": "broken"}, "unknown_status"),
        ({"cursor": "tampered"}, "invalid_cursor"),
    ],
)
async def test_an_argument_without_a_meaning_is_refused(
    world: World, arguments: Any, code: str
) -> None:
    async with world.client() as client:
        facts = await call(client, "list_runs", **arguments)
    assert facts["isError"]
    assert facts["code"] == code


@pytest.mark.parametrize("run", ["x", "../etc/passwd", "018bcfe5-6800-7000-8000-000000000000"])
async def test_an_unknown_run_is_refused(world: World, run: str) -> None:
    async with world.client() as client:
        for tool in ("get_run", "cancel_run", "retry_run"):
            assert (await call(client, tool, runId=run))["code"] == "unknown_run"


@pytest.mark.requirement("version-counts")
async def test_versions_are_shown_with_counts_and_changed_only_by_a_person(world: World) -> None:
    async with world.client(toolsets="default,operate") as client:
        await call(client, "execute_workflow", workflow="hello", input={"name": "Ann"})
        facts = await call(client, "manage_versions", workflow="hello")
    (version,) = facts["versions"]
    assert version["default"] is True
    assert version["runs"] == {"completed": 1}
    assert "handrail versions" in facts["nextStep"]


@pytest.mark.requirement("documents-reread")
async def test_a_new_document_is_there_without_a_restart(world: World, tmp_path: Path) -> None:
    text = "kind: Workflow\napiVersion: t/v1\nmetadata: {name: late}\nspec:\n  description: Late.\n"
    text += "  tasks:\n    - {id: say, taskRef: greet, input: {name: Eve}}\n"
    async with world.client() as client:
        await call(client, "list_workflows")
        (world.folder / "late.yaml").write_text(text, "utf-8")
        with anyio.fail_after(SECONDS):
            while (await call(client, "execute_workflow", workflow="late"))["status"] == "refused":
                await anyio.lowlevel.checkpoint()


@pytest.mark.requirement("statistics")
async def test_a_list_says_how_the_newest_runs_of_each_workflow_went(world: World) -> None:
    async with world.client() as client:
        run = await call(client, "execute_workflow", workflow="hello", input={"name": "Ann"})
        await call(client, "execute_workflow", workflow="breaks")
        shown = await client.call_tool("list_workflows", {"includeStats": True})
        stats = {each["name"]: each["stats"] for each in shown.structured_content["workflows"]}
        assert stats["hello"]["lastRun"] == run["executionId"]
        assert (stats["hello"]["successRate"], stats["breaks"]["successRate"]) == (1, 0)
        assert "p50Ms" not in stats["breaks"]
        assert stats["long"] == {"runs": 0, "completed": 0, "failed": 0}
        text = shown.content[0].text  # type: ignore[union-attr]
        assert "Newest 1 runs, 100% completed, p50 " in text
        assert "Never run." in text

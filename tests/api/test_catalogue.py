"""Routes about workflows and tasks answer what the engine knows of them."""

from typing import Any

import pytest

from tests.api.asking import get, give
from tests.server.world import World

pytestmark = pytest.mark.requirement("http-api")
CHECK = "/workflows/{}/validate-input"


@pytest.mark.parametrize(
    ("given", "valid", "missing", "invalid"),
    [
        ({"name": "Ann"}, True, [], []),
        ({}, False, ["name"], []),
        ({"name": "Ann", "times": "often"}, False, [], ["times"]),
        ({"nme": "Ann"}, False, ["name"], ["nme"]),
    ],
)
async def test_an_input_is_checked_without_a_run(
    port: int, given: Any, valid: bool, missing: list[str], invalid: list[str]
) -> None:
    status, facts = await give(port, "POST", CHECK.format("hello"), {"input": given})
    assert (status, facts["valid"]) == (200, valid)
    assert [each["field"] for each in facts["missingInputs"]] == missing
    assert [each["field"] for each in facts["invalidInputs"]] == invalid
    assert bool(facts["suggestedPrompt"]) is not valid
    for each in facts["missingInputs"]:
        assert each["description"] == "Whom to greet"


async def test_a_workflow_of_another_namespace_is_named_with_it(port: int) -> None:
    for name in ("other/hello", "other%2Fhello"):
        status, facts = await give(port, "POST", CHECK.format(name), {"input": {}})
        assert (status, facts["valid"]) == (200, True)


async def test_a_workflow_that_is_not_there_is_404_with_the_nearest(port: int) -> None:
    status, facts = await give(port, "POST", CHECK.format("helo"), {"input": {}})
    assert (status, facts["code"], facts["suggestions"]) == (404, "unknown_workflow", ["hello"])


async def test_the_body_does_not_say_which_workflow_is_meant(port: int) -> None:
    status, facts = await give(port, "POST", CHECK.format("hello"), {"name": "other/hello"})
    assert (status, facts["valid"]) == (200, False)


async def test_tasks_are_listed_with_who_uses_them(port: int) -> None:
    status, facts = await get(port, "/tasks?category=talk")
    assert status == 200
    assert [each["name"] for each in facts["tasks"]] == ["greet"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("tags=greeting", ["hello"]),
        ("tags=greeting,nothing", ["hello"]),
        ("tags=greeting&tags=nothing", ["hello"]),
        ("tags=greeting,nothing&matchAllTags=true", []),
        ("categories=talk", ["hello"]),
        ("categories=Talk,other", ["hello"]),
        ("tagPattern=greet*", ["hello"]),
        ("excludeTags=greeting", ["breaks", "changes", "long", "other/hello"]),
    ],
)
async def test_workflows_are_found_by_their_labels(port: int, query: str, names: list[str]) -> None:
    status, facts = await get(port, f"/workflows?{query}")
    assert (status, facts["total"]) == (200, len(names))
    assert [each["name"] for each in facts["workflows"]] == names


async def test_a_list_tells_how_runs_went_if_it_is_asked(port: int, world: World) -> None:
    _, facts = await get(port, "/workflows?tags=greeting")
    assert "stats" not in facts["workflows"][0]
    _, facts = await get(port, "/workflows?tags=greeting&includeStats=true")
    assert facts["workflows"][0]["stats"] == {"runs": 0, "completed": 0, "failed": 0}
    assert world.engine is not None
    run = await world.engine.start("hello", {"name": "Ann"})
    await world.ended(run.id)
    _, facts = await get(port, "/workflows?tags=greeting&includeStats=true")
    stats = facts["workflows"][0]["stats"]
    assert (stats["runs"], stats["successRate"], stats["lastRun"]) == (1, 1.0, run.id)
    assert stats["lastStatus"] == "completed"

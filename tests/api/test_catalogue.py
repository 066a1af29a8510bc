"""Routes about workflows and tasks answer what the engine knows of them."""

from typing import Any

import pytest

from tests.api.asking import get, give

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

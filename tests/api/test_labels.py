"""Routes about labels: the same changes as the tool asks for, through the same gate."""

from typing import Any

import pytest

from tests.api.asking import get, give
from tests.server.people import Person
from tests.server.world import World

pytestmark = pytest.mark.requirement("http-api")
ADD = {"addTags": ["nightly"]}


async def _person(world: World) -> Person:
    assert world.engine is not None
    return await Person(world.engine).enrols()


async def test_a_change_waits_for_a_person_and_is_then_there(port: int, world: World) -> None:
    await get(port, "/labels")
    person = await _person(world)
    status, asked = await give(port, "PATCH", "/workflows/hello/labels", ADD)
    assert (status, asked["status"]) == (202, "approval_required")
    assert (await get(port, "/workflows?tags=nightly"))[1]["total"] == 0
    await person.approves(asked["approvalId"])
    assert (await get(port, "/workflows?tags=nightly"))[1]["total"] == 1
    status, again = await give(port, "PATCH", "/workflows/hello/labels", ADD)
    assert (status, again["total"]) == (200, 0)
    _, facts = await get(port, "/labels?pattern=night*")
    assert [(each["label"], each["workflows"]) for each in facts["labels"]] == [("nightly", 1)]
    _, facts = await get(port, "/labels/stats?days=1")
    assert sum(day["added"] for day in facts["days"]) == 1
    assert facts["suggestions"] == []


async def test_many_are_tried_without_a_change(port: int) -> None:
    bulk = {**ADD, "filters": {"tags": ["greeting"]}, "dryRun": True}
    status, facts = await give(port, "POST", "/workflows/labels/bulk", bulk)
    assert (status, facts["status"], facts["total"]) == (200, "dry_run", 1)
    status, facts = await give(
        port, "POST", "/tasks/labels/bulk", {**ADD, "names": ["greet", "wait"], "dryRun": True}
    )
    assert (status, facts["total"]) == (200, 2)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/workflows/nothing/labels", ADD, 404, "unknown_workflow"),
        ("/tasks/nothing/labels", ADD, 404, "unknown_task"),
        ("/workflows/hello/labels", {}, 422, "nothing_to_change"),
        ("/workflows/hello/labels", {"addTags": "x"}, 400, "invalid_arguments"),
        ("/workflows/hello/labels", {"addTags": ["\u202e"]}, 400, "bad_label"),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(
    port: int, path: str, body: Any, status: int, code: str
) -> None:
    found, facts = await give(port, "PATCH", path, body)
    assert (found, facts["code"]) == (status, code)

"""The tools about labels: what they tell, what they refuse, and that a person is asked."""

from typing import Any

import pytest

from tests.server.test_gate import ERAS
from tests.server.test_tools import call
from tests.server.world import World


@pytest.mark.requirement("label-bulk")
@pytest.mark.parametrize("mode", ERAS)
async def test_labels_are_changed_after_a_yes_and_the_change_is_taken_back(
    world: World, mode: Any
) -> None:
    wished = {"names": ["hello", "long"], "add": ["Team-A"]}
    async with world.client(mode) as client, world.decided(client) as person:
        dry = await call(client, "manage_labels", **wished, dryRun=True)
        assert (dry["status"], dry["total"]) == ("dry_run", 2)
        waits = await call(client, "manage_labels", **wished)
        assert waits["status"] == "approval_required"
        await person.approves(waits["approvalId"])
        listed = await call(client, "list_workflows", tags=["team-a"])
        assert [each["name"] for each in listed["workflows"]] == ["hello", "long"]
        done = await call(client, "manage_labels", **wished)
        assert (done["status"], done["total"]) == ("ok", 0)
        told = await call(client, "get_approval", approvalId=waits["approvalId"])
        undone = await call(client, "manage_labels", undo=told["result"]["change"])
        assert undone["status"] == "approval_required"
        both = await call(client, "manage_labels", undo="lab_1", names=["hello"])
        assert both["code"] == "invalid_arguments"


async def test_labels_are_listed_in_pages_with_their_use(world: World) -> None:
    async with world.client() as client:
        first = await call(client, "list_labels", limit=1)
        rest = await call(client, "list_labels", limit=100, cursor=first["nextCursor"])
        assert 1 + len(rest["labels"]) == first["total"] == rest["total"]
        assert "nextCursor" not in rest
        tags = await call(client, "list_labels", type="tag", pattern="GREET*")
        (greeting,) = tags["labels"]
        assert (greeting["label"], greeting["workflows"]) == ("greeting", 1)
        assert greeting["lastUsedAt"]
        foreign = await call(client, "list_labels", type="tag", cursor=first["nextCursor"])
        assert foreign["code"] == "invalid_cursor"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "nothing_to_change"),
        ({"add": ["x"]}, "nothing_to_change"),
        ({"names": ["helo"], "add": ["x"]}, "unknown_workflow"),
        ({"names": ["hello"], "add": ["a\u202eb"]}, "bad_label"),
        ({"names": ["hello"], "add": ["x"], "remove": ["X"]}, "invalid_input"),
        ({"names": ["hello"], "add": ["nope"], "type": "category"}, "unknown_category"),
        ({"filters": {"tag": ["a"]}, "add": ["x"]}, "invalid_arguments"),
        ({"filters": {"tags": []}, "add": ["x"]}, "invalid_filter"),
        ({"names": ["hello"], "filters": {"tags": ["a"]}, "add": ["x"]}, "invalid_filter"),
        ({"names": ["hello"], "add": [str(at) for at in range(21)]}, "too_many_labels"),
        ({"undo": "lab_none"}, "unknown_change"),
    ],
)
async def test_a_change_that_cannot_be_meant_is_refused(
    world: World, arguments: dict[str, Any], code: str
) -> None:
    async with world.client() as client:
        refused = await call(client, "manage_labels", **arguments)
    assert refused["code"] == code
    assert refused["hint"]


@pytest.mark.parametrize("mode", ERAS)
async def test_labels_are_suggested_with_exactly_four_words_about_each(
    world: World, mode: Any
) -> None:
    async with world.client(mode) as client:
        names = [each["name"] for each in (await call(client, "list_workflows"))["workflows"]]
        for name in names:
            told = await call(client, "suggest_labels", name=name)
            assert set(told) - {"isError"} == {"status", "suggestions", "source"}
            assert (told["status"], told["source"]) == ("ok", "neighbours")
            for each in told["suggestions"]:
                assert set(each) == {"label", "type", "confidence", "reason"}
        tasks = (await call(client, "list_tasks"))["tasks"]
        told = await call(client, "suggest_labels", name=tasks[0]["name"], on="task")
        assert told["status"] == "ok"
        unknown = await call(client, "suggest_labels", name="helo")
        assert unknown["code"] == "unknown_workflow"

"""The dialogue of seed 003 stage 15 over the SDK's client, with autoExecute on and off."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from mcp_server.server import build
from mcp_server.settings import ServerSettings
from tests.server.test_gate import ERAS
from tests.server.test_tools import call

SAID = "Get me the profile for user 3"
ORDER = "Place an order of two brass compasses for user 3"


def served(tmp_path: Path, mode: Any = "auto", **settings: Any) -> Client:
    database = str(tmp_path / "handrail.db")
    server = build(ServerSettings(demo=True, database=database, **settings))
    return Client(server, mode=mode, cache=None)


async def search(client: Client, query: str, **arguments: Any) -> tuple[dict[str, Any], Any]:
    """The best match, and what its next step says to call."""
    facts = await call(client, "search_workflows", query=query, **arguments)
    told = facts["nextStep"].partition("call execute_workflow with ")[2]
    told = told or facts["nextStep"].partition("Call execute_workflow with ")[2]
    return facts["bestMatch"], json.JSONDecoder().raw_decode(told)[0]


@pytest.mark.requirement("auto-execute", "seed-dialogue")
@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("encoder", ["", "off"], ids=["what is installed", "words alone"])
async def test_with_auto_execute_the_profile_is_two_calls_away(
    tmp_path: Path, mode: Any, encoder: str
) -> None:
    async with served(tmp_path, mode, auto_execute=True, encoder=encoder) as client:
        best, told = await search(client, SAID, context={"userId": "3"}, autoExecute=True)
        assert best["workflow"] == "demo/user-profile"
        assert best["confidence"] >= 0.8
        assert best["extractedInputs"] == [
            {"name": "userId", "value": "3", "from": "context.userId"}
        ]
        assert best["missingInputs"] == []
        assert best["canAutoExecute"] is True
        assert told == {"workflow": "demo/user-profile", "input": {"userId": "3"}}
        assert (await call(client, "list_runs"))["runs"] == []
        ran = await call(client, "execute_workflow", **told)
    assert ran["status"] == "completed"
    assert ran["output"]["name"] == "Clementine Bauch"
    assert ran["output"]["email"] == "Nathan@yesenia.net"


@pytest.mark.requirement("auto-execute", "seed-dialogue")
@pytest.mark.parametrize(
    ("allowed", "asked", "why"),
    [
        (True, False, "autoExecute was not asked for"),
        (False, True, "HANDRAIL_AUTO_EXECUTE is off"),
        (False, False, "autoExecute was not asked for"),
    ],
)
async def test_without_auto_execute_the_user_is_asked_first(
    tmp_path: Path, allowed: bool, asked: bool, why: str
) -> None:
    async with served(tmp_path, auto_execute=allowed) as client:
        best, told = await search(client, SAID, context={"userId": "3"}, autoExecute=asked)
        assert best["canAutoExecute"] is False
        assert why in best["why"]
        assert best["confidence"] >= 0.8
        assert best["suggestedPrompt"] == 'Shall I run demo/user-profile with userId "3"?'
        ran = await call(client, "execute_workflow", **told)  # the user said yes
    assert ran["output"]["name"] == "Clementine Bauch"


@pytest.mark.requirement("auto-execute")
async def test_without_the_input_it_is_asked_for_and_never_made_up(tmp_path: Path) -> None:
    async with served(tmp_path, auto_execute=True) as client:
        best, told = await search(client, "Get me the profile of a user", autoExecute=True)
        assert best["canAutoExecute"] is False
        assert "userId is missing" in best["why"]
        assert "Number of the user" in best["suggestedPrompt"]
        lacking = await call(client, "execute_workflow", **told)
    assert lacking["status"] == "invalid_input"


@pytest.mark.requirement("auto-execute")
async def test_what_changes_something_waits_for_a_person_however_sure_the_search_was(
    tmp_path: Path,
) -> None:
    items = [{"productId": "p-1", "quantity": 2}]
    async with served(tmp_path, auto_execute=True) as client:
        known = {"userId": "3", "items": items}
        best, told = await search(client, ORDER, context=known, autoExecute=True)
        assert best["workflow"] == "demo/place-order"
        assert best["canAutoExecute"] is False
        assert "a person must accept" in best["why"]
        asked = await call(client, "execute_workflow", **told)
    assert asked["status"] in ("setup_required", "approval_required")


@pytest.mark.requirement("best-match")
async def test_what_no_workflow_does_is_not_bent_to_one(tmp_path: Path) -> None:
    async with served(tmp_path, auto_execute=True) as client:
        for query in ("zzqqxx", "play some jazz in the kitchen"):
            facts = await call(client, "search_workflows", query=query, autoExecute=True)
            assert facts.get("noGoodMatch") or not facts["bestMatch"]["canAutoExecute"], query
        facts = await call(client, "search_workflows", query="zzqqxx")
    assert facts["noGoodMatch"] is True
    assert "bestMatch" not in facts

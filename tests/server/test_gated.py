"""A call that changes something: what each client sees, and that the change is made once."""

from typing import Any

import pytest

from engine import Refused
from engine.core.approval.plan import Requester
from engine.core.approval.state import PENDING_FOR
from engine.shell.clock import TestClock
from tests.server.people import Person
from tests.server.test_gate import ERAS
from tests.server.test_tools import call
from tests.server.world import World

CHANGE: dict[str, Any] = {"workflow": "changes", "input": {"what": "the price"}}


@pytest.mark.requirement("gated-call-says-where")
@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_without_elicitation_is_told_where_to_decide(
    world: World, mode: Any
) -> None:
    async with world.client(mode) as client, world.decided(client) as person:
        waits = await call(client, "execute_workflow", **CHANGE)
        assert (waits["status"], waits["isError"]) == ("approval_required", False)
        assert waits["command"] == f"handrail approve {waits['approvalId']}"
        assert waits["approveUrl"].endswith(waits["approvalId"])
        assert waits["code"] in waits["nextStep"]
        assert "the price" in waits["summary"]
        again = await call(client, "execute_workflow", **CHANGE)
        assert again["approvalId"] == waits["approvalId"]
        run = await call(client, "get_run", runId=waits["executionId"])
        assert run["status"] == "paused:approval"
        assert run["approval"]["approvalId"] == waits["approvalId"]
        assert world.changes == []

        await person.approves(waits["approvalId"])
        done = await call(client, "execute_workflow", **CHANGE)
        assert (done["status"], done["executionId"]) == ("completed", waits["executionId"])
        assert done["output"] == {"change": {"changed": "the price"}}
        for _ in range(2):
            again = await call(client, "execute_workflow", **CHANGE)
            assert (again["status"], again["reused"]) == ("completed", True)
            assert again["executionId"] == waits["executionId"]
            assert "idempotencyKey" in again["nextStep"]
        assert world.changes == ["the price"]


@pytest.mark.parametrize("mode", ERAS)
async def test_an_approval_is_followed_until_it_is_done(world: World, mode: Any) -> None:
    async with world.client(mode) as client, world.decided(client) as person:
        waits = await call(client, "execute_workflow", **CHANGE)
        seen = await call(client, "get_approval", executionId=waits["executionId"])
        assert (seen["status"], seen["approvalId"]) == ("approval_required", waits["approvalId"])
        await person.approves(waits["approvalId"])
        await world.ended(waits["executionId"])
        seen = await call(client, "get_approval", approvalId=waits["approvalId"])
        assert (seen["status"], seen["outcome"]) == ("done", "ok")
        assert seen["decidedBy"] == "ann"
        by_run = await call(client, "get_approval", executionId=waits["executionId"])
        assert by_run == seen
        hello = await call(client, "execute_workflow", workflow="hello", input={"name": "Ann"})
        never = await call(client, "get_approval", executionId=hello["executionId"])
        assert never["code"] == "no_approval"


async def test_a_plan_that_ran_out_is_shown_anew_by_the_next_call(world: World) -> None:
    world.clock = clock = TestClock()
    async with world.client() as client, world.decided(client) as person:
        waits = await call(client, "execute_workflow", **CHANGE)
        clock.time += PENDING_FOR
        gone = await call(client, "get_approval", approvalId=waits["approvalId"])
        assert (gone["status"], gone["isError"]) == ("expired", False)
        fresh = await call(client, "execute_workflow", **CHANGE)
        assert fresh["status"] == "approval_required"
        assert fresh["executionId"] == waits["executionId"]
        assert fresh["approvalId"] != waits["approvalId"]
        with pytest.raises(Refused):
            await person.approves(waits["approvalId"])
        assert world.changes == []
        await person.approves(fresh["approvalId"])
        await world.ended(waits["executionId"])
        assert world.changes == ["the price"]


async def test_what_is_denied_is_not_done_and_says_so(world: World) -> None:
    async with world.client() as client, world.decided(client) as person:
        waits = await call(client, "execute_workflow", **CHANGE)
        await person.denies(waits["approvalId"], "not this week")
        told = await call(client, "get_approval", approvalId=waits["approvalId"])
        assert (told["status"], told["isError"], told["comment"]) == (
            "denied", False, "not this week",
        )  # fmt: skip
        again = await call(client, "execute_workflow", **CHANGE)
        assert (again["status"], again["isError"]) == ("failed:denied", True)
        assert world.changes == []


@pytest.mark.parametrize("mode", ERAS)
async def test_a_version_that_nobody_has_accepted_is_decided_about_first(
    world: World, mode: Any
) -> None:
    async with world.client(mode) as client:
        person = await world.person(client)
        waits = await call(client, "execute_workflow", **CHANGE)
        assert (waits["status"], waits["isError"]) == ("approval_required", False)
        assert waits["command"] == f"handrail approve {waits['approvalId']}"
        assert waits["approveUrl"].endswith(waits["approvalId"])
        assert waits["approveUrl"] in waits["nextStep"]
        assert waits["code"] in waits["nextStep"]
        assert "changes" in waits["summary"]
        again = await call(client, "execute_workflow", **CHANGE)
        assert again["approvalId"] == waits["approvalId"]
        assert world.changes == []

        await person.approves(waits["approvalId"])
        done = await call(client, "execute_workflow", **CHANGE)
        assert done["executionId"]
        told = await call(client, "get_approval", approvalId=waits["approvalId"])
        assert (told["status"], told["outcome"]) == ("done", "ok")
        assert told["decidedBy"] == "ann"


async def test_a_denied_version_is_not_asked_about_again_soon(world: World) -> None:
    async with world.client() as client:
        person = await world.person(client)
        waits = await call(client, "execute_workflow", **CHANGE)
        await person.denies(waits["approvalId"], "not this week")
        told = await call(client, "get_approval", approvalId=waits["approvalId"])
        assert (told["status"], told["isError"], told["comment"]) == (
            "denied", False, "not this week",
        )  # fmt: skip
        again = await call(client, "execute_workflow", **CHANGE)
        assert (again["code"], again["isError"]) == ("recently_denied", True)
        assert world.changes == []


@pytest.mark.parametrize("mode", ERAS)
async def test_before_an_approver_is_set_up_a_gated_call_names_the_one_command(
    world: World, mode: Any
) -> None:
    async with world.client(mode) as client:
        waits = await call(client, "execute_workflow", **CHANGE)
        assert (waits["status"], waits["isError"]) == ("setup_required", False)
        assert waits["command"] == "handrail approver init"
        assert "handrail approver init" in waits["nextStep"]
        hello = await call(client, "execute_workflow", workflow="hello", input={"name": "Ann"})
        assert hello["status"] == "completed"
        assert world.engine is not None
        await Person(world.engine).enrols()
        again = await call(client, "execute_workflow", **CHANGE)
        assert (again["status"], again["approvalId"]) == ("approval_required", waits["approvalId"])


async def test_a_run_of_somebody_else_is_cancelled_only_when_a_person_agrees(world: World) -> None:
    async with world.client() as client, world.decided(client) as person:
        assert world.engine is not None
        bob = Requester("http", "https://login.example", "bob")
        run = await world.engine.start("long", {}, requester=bob)
        waits = await call(client, "cancel_run", runId=run.id)
        assert (waits["status"], waits["kind"]) == ("approval_required", "run.cancel")
        assert (await world.engine.run(run.id)).status != "cancelled"
        await person.approves(waits["approvalId"])
        told = await call(client, "get_approval", approvalId=waits["approvalId"])
        assert (told["status"], told["outcome"]) == ("done", "ok")
        await world.ended(run.id)
        assert (await world.engine.run(run.id)).status == "cancelled"


@pytest.mark.requirement("resolved-by-a-person")
@pytest.mark.parametrize("mode", ERAS)
async def test_what_became_of_a_lost_change_is_said_once_and_confirmed_by_a_person(
    world: World, mode: Any
) -> None:
    world.cut = True
    async with world.client(mode) as client, world.decided(client) as person:
        waits = await call(client, "execute_workflow", **CHANGE)
        await person.approves(waits["approvalId"])
        lost = await call(client, "execute_workflow", **CHANGE)
        assert lost["status"] == "paused:reconciliation"
        (step,) = lost["tasks"]
        assert (step["status"], step["outcome"]["sends"]) == ("indeterminate", 1)

        said = {"runId": lost["executionId"], "step": "change", "verdict": "happened"}
        asks = await call(client, "resolve_mutation", **said, result={"changed": "the price"})
        assert (asks["status"], asks["kind"]) == ("approval_required", "mutation.resolve")
        await person.approves(asks["approvalId"])
        for _ in range(2):
            done = await call(client, "resolve_mutation", **said, result={"changed": "the price"})
            assert done["status"] == "completed"
        run = await call(client, "get_run", runId=lost["executionId"])
        assert run["output"] == {"change": {"changed": "the price"}}
        wrong = await call(client, "resolve_mutation", **{**said, "verdict": "did_not_happen"})
        assert wrong["code"] == "not_unresolved"
        assert world.changes == ["the price"]


@pytest.mark.requirement("identity-from-transport")
@pytest.mark.parametrize("name", ["requester", "principal", "approver", "confirm", "approvalId"])
async def test_who_calls_is_no_argument(world: World, name: str) -> None:
    async with world.client() as client:
        refused = await call(client, "execute_workflow", **CHANGE, **{name: "ann"})
        assert refused["code"] == "invalid_arguments"


async def test_get_approval_takes_exactly_one_of_its_arguments(world: World) -> None:
    async with world.client() as client:
        for given in ({}, {"approvalId": "apr_1", "executionId": "x"}):
            refused = await call(client, "get_approval", **given)
            assert refused["code"] == "invalid_arguments"
        refused = await call(client, "get_approval", approvalId="apr_1")
        assert refused["code"] == "unknown_approval"

"""Attack 8 (and 4 again): a client that answers for the person, in both eras of the protocol."""

from collections.abc import Callable
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import ElicitResult, ErrorData

from tests.attacks.world import World, allowed, said
from tests.server.test_gate import ERAS

pytestmark = pytest.mark.requirement("attacks")

TAG: dict[str, Any] = {"workflow": "tag", "input": {"id": "1", "tag": "t"}, "waitSeconds": 5}
PAY: dict[str, Any] = {"workflow": "pay", "input": {"to": "ann", "amount": 5}, "waitSeconds": 5}
Answer = Callable[[Any], Any]


def _accept(**content: Any) -> Answer:
    return lambda _: ElicitResult(action="accept", content=content)


def _fails(_: Any) -> Any:
    raise RuntimeError("this client cannot ask after all")


def _typed(params: Any) -> ElicitResult:
    """What a person does, or a client that reads the form for them."""
    code = params.message.rpartition(" ")[2]
    return ElicitResult(action="accept", content={"decision": "approve", "code": code})


LIES: dict[str, Answer] = {
    "empty accept": lambda _: ElicitResult(action="accept"),
    "accept without fields": _accept(),
    "approve without a code": _accept(decision="approve"),
    "empty code": _accept(decision="approve", code=""),
    "made-up code": _accept(decision="approve", code="00000000"),
    "wrong type": _accept(decision=True, code=7),
    "a list": _accept(decision=["approve"], code="00000000"),
    "another word": _accept(decision="yes", code="00000000"),
    "fields nobody asked for": lambda params: ElicitResult(
        action="accept", content={**(_typed(params).content or {}), "approved": True}
    ),
    "cancel": lambda _: ElicitResult(action="cancel"),
    "decline": lambda _: ElicitResult(action="decline"),
    "error": lambda _: ErrorData(code=-32000, message="approved"),
    "a capability that is not there": _fails,
}


class Asked:
    """A client that answers every question alike."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.questions = answer, list[Any]()

    async def __call__(self, _: Any, params: Any) -> Any:
        self.questions.append(params)
        return self.answer(params)


async def _called(client: Client, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = await client.call_tool("execute_workflow", arguments, read_timeout_seconds=8)
        return said(answer)
    except (MCPError, ExceptionGroup):
        return {"status": "error"}


@pytest.mark.parametrize("era", ERAS)
async def test_8_no_answer_but_the_typed_code_lets_anything_through(world: World, era: Any) -> None:
    asked = Asked(_typed)
    async with world.client(era, elicitation_callback=asked) as client:
        for number, (name, asked.answer) in enumerate(LIES.items()):
            asked.questions.clear()
            given = {**TAG, "input": {"id": f"lie-{number}", "tag": "t"}}
            told = await _called(client, given)
            assert told["status"] in {"approval_required", "denied", "error", "refused"}, name
            assert len(asked.questions) <= 1
            for view in (await world.engine.approvals.list()).rows:
                await world.denies(view)
        await world.quiet()
    assert world.happened == []


@pytest.mark.parametrize("era", ERAS)
async def test_8_a_client_without_forms_is_told_and_nothing_happens(world: World, era: Any) -> None:
    async with world.client(era) as client:
        for arguments in (TAG, PAY):
            assert (await _called(client, arguments))["status"] == "approval_required"
    await world.quiet()
    assert world.happened == []


@pytest.mark.parametrize("era", ERAS)
async def test_8_a_client_that_types_the_code_itself_is_not_asked_about_what_matters(
    world: World, era: Any
) -> None:
    asked = Asked(_typed)
    async with world.client(era, elicitation_callback=asked) as client:
        told = await _called(client, PAY)
        assert told["status"] in {"approval_required", "error"}
        assert all(question.mode == "url" for question in asked.questions)
    await world.quiet()
    assert world.happened == []


@pytest.mark.parametrize("era", ERAS)
async def test_8_a_form_that_counts_is_recorded_as_no_more_than_it_is_and_counts_once(
    world: World, era: Any
) -> None:
    asked = Asked(_typed)
    async with world.client(era, elicitation_callback=asked) as client:
        done = await _called(client, TAG)
        assert done["status"] == "completed"
        for _ in range(3):
            assert (await _called(client, TAG))["executionId"] == done["executionId"]
    assert len(asked.questions) == 1
    assert set(asked.questions[0].requested_schema["required"]) == {"decision", "code"}
    assert "default" not in str(asked.questions[0].requested_schema)
    (row,) = [
        one
        for one in (await world.engine.approvals.list(open_only=False, limit=50)).rows
        if one.run == done["executionId"]
    ]
    assert world.happened == allowed(row.plan)
    assert row.channel != "terminal"
    assert row.decided_by != "Ann"

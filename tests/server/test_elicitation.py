"""A person is asked through the client: both eras, every answer, and every way to cheat."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp_types import (
    CallToolResult,
    CreateMessageResult,
    ElicitResult,
    ErrorData,
    InputRequiredResult,
    TextContent,
)

from mcp_server import deciding
from tests.server.people import SMALL, Person
from tests.server.test_gate import ERAS
from tests.server.test_tools import call
from tests.server.world import World

CHANGE: dict[str, Any] = {"workflow": "changes", "input": {"what": "the price"}}
SECONDS = 10

Answer = Callable[[Any], Any]


def approve(params: Any) -> ElicitResult:
    """What a person does who reads the form: they type the code that ends it."""
    code = params.message.rpartition(" ")[2]
    return ElicitResult(action="accept", content={"decision": "approve", "code": code})


def content(**given: Any) -> Answer:
    return lambda _: ElicitResult(action="accept", content=given)


class Asked:
    """A client's user: answers each question in the same way and keeps them."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.questions = answer, list[Any]()

    async def __call__(self, context: Any, params: Any) -> Any:
        self.questions.append(params)
        found = self.answer(params)
        return await found if hasattr(found, "__await__") else found


@asynccontextmanager
async def asking(world: World, mode: Any, asked: Asked) -> AsyncGenerator[Client]:
    """A client that declares elicitation, on a world where the version is accepted already."""
    async with (
        Client(world.server(), mode=mode, cache=None, elicitation_callback=asked) as client,
        world.decided(client),
    ):
        yield client


@pytest.mark.requirement("elicitation-both-eras")
@pytest.mark.parametrize("mode", ERAS)
async def test_a_form_is_asked_once_and_the_change_is_made_once(world: World, mode: Any) -> None:
    world.allow(SMALL)
    asked = Asked(approve)
    async with asking(world, mode, asked) as client:
        done = await call(client, "execute_workflow", **CHANGE)
        assert (done["status"], done["isError"]) == ("completed", False)
        (form,) = asked.questions
        assert form.requested_schema["required"] == ["decision", "code"]
        assert "the price" in form.message
        again = await call(client, "execute_workflow", **CHANGE)
        assert again["executionId"] == done["executionId"]
        assert len(asked.questions) == 1
        assert world.changes == ["the price"]


@pytest.mark.requirement("a-form-proves-little")
@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda _: ElicitResult(action="cancel"), "approval_required"),
        (lambda _: ElicitResult(action="decline"), "denied"),
        (lambda _: ElicitResult(action="accept"), "approval_required"),
        (content(), "approval_required"),
        (content(decision="approve"), "approval_required"),
        (content(decision="approve", code="00000000"), "approval_required"),
        (content(decision="approve", code=True), "approval_required"),
        (content(decision=["approve"], code="00000000"), "approval_required"),
        (content(decision="reject", code="00000000"), "denied"),
    ],
)
async def test_no_other_answer_to_a_form_lets_anything_through(
    world: World, mode: Any, answer: Answer, status: str
) -> None:
    world.allow(SMALL)
    asked = Asked(answer)
    async with asking(world, mode, asked) as client:
        waits = await call(client, "execute_workflow", **CHANGE)
        assert (waits["status"], waits["isError"]) == (status, status == "denied")
        assert len(asked.questions) == 1
        told = await call(client, "get_approval", approvalId=waits["approvalId"])
        assert told["status"] == status
        assert world.changes == []


async def test_an_older_client_that_only_claims_to_have_forms_gets_the_other_answer(
    world: World,
) -> None:
    world.allow(SMALL)
    asked = Asked(lambda _: ErrorData(code=-32601, message="no such method"))
    async with asking(world, "legacy", asked) as client:
        waits = await call(client, "execute_workflow", **CHANGE)
        assert waits["status"] == "approval_required"
        assert world.changes == []


@pytest.mark.parametrize("mode", ERAS)
async def test_where_a_form_is_not_enough_the_page_is_opened_and_waited_for(
    world: World, mode: Any
) -> None:
    async def decide(params: Any) -> ElicitResult:
        assert world.engine is not None
        (waiting,) = (await world.engine.approvals.list()).rows
        assert params.url.endswith(waiting.id)
        assert "price" not in params.message
        await Person(world.engine).approves(waiting.id)
        return ElicitResult(action="accept")

    asked = Asked(decide)
    async with asking(world, mode, asked) as client:
        done = await call(client, "execute_workflow", **CHANGE)
        assert done["status"] == "completed"
        assert [each.mode for each in asked.questions] == ["url"]
        assert world.changes == ["the price"]


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
async def test_a_link_that_was_opened_decides_nothing(
    world: World, mode: Any, action: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "MOST_SECONDS", 0.1)
    asked = Asked(
        lambda _: ElicitResult(action=action, content={"decision": "approve", "code": "x"})
    )
    async with asking(world, mode, asked) as client:
        waits = await call(client, "execute_workflow", **CHANGE)
        assert waits["status"] == "approval_required"
        assert [each.mode for each in asked.questions] == ["url"]
        assert world.changes == []


async def ask(client: Client, **more: Any) -> Any:
    """One round of a call of 2026-07-28, as it is on the wire."""
    with anyio.fail_after(SECONDS):
        return await client.session.call_tool(
            "execute_workflow",
            {**CHANGE, **more.pop("given", {})},
            allow_input_required=True,
            **more,
        )


async def question(client: Client) -> tuple[str, dict[str, Any]]:
    """The state of a question, and the answer that approves."""
    asked = await ask(client)
    assert isinstance(asked, InputRequiredResult)
    assert asked.input_requests is not None
    assert asked.request_state is not None
    ((name, request),) = asked.input_requests.items()
    return asked.request_state, {name: approve(request.params)}


async def never(context: Any, params: Any) -> ElicitResult:
    raise AssertionError("the tests answer by hand")


@asynccontextmanager
async def by_hand(world: World) -> AsyncGenerator[Client]:
    world.allow(SMALL)
    async with (
        Client(world.server(), cache=None, elicitation_callback=never) as client,
        world.decided(client),
    ):
        yield client


@pytest.mark.requirement("elicitation-replay")
async def test_an_answer_that_comes_again_finds_what_happened_and_does_nothing(
    world: World,
) -> None:
    async with by_hand(world) as client:
        state, answers = await question(client)
        runs = set()
        for _ in range(4):
            done = await ask(client, request_state=state, input_responses=answers)
            assert isinstance(done, CallToolResult)
            assert done.structured_content is not None
            assert done.structured_content["status"] == "completed"
            runs.add(done.structured_content["executionId"])
        assert len(runs) == 1
        assert world.changes == ["the price"]


@pytest.mark.requirement("elicitation-replay")
async def test_a_question_of_one_process_may_be_answered_to_another(world: World) -> None:
    async with by_hand(world) as client:
        state, answers = await question(client)
        async with Client(world.server(), cache=None, elicitation_callback=never) as second:
            for asker in (second, client, second):
                done = await ask(asker, request_state=state, input_responses=answers)
                assert isinstance(done, CallToolResult)
                assert done.structured_content is not None
                assert done.structured_content["status"] == "completed"
        assert world.changes == ["the price"]


@pytest.mark.parametrize("more", [{"input": {"what": "everything"}}, {"version": "1.0.0"}])
async def test_a_state_is_worth_nothing_under_other_arguments(world: World, more: Any) -> None:
    async with by_hand(world) as client:
        state, answers = await question(client)
        for wrong in (
            {"given": more, "request_state": state},
            {"request_state": state[:-2] + "AA"},
            {"request_state": next(iter(answers))},
        ):
            with pytest.raises(MCPError):
                await ask(client, input_responses=answers, **wrong)
        assert world.changes == []


async def test_an_answer_without_a_question_or_of_another_kind_only_asks(world: World) -> None:
    async with by_hand(world) as client:
        state, answers = await question(client)
        assert isinstance(await ask(client, input_responses=answers), InputRequiredResult)
        other = {"apr_other": next(iter(answers.values()))}
        asked = await ask(client, request_state=state, input_responses=other)
        assert isinstance(asked, InputRequiredResult)
        spoken = TextContent(type="text", text="approve")
        message = CreateMessageResult(role="user", content=spoken, model="m")
        sampled = dict.fromkeys(answers, message)
        waits = await ask(client, request_state=state, input_responses=sampled)
        assert isinstance(waits, CallToolResult)
        assert waits.structured_content is not None
        assert waits.structured_content["status"] == "approval_required"
        assert world.changes == []


async def test_an_answer_of_a_client_that_cannot_ask_counts_for_nothing(world: World) -> None:
    async with by_hand(world) as client:
        state, answers = await question(client)
        async with world.client() as mute:
            waits = await ask(mute, request_state=state, input_responses=answers)
        assert isinstance(waits, CallToolResult)
        assert waits.structured_content is not None
        assert waits.structured_content["status"] == "approval_required"
        assert world.changes == []

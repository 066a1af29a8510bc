"""The tool that runs a workflow: plan it, start it, wait a little, say how it stands.

The run is durable before anything is answered, and belongs to the engine: a client that stops
waiting, or goes away, changes nothing about it.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from engine import Refused
from mcp_server import prose, wire
from mcp_server.calls import Call, Hints, Progress, Tool, argument, tool
from mcp_server.foreign import INLINE, message
from mcp_server.shapes import APPROVAL, DRY_RUN, INVALID_INPUT, RUN
from mcp_server.tools.approvals import raise_if_gated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.app.engine import Engine
    from engine.core.views import DryRun, InputField, InvalidInput, RunView

MOST_SECONDS = 25
"""Hosts give up on a call after 30 to 60 seconds; the answer must come well before."""
WAITING = frozenset(
    {
        "pending", "active", "paused:retry", "paused:timer", "paused:signal", "paused:approval",
        "paused:reconciliation",
    }
)  # fmt: skip
"""A run in one of these may still go on by itself or after a decision."""
ON_ITS_WAY = frozenset({"pending", "active", "paused:retry", "paused:timer", "paused:signal"})
_AGAIN = (
    "This is the run that the same call started before: it was not run again. To run it once"
    " more, give a new idempotencyKey."
)
AGAIN_AFTER = 600_000_000
"""Microseconds after the end of a run in which the same call still means it, if it changes
something outside: what an assistant repeats while it waits for a person is no new wish."""
_LEFT_OUT = ("createdAt", "startedAt", "endedAt")


@tool(
    title="Run a workflow",
    hints=Hints(read_only=False, destructive=True, idempotent=False, open_world=True),
    takes={
        "workflow": argument("string", "", minLength=1, maxLength=300),
        "input": argument("object", "What the workflow asks for.", default={}),
        "version": argument("string", "", default="", maxLength=64),
        "dryRun": argument("boolean", "Only say what would happen.", default=False),
        "waitSeconds": argument("integer", "", minimum=0, maximum=MOST_SECONDS, default=20),
        "idempotencyKey": argument(
            "string",
            "Any text: the same key with the same input gives the same run.",
            default="",
            maxLength=200,
        ),
    },
    needs=("workflow",),
    gives=(RUN, INVALID_INPUT, DRY_RUN, APPROVAL),
)
async def execute_workflow(engine: "Engine", call: Call) -> wire.Answer:
    """Use this to run a workflow and get its result. If input is missing it answers what to ask
    the user; if it changes something outside, approval_required and what to tell the user. A run
    that takes longer than waitSeconds goes on by itself: follow it with get_run.
    Example: {"workflow": "user-profile", "input": {"userId": "3"}}.
    """
    given = call.arguments
    name, version = given["workflow"], given["version"]
    if given["dryRun"]:
        return planned(await engine.dry_run(name, given["input"], version))
    try:
        view = await engine.start(
            name, given["input"], version=version, key=given["idempotencyKey"],
            actor=call.actor, requester=call.requester, again_after=AGAIN_AFTER,
        )  # fmt: skip
    except Refused as refused:
        return not_complete(name, refused)
    if view.status in ON_ITS_WAY and given["waitSeconds"]:
        view = replace(
            await follow(engine, view.id, given["waitSeconds"], call.progress), reused=view.reused
        )
    await raise_if_gated(engine, view, call)
    return ended(view, once=bool(given["idempotencyKey"]))


def ended(view: "RunView", *, once: bool = True) -> wire.Answer:
    """How a run stands after the wait; `once` says that its caller named it by a key."""
    facts = wire.run(view)
    for name in _LEFT_OUT:
        facts.pop(name, None)
    if view.status in ON_ITS_WAY:
        facts["nextStep"] = f"Call get_run with runId {view.id} to see how it goes on."
    if view.reused and not once:
        facts["nextStep"] = " ".join(filter(None, (facts.get("nextStep"), _AGAIN)))
    wrong = view.status != "completed" and view.status not in WAITING
    more = (facts["outputOmitted"]["resource"],) if "outputOmitted" in facts else ()
    return wire.Answer(facts, prose.run(facts), wrong, more)


async def follow(
    engine: "Engine", run_id: str, seconds: float, progress: Progress | None
) -> "RunView":
    """Wait for a run, telling the client about each step that ends, if it wants to know."""
    if progress is None:
        return await engine.wait(run_id, seconds)
    async with anyio.create_task_group() as group:
        group.start_soon(_tell, engine, run_id, progress)
        view = await engine.wait(run_id, seconds)
        group.cancel_scope.cancel()
    return view


async def _tell(engine: "Engine", run_id: str, progress: Progress) -> None:
    changed = anyio.Event()

    def notice(changed_run: str) -> None:
        if changed_run == run_id:
            changed.set()

    unsubscribe = engine.subscribe(notice)
    try:
        told = -1
        while True:
            view = await engine.run(run_id)
            over = [
                step.path for step in view.steps if step.status in ("done", "skipped", "failed")
            ]
            if len(over) > told:
                told = len(over)
                await progress(told, len(view.steps), f"{told} of {len(view.steps)} steps")
            await changed.wait()
            changed = anyio.Event()
    finally:
        unsubscribe()


def not_complete(name: str, refused: Refused) -> wire.Answer:
    """The input is missing or wrong: what to ask the user. Raises any other refusal again."""
    missing = refused.details.get("missing") or ()
    invalid = refused.details.get("invalid") or ()
    if refused.code != "invalid_input" or not (missing or invalid):
        raise refused
    facts = {
        "status": "invalid_input",
        "workflow": name,
        **asked(name, missing, invalid),
        "whoseMove": refused.move.value,
        "nextStep": "Ask the user for what is missing, then call execute_workflow again.",
    }
    return wire.Answer(facts, prose.invalid_input(facts), wrong=True)


def asked(
    name: str, missing: "Iterable[InputField]", invalid: "Iterable[InvalidInput]"
) -> wire.Json:
    """What is missing, what is wrong, and a sentence that asks for it."""
    from engine.core.discovery.prompts import still_needed

    missing, invalid = tuple(missing), tuple(invalid)
    return {
        "missingInputs": wire.fields(missing),
        "invalidInputs": [wire.invalid(each) for each in invalid],
        "suggestedPrompt": message(still_needed(name, missing, invalid)),
    }


def planned(view: "DryRun") -> wire.Answer:
    """What a run would do."""
    name = wire.called(view.workflow.namespace, view.workflow.name)
    facts: wire.Json = {
        "status": "dry_run",
        "workflow": name,
        "version": view.workflow.version,
        "plan": wire.plan(view),
        "nextStep": "Call execute_workflow without dryRun to run it.",
    }
    if not view.valid:
        facts |= asked(name, view.missing, view.invalid)
        facts["nextStep"] = "Ask the user for what is missing, then plan or run it."
    if view.workflow.pending:
        facts |= {"pending": True, "nextStep": "A person must accept this version before it runs."}
    if view.output is not None and wire.size(view.output) <= INLINE:
        facts["output"] = view.output
    return wire.Answer(facts, prose.dry_run(facts))


TOOLS: tuple[Tool, ...] = (execute_workflow,)

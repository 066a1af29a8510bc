"""Tools about what a person decides: follow an approval, say what became of a lost change.

No tool approves anything, and none could: these read, or ask.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from engine import Refused
from mcp_server import prose, wire
from mcp_server.calls import READS, Call, Hints, Link, Tool, argument, tool
from mcp_server.shapes import ANY, APPROVAL, RUN_BRIEF, described

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.core.approval.views import ApprovalView
    from engine.core.views import RunView

NO_GOOD = frozenset({"denied", "expired", "cancelled", "superseded", "void", "revoked"})
"""States in which what was asked for is not done and will not be."""
RESOLVED_SECONDS = 10
"""How long a run is followed after somebody has said what became of its change."""
_VERDICTS = ["happened", "did_not_happen", "skip"]


@tool(
    title="Get an approval",
    hints=READS,
    takes={
        "approvalId": argument("string", "From an approval_required answer.", maxLength=64),
        "executionId": argument("string", "Or the run that waits.", maxLength=64),
    },
    fresh=False,
    gives=(APPROVAL,),
)
async def get_approval(engine: "Engine", call: Call) -> wire.Answer:
    """Use this after approval_required to see whether the user has decided: what is asked, a live
    link to tell the user, what came of it. It approves nothing; only a person can.
    """
    given = call.arguments
    approval_id, run_id = given.get("approvalId", ""), given.get("executionId", "")
    if bool(approval_id) == bool(run_id):
        hint = "Give approvalId, or executionId of a run that waits for a person."
        raise Refused("invalid_arguments", "get_approval takes one of its two arguments", hint)
    if not approval_id:
        approval_id = (await engine.run(run_id)).approval
    if not approval_id:
        hint = f"get_run with runId {run_id} says how it stands."
        raise Refused("no_approval", f"run {run_id} waits for no approval", hint)
    answer = await shown(await engine.approvals.get(approval_id), call.link)
    return replace(answer, wrong=False)  # it was asked for, and here it is


@tool(
    title="Say what became of a change",
    hints=Hints(read_only=False, destructive=True, idempotent=True, open_world=False),
    takes={
        "runId": argument("string", "executionId of the run.", minLength=1, maxLength=64),
        "step": argument("string", "Id of its step.", minLength=1, maxLength=400),
        "verdict": argument("string", "skip: go on without it.", enum=_VERDICTS),
        "result": described(ANY, "What the step gave, if it happened."),
    },
    needs=("runId", "step", "verdict"),
    fresh=False,
    gives=(RUN_BRIEF, APPROVAL),
)
async def resolve_mutation(engine: "Engine", call: Call) -> wire.Answer:
    """Use this when a run is in paused:reconciliation because nobody knows whether a step's change
    happened. Look there or ask the user; never guess. A person confirms it.
    """
    given = call.arguments
    await engine.approvals.resolve(
        given["runId"], given["step"], given["verdict"], given.get("result"),
        requester=call.requester,
    )  # fmt: skip
    view = await engine.wait(given["runId"], RESOLVED_SECONDS)
    facts = wire.run_brief(view)
    if view.whose_move.value in {"engine", "clock"}:
        facts["nextStep"] = f"Call get_run with runId {view.id} to see how it goes on."
    return wire.Answer(facts, prose.run(facts))


async def raise_if_gated(engine: "Engine", run: "RunView", call: Call) -> None:
    """Raise Gated when a run waits for a person; one whose plan is void is shown a fresh one."""
    from engine.core.approval.gated import Gated

    if run.status != "paused:approval" or not run.approval:
        return
    view = await engine.approvals.get(run.approval)
    if view.state in NO_GOOD - {"denied"}:
        view = await engine.approvals.replan(view.id, requester=call.requester)
    raise Gated(view)


async def shown(view: "ApprovalView", link: Link, note: str = "") -> wire.Answer:
    """How an approval stands, for a call that needs it; `note` is what went wrong just before."""
    facts = wire.approval(view, await link(view.id) if view.state == "pending" else "", note)
    return wire.Answer(facts, prose.approval(facts), wrong=view.state in NO_GOOD)


TOOLS: tuple[Tool, ...] = (get_approval, resolve_mutation)

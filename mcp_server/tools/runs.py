"""Tools about runs that exist: follow one, list many, stop one, try one again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from engine import Refused
from mcp_server import prose, wire
from mcp_server.calls import READS, Call, Hints, Tool, argument, tool
from mcp_server.shapes import APPROVAL, GROUP, RUN, RUN_BRIEF, RUN_ROW, TEXT, listing, outcome
from mcp_server.tools.approvals import raise_if_gated
from mcp_server.tools.discover import limit
from mcp_server.tools.execute import ON_ITS_WAY, ended, follow

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.core.views import RunFilter, RunView

_ID = argument("string", "executionId of the run.", minLength=1, maxLength=64)
RETRIED_SECONDS = 20
"""How long a retry is followed before it is answered."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOVES = ["engine", "clock", "person", "outside", "none"]


@tool(
    title="Get a run",
    hints=READS,
    takes={
        "runId": _ID,
        "detail": argument(
            "string",
            "full adds the input, every step's output and every attempt.",
            enum=["concise", "full"],
            default="concise",
        ),
    },
    needs=("runId",),
    fresh=False,
    gives=(RUN,),
)
async def get_run(engine: "Engine", call: Call) -> wire.Answer:
    """Use this to follow a run or to find out why it failed: status, result, steps with attempts
    and errors, whose move it is and what to do next.
    """
    view = await engine.run(call.arguments["runId"])
    facts = wire.run(view, full=call.arguments["detail"] == "full")
    if view.status == "paused:approval" and view.approval:
        approval = await engine.approvals.get(view.approval)
        facts |= wire.waiting_for(approval, await call.link(approval.id))
    more = (facts["outputOmitted"]["resource"],) if "outputOmitted" in facts else ()
    return wire.Answer(facts, prose.run(facts), more=more)


@tool(
    title="List runs",
    hints=READS,
    takes={
        "workflow": argument("string", "", default="", maxLength=300),
        "version": argument("string", "", default="", maxLength=64),
        "status": argument(
            "string",
            "completed, active, cancelled; failed and paused stand for all such as failed:logic.",
            default="",
            maxLength=64,
        ),
        "kind": argument("string", "", default="", maxLength=64),
        "whoseMove": argument("string", "person: what needs somebody.", enum=_MOVES),
        "since": argument("string", "RFC 3339 time.", default="", maxLength=40),
        "until": argument("string", "", default="", maxLength=40),
        "groupFailures": argument("boolean", "Count failures instead.", default=False),
        "limit": limit(20, 100),
        "cursor": argument("string", "", default="", maxLength=1000),
    },
    fresh=False,
    gives=(outcome("ok", {}, runs=listing(RUN_ROW), groups=listing(GROUP), nextCursor=TEXT),),
)
async def list_runs(engine: "Engine", call: Call) -> wire.Answer:
    """Use this to find runs, newest first, or to see what needs somebody: {"whoseMove":
    "person"}. groupFailures shows what fails most.
    """
    given = call.arguments
    wanted = _filter(call)
    if given["groupFailures"]:
        groups = await engine.failures(wanted, given["limit"])
        facts: wire.Json = {"status": "ok", "groups": [wire.group(each) for each in groups]}
        return wire.Answer(facts, prose.runs(facts))
    page = await engine.runs(wanted, given["limit"], given["cursor"])
    facts = {"status": "ok", "runs": [wire.run_row(row) for row in page.rows]}
    facts |= {"nextCursor": page.cursor} if page.cursor else {}
    return wire.Answer(facts, prose.runs(facts))


def _filter(call: Call) -> "RunFilter":
    from engine.core.views import RunFilter

    given = call.arguments
    return RunFilter(
        workflow=given["workflow"],
        version=given["version"],
        status=given["status"],
        kind=given["kind"],
        whose_move=given.get("whoseMove", ""),
        since=_micros("since", given["since"]),
        until=_micros("until", given["until"]),
    )


def _micros(name: str, text: str) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _no_time(name, text) from None
    if moment.tzinfo is None:
        raise _no_time(name, text)
    return (moment - _EPOCH) // _MICROSECOND


def _no_time(name: str, text: str) -> Refused:
    hint = "Write a time with its zone, such as 2026-01-31T09:30:00Z."
    return Refused("invalid_time", f"{name} is no time: {text!r}", hint)


@tool(
    title="Cancel a run",
    hints=Hints(read_only=False, destructive=True, idempotent=True, open_world=False),
    takes={
        "runId": _ID,
        "reason": argument("string", "Kept with the run.", default="", maxLength=500),
    },
    needs=("runId",),
    fresh=False,
    gives=(RUN_BRIEF, APPROVAL),
)
async def cancel_run(engine: "Engine", call: Call) -> wire.Answer:
    """Use this when the user wants a run stopped. What it has done stays done; nothing further is
    started.
    """
    given = call.arguments
    view = await engine.cancel(
        given["runId"], actor=call.actor, requester=call.requester, reason=given["reason"]
    )
    facts = wire.run_brief(view)
    return wire.Answer(facts, prose.run(facts))


@tool(
    title="Retry a run",
    hints=Hints(read_only=False, destructive=True, idempotent=False, open_world=True),
    takes={
        "runId": _ID,
        "version": argument("string", "Another version, with a fix.", default="", maxLength=64),
    },
    needs=("runId",),
    fresh=False,
    gives=(RUN, APPROVAL),
)
async def retry_run(engine: "Engine", call: Call) -> wire.Answer:
    """Use this after the cause of a failure is gone: starts a new run in place of a failed one and
    keeps the steps that are done. If it goes on after a while, follow it with get_run.
    """
    given = call.arguments
    try:
        view = await engine.retry(
            given["runId"], actor=call.actor, requester=call.requester, version=given["version"]
        )
    except Refused as refused:
        view = await _retried_before(engine, given["runId"], refused)
    if view.status in ON_ITS_WAY:
        view = await follow(engine, view.id, RETRIED_SECONDS, call.progress)
    await raise_if_gated(engine, view, call)
    return ended(view)


async def _retried_before(engine: "Engine", run_id: str, refused: Refused) -> "RunView":
    """The run that an earlier call of the same put in the place of this one; or the refusal."""
    if refused.code != "already_retried":
        raise refused
    return replace(await engine.run(refused.details["runId"]), reused=True)


TOOLS: tuple[Tool, ...] = (get_run, list_runs, cancel_run, retry_run)

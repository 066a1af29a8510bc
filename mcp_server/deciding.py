"""The way of a gated call to its answer: ask through the client where that may count, or say where.

A question to a client of 2026-07-28 ends the call, and its answer comes with the same call again;
an older client is asked while its call waits. The state that travels with a question is only the
approval's id: whether it is still open, and what became of it, is asked of the engine each time.
So an answer that comes twice, or to a call that was lost, finds what happened and does nothing.
After a decision the engine carries the plan out by itself; here one only waits for a while.
"""

from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolRequestParams, ElicitResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from engine import Refused
from engine.core.approval.gated import Gated
from mcp_server import elicit, wire
from mcp_server.calls import Body, Call
from mcp_server.tools.approvals import NO_GOOD, shown
from mcp_server.tools.execute import MOST_SECONDS, ON_ITS_WAY, ended

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.core.approval.views import ApprovalView
    from engine.core.views import RunView

PATIENCE = 300.0
"""Seconds that a person has for a form while an older client's call waits for it."""
LOOK = 0.5
"""Seconds after which an approval is looked at again though nothing was heard of it."""
PAUSE = 0.02
"""Seconds between two looks: a busy engine has news of other runs all the time."""
MOST_PLANS = 10
"""Plans of one run that are decided about within one call."""

IN_THE_WAY = frozenset({"version.accept", "mutation.resolve"})
"""Kinds after which the call itself has its answer: made again, it goes on."""

Outcome = wire.Answer | dict[str, Any]
"""An answer, or a question as the protocol has it."""


class Deciding:
    """One gated call. `params` bring the state of an earlier question and the answer to it, if the
    client was asked; `body` makes the call again, once what was in its way is out of it.
    """

    def __init__(
        self,
        engine: "Engine",
        call: Call,
        ctx: ServerRequestContext[Any, Any],
        params: CallToolRequestParams,
        body: Body,
    ) -> None:
        self._engine, self._call, self._ctx, self._body = engine, call, ctx, body
        self._replies = params.input_responses or {}
        self._asked_before = params.request_state or ""
        self._modern = ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
        self._told = 0

    async def again(self) -> Outcome | None:
        """The answer to a call that answers a question of ours; None when there is no such."""
        try:
            view = await self._engine.approvals.get(self._asked_before)
        except Refused:
            return None
        mine = view.plan.requester.principal == self._call.requester.principal
        return await self.outcome(view) if mine else None

    async def outcome(self, view: "ApprovalView") -> Outcome:
        """What a call that needs this approval is answered."""
        note = ""
        for _ in range(MOST_PLANS):
            if view.state == "pending":
                asked = await self._ask(view)
                if isinstance(asked, dict):
                    return asked
                view, note = asked
            settled = await self._settled(view, note)
            if isinstance(settled, wire.Answer):
                return settled
            view = settled
        return await shown(view, self._call.link, note)

    # -- asking -------------------------------------------------------------------------------

    async def _ask(self, view: "ApprovalView") -> "dict[str, Any] | tuple[ApprovalView, str]":
        """A question to send, or the approval after the answer and what was wrong with it."""
        link = await self._call.link(view.id)
        way = elicit.way(self._ctx.session.client_capabilities, view, link)
        if not way:
            return view, ""
        reply: Any
        if not self._modern:
            reply = await self._asked_while_waiting(way, view, link)
        elif self._asked_before == view.id and view.id in self._replies:
            reply = self._replies[view.id]
        else:
            return _question(way, view, link)
        if not isinstance(reply, ElicitResult):
            return view, "The client answered with something that was not asked."
        if way == "url":
            opened = reply.action == "accept"
            return (await self._watched(view) if opened else view), ""
        return await self._voted(view, elicit.said(reply.action, reply.content, view.code))

    async def _asked_while_waiting(
        self, way: elicit.Way, view: "ApprovalView", link: str
    ) -> ElicitResult | None:
        session, request = self._ctx.session, self._ctx.request_id
        if not session.can_send_request:
            return ElicitResult(action="cancel")
        try:
            with anyio.move_on_after(PATIENCE):
                if way == "form":
                    form = dict(elicit.FORM)
                    return await session.elicit_form(elicit.form_message(view), form, request)
                words = elicit.url_message(view)
                return await session.elicit_url(words, link, view.id, request)
        except (MCPError, ValidationError):
            return None  # it had declared that it can; the other ways are still there
        return ElicitResult(action="cancel")

    async def _voted(self, view: "ApprovalView", said: elicit.Said) -> "tuple[ApprovalView, str]":
        approvals = self._engine.approvals
        approver = approvals.attested(self._call.requester)
        try:
            if said.decision == "approve":
                return await approvals.approve(
                    view.id, digest=view.digest, approver=approver, code=said.code,
                    comment=said.comment,
                ), ""  # fmt: skip
            if said.decision == "reject":
                return await approvals.deny(
                    view.id, digest=view.digest, approver=approver, comment=said.comment
                ), ""
        except Refused as refused:
            self._engine.refusals.note(self._call.requester.principal, refused.code)
            return await approvals.get(view.id), f"It was not decided: {refused.message}."
        return view, f"Nothing was decided: {said.why}."

    async def _watched(self, view: "ApprovalView") -> "ApprovalView":
        """The approval once it is decided, or as it stands after a while."""
        with anyio.move_on_after(MOST_SECONDS):
            while view.state == "pending":
                await self._moved("waiting for a person to decide")
                view = await self._engine.approvals.get(view.id)
        return view

    # -- after a decision -----------------------------------------------------------------------

    async def _settled(self, view: "ApprovalView", note: str) -> "wire.Answer | ApprovalView":
        """The answer after a decision, or the approval that is waited for next."""
        if view.state in NO_GOOD | {"pending"}:
            return await shown(view, self._call.link, note)
        if view.kind == "run.mutations":
            return await self._run(view, note)
        if view.kind in IN_THE_WAY and view.state == "done":
            return await self._at_last(view, note)
        return await shown(view, self._call.link, note)

    async def _at_last(self, view: "ApprovalView", note: str) -> "wire.Answer | ApprovalView":
        """The call itself, now that the version may run; it may wait for the next approval."""
        try:
            return await self._body(self._engine, self._call)
        except Gated as gated:
            if gated.approval.id != view.id:
                return gated.approval
        return await shown(view, self._call.link, note)

    async def _run(self, view: "ApprovalView", note: str) -> "wire.Answer | ApprovalView":
        run = await self._carried_on(view)
        if run.status != "paused:approval":
            return ended(run)
        if run.approval in ("", view.id):
            now = await self._engine.approvals.get(view.id)
            return await shown(now, self._call.link, note)
        return await self._engine.approvals.get(run.approval)

    async def _carried_on(self, view: "ApprovalView") -> "RunView":
        """The run once it rests after this approval, or as it stands after a while."""
        engine, end = self._engine, anyio.current_time() + MOST_SECONDS
        run = await engine.run(view.run)
        while (left := end - anyio.current_time()) > 0:
            if run.status in ON_ITS_WAY:
                run = await engine.wait(run.id, left)
            elif run.status == "paused:approval" and run.approval in ("", view.id):
                if not view.worker_alive:
                    break
                await self._moved("carrying out what was approved")
                run = await engine.run(run.id)
            else:
                break
        return run

    async def _moved(self, words: str) -> None:
        await anyio.sleep(PAUSE)
        with anyio.move_on_after(LOOK):
            await self._engine.moved()
        if self._call.progress is not None:
            self._told += 1
            await self._call.progress(self._told, None, words)


def _question(way: elicit.Way, view: "ApprovalView", link: str) -> dict[str, Any]:
    """A question that ends the call, as 2026-07-28 has it."""
    if way == "form":
        asks = {
            "mode": "form",
            "message": elicit.form_message(view),
            "requestedSchema": elicit.FORM,
        }
    else:
        asks = {"mode": "url", "message": elicit.url_message(view), "url": link}
    return {
        "resultType": "input_required",
        "inputRequests": {view.id: {"method": "elicitation/create", "params": asks}},
        "requestState": view.id,
    }

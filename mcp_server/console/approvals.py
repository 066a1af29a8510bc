"""One approval: read it, decide it, and see what came of it.

A form decides on the bytes that it showed: their digest is in it, and in its token. Leaving
operations out makes a plan of its own, with its own digest, which is shown before anybody can
allow it. After a decision the page says what happens next, and looks again by itself while it
waits.
"""

import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine import Move, Refused, Requester
from mcp_server.console.desk import Desk
from mcp_server.console.forms import Form, read
from mcp_server.console.sessions import Session
from mcp_server.console.shown import layout, wants_pin

if TYPE_CHECKING:
    from engine.core.approval.state import Approver
    from engine.core.approval.views import ApprovalView

REFRESH = 2
"""Seconds after which a page that waits looks again."""
MOST_LOOKS = 60
"""How often it does so: a page that is left open must not keep its session alive for ever."""
_WAITING = frozenset({"approved", "claimed"})
LAPSED = frozenset({"expired", "void", "revoked"})


class ApprovalPages:
    """The pages below /a/."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._doors = {
            "approve": self._approve,
            "deny": self._deny,
            "revoke": self._revoke,
            "replan": self._replan,
        }

    async def read(self, request: Request, session: Session) -> Response:
        """The plan and its form, or what became of it."""
        view = await self._desk.engine.approvals.get(request.path_params["id"])
        return await self._shown(view, session, looks=_looks(request))

    async def receipt(self, request: Request, session: Session) -> Response:
        """What an approval was and what came of it, as a file to keep."""
        approval_id = request.path_params["id"]
        found = await self._desk.engine.approvals.receipt(approval_id)
        text = json.dumps(found, indent=2, ensure_ascii=True) + "\n"
        name = f'attachment; filename="handrail-{found["approval"]}.json"'
        headers = {"Content-Disposition": name}
        return Response(text, media_type="application/json", headers=headers)

    async def decide(self, request: Request, session: Session) -> Response:
        """What a person chose."""
        approval_id = request.path_params["id"]
        form = await read(request)
        self._desk.held(form, session, "decide", approval_id, form["digest"])
        act = self._doors.get(form["decision"])
        if act is None:
            raise Refused("bad_form", "the form does not say what was decided", "Open it again.")
        try:
            return RedirectResponse(f"/a/{await act(approval_id, form, session)}", 303)
        except Refused as refused:
            view = await self._desk.engine.approvals.get(approval_id)
            return await self._shown(view, session, refused, form)

    # -- what can be decided ----------------------------------------------------------------------

    async def _approve(self, approval_id: str, form: Form, session: Session) -> str:
        approvals = self._desk.engine.approvals
        view = await approvals.get(approval_id)
        kept = _kept(view, form)
        if kept is not None:
            return (await approvals.derive(approval_id, kept, approver=session.approver)).id
        approver = await self._who(view, form, session)
        await approvals.approve(
            approval_id, digest=form["digest"], approver=approver, comment=form["comment"],
            typed=form["typed"],
        )  # fmt: skip
        return approval_id

    async def _who(self, view: "ApprovalView", form: Form, session: Session) -> "Approver":
        return await self._desk.proved(form) if wants_pin(view) else session.approver

    async def _deny(self, approval_id: str, form: Form, session: Session) -> str:
        await self._desk.engine.approvals.deny(
            approval_id, digest=form["digest"], approver=session.approver, comment=form["comment"]
        )
        return approval_id

    async def _revoke(self, approval_id: str, form: Form, session: Session) -> str:
        await self._desk.engine.approvals.revoke(approval_id, approver=session.approver)
        return approval_id

    async def _replan(self, approval_id: str, form: Form, session: Session) -> str:
        asker = Requester("page", client=session.approver.name)
        return (await self._desk.engine.approvals.replan(approval_id, requester=asker)).id

    # -- what is shown ----------------------------------------------------------------------------

    async def _shown(
        self,
        view: "ApprovalView",
        session: Session,
        refused: Refused | None = None,
        form: Form | None = None,
        looks: int = 0,
    ) -> Response:
        from engine.core.approval.plan import canonical

        run = await self._run(view)
        rests = run is not None and view.state == "claimed" and run.whose_move == Move.PERSON
        waits = view.state in _WAITING and not rests and refused is None and looks < MOST_LOOKS
        return self._desk.show(
            "approval",
            session,
            status=409 if refused else 200,
            view=view,
            plan=layout(view.plan),
            raw=canonical(view.plan).decode("ascii"),
            token=session.token("decide", view.id, view.digest),
            pin=wants_pin(view),
            comment=form["comment"] if form else "",
            run=run,
            rests=rests,
            always=await self._always(view),
            again=view.state in LAPSED,
            error=self._desk.words(refused),
            refresh=f"{REFRESH}; url=/a/{view.id}?look={looks + 1}" if waits else "",
        )

    async def _always(self, view: "ApprovalView") -> bool:
        """Whether what is like this plan can be allowed for longer."""
        if view.state != "pending":
            return False
        try:
            return bool(await self._desk.engine.approvals.proposed_rule(view.id))
        except Refused:
            return False

    async def _run(self, view: "ApprovalView") -> Any:
        """The run that waits for this, or went on after it; None where there is none."""
        if not view.run:
            return None
        try:
            return await self._desk.engine.run(view.run)
        except Refused:
            return None


def _looks(request: Request) -> int:
    """How often a page has looked again by itself."""
    text = request.query_params.get("look", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0


def _kept(view: "ApprovalView", form: Form) -> tuple[str, ...] | None:
    """The operations that stay when some were left out; None when all do."""
    ops = view.plan.ops
    if len(ops) == 1 or view.state != "pending":
        return None
    kept = tuple(op.id for at, op in enumerate(ops) if str(at) in form.kept)
    if len(kept) == len(ops):
        return None
    if not kept:
        raise Refused("nothing_left", "no operation is ticked", "Tick some, or deny it all.")
    return kept

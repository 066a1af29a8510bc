"""Approvals as they cross the protocol: what waits for a person, where they decide, what became.

The code is told to everybody, the assistant too: it lets a person see that the page, the
terminal and the chat speak of the same plan. It opens nothing; that takes the PIN, or a form
where policy says that a form is enough.
"""

from typing import TYPE_CHECKING

from mcp_server.foreign import message
from mcp_server.wire.basics import Json, rfc3339, without_empty

if TYPE_CHECKING:
    from engine.core.approval.views import ApprovalView

MOST_SUMMARY = 1_500
"""Characters of the plan that are shown to an assistant; the page shows all of it."""
SET_UP = "handrail approver init"
_UNDER_WAY = frozenset({"approved", "claimed"})


def approval(view: "ApprovalView", link: str = "", note: str = "") -> Json:
    """One approval; `link` is the page's address if there is one, `note` what went wrong before."""
    status = _status(view)
    facts: Json = {
        "status": status,
        "approvalId": view.id,
        "code": view.code,
        "kind": view.kind,
        "summary": message(_plan(view), MOST_SUMMARY),
        "workflow": message(view.plan.workflow.removeprefix("default/")),
        "executionId": view.run,
        "whoseMove": _MOVES.get(status, "none"),
        "expiresAt": rfc3339(view.expires_at),
        "approveUrl": link if view.state == "pending" else "",
        "command": _command(view, status),
        "outcome": view.outcome,
        "decidedBy": message(view.decided_by),
        "comment": message(view.comment),
        "successor": view.successor,
        "nextStep": " ".join(filter(None, (note, _next_step(view, status, link)))),
    }
    if view.decided_at:
        facts["decidedAt"] = rfc3339(view.decided_at)
    if view.state == "done" and view.result is not None:
        facts["result"] = view.result
    return without_empty(
        facts, "workflow", "executionId", "approveUrl", "command", "outcome", "decidedBy",
        "comment", "successor", "nextStep",
    )  # fmt: skip


def waiting_for(view: "ApprovalView", link: str = "") -> Json:
    """What a run in paused:approval adds: its approval in short, and what to do about it."""
    whole = approval(view, link)
    names = ("status", "approvalId", "code", "summary", "approveUrl", "command", "expiresAt")
    brief = {name: whole[name] for name in names if name in whole}
    return {"approval": brief, **({"nextStep": whole["nextStep"]} if "nextStep" in whole else {})}


def _plan(view: "ApprovalView") -> str:
    from engine.core.approval import render

    return render.text(view.plan)


_MOVES = {
    "approval_required": "person", "setup_required": "person", "approved": "engine",
}  # fmt: skip


def _status(view: "ApprovalView") -> str:
    if view.state == "pending":
        return "approval_required" if view.approver_exists else "setup_required"
    return "approved" if view.state in _UNDER_WAY else view.state


def _command(view: "ApprovalView", status: str) -> str:
    if status == "setup_required":
        return SET_UP
    return f"handrail approve {view.id}" if status == "approval_required" else ""


def _next_step(view: "ApprovalView", status: str, link: str) -> str:
    if status not in {"approval_required", "setup_required"}:
        return view.next_step
    follow = f"Then call get_approval with approvalId {view.id}"
    if view.run:
        follow += f" or get_run with runId {view.run}"
    follow += ", or repeat this call: nothing is done twice."
    if status == "setup_required":
        return (
            f"Tell the user: nothing may be changed before an approver is set up. They run"
            f" `{SET_UP}` once in a terminal, then decide about plan {view.code}. {follow}"
        )
    page = f"open {link} or " if link else ""
    return (
        f"Tell the user what is to be changed and that it waits for them: they {page}run"
        f" `handrail approve {view.id}` in a terminal, compare the code {view.code}, and decide."
        f" {follow}"
    )

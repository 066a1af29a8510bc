"""Approvals on a terminal: lists, one of them whole, and what became of a decision."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import indented, json_block, line, titled
from mcp_server.text import visible
from mcp_server.words import age, count, moment

if TYPE_CHECKING:
    from engine.core.approval.views import (
        ApprovalPage,
        ApprovalView,
        Blocked,
        GrantView,
        Needing,
        Undecided,
    )

_STYLES = {
    "pending": "yellow",
    "approved": "cyan",
    "claimed": "cyan",
    "done": "green",
    "denied": "red",
    "revoked": "red",
}


def needing(found: "Needing", now: int) -> RenderableType:
    """Everything that needs a person, each with the command that deals with it."""
    parts: list[RenderableType] = []
    asked = [view for view in found.approvals if view.state == "pending"]
    begun = [view for view in found.approvals if view.state != "pending"]
    if asked:
        parts.append(titled("To be allowed or not", *_each(asked, now)))
    if found.outcomes:
        parts.append(titled("Did it happen?", *(_outcome(each, now) for each in found.outcomes)))
    if found.blocked:
        parts.append(titled("Stuck", *(_blocked(each, now) for each in found.blocked)))
    nothing = [Text("Nothing waits for you.", "green")] if not parts else []
    if begun:
        parts.append(titled("Allowed, and not over yet", *_each(begun, now)))
    return Group(*nothing, *parts)


def approval_page(found: "ApprovalPage", now: int) -> RenderableType:
    """A page of approvals in any state."""
    if not found.rows:
        return Text("No approvals.", "dim")
    more = [Text(""), line(f"more: --cursor {found.cursor}", style="dim")] if found.cursor else []
    return Group(*_each(found.rows, now), *more)


def _each(rows: Iterable["ApprovalView"], now: int) -> list[RenderableType]:
    return [part for view in rows for part in (_row(view), indented(_below(view, now)))]


def _row(view: "ApprovalView") -> Text:
    return line(_state(view), "  ", line(view.summary, style="bold"))


def _state(view: "ApprovalView") -> Text:
    said = f"{view.state}:{view.outcome}" if view.outcome else view.state
    return Text(visible(said), _STYLES.get(view.state, "dim"))


def _below(view: "ApprovalView", now: int) -> Text:
    when = f"asked {age(now, view.requested_at)}"
    if view.state in ("pending", "approved"):
        when += f", ends {age(now, view.expires_at)}"
    elif view.decided_by:
        when = f"decided by {view.decided_by} {age(now, view.decided_at)}"
    text = line(f"{view.id}  code {view.code}  {when}, by {view.requester}", style="dim")
    if view.state == "pending":
        text.append("\n").append_text(line(f"handrail approve {view.id}", style="cyan"))
    return text


def _outcome(each: "Undecided", now: int) -> Text:
    head = line(line(f"{each.workflow}: {each.path}", style="bold"))
    said = line(f"{each.reason}, {age(now, each.since)}", style="dim")
    ways = f"handrail resolve {each.run} {each.path} happened|did-not-happen|skip"
    return Text("\n  ").join([head, said, line(ways, style="cyan")])


def _blocked(each: "Blocked", now: int) -> Text:
    step = f" at {each.step}" if each.step else ""
    head = line(line(each.workflow, style="bold"), f"  {each.status}{step}")
    said = line(f"{age(now, each.since)}; handrail show {each.run}", style="dim")
    return Text("\n  ").join([head, said])


def approval_details(view: "ApprovalView", now: int, width: int) -> RenderableType:
    """One approval: the plan, whole, and how it stands."""
    from engine.core.approval.render import text

    shown = Text(text(view.plan, width=min(width, 96)))
    parts: list[RenderableType] = [shown, Text(""), _row(view), indented(_below(view, now))]
    if view.comment:
        parts.append(indented(line(f"said: {view.comment}")))
    if view.successor:
        parts.append(indented(line(f"handrail show {view.successor}")))
    if view.result is not None:
        parts.append(titled("Result", json_block(view.result)))
    if view.next_step:
        parts += [Text(""), line(view.next_step, style="dim")]
    return Group(*parts)


def decided(view: "ApprovalView") -> RenderableType:
    """What became of a decision, and what happens next."""
    words = {"approved": "Allowed", "done": "Allowed and done", "denied": "Denied",
             "revoked": "Taken back", "claimed": "Allowed"}  # fmt: skip
    said = words.get(view.state, view.state)
    text = line(Text(said, _STYLES.get(view.state, "")), ": ", view.summary)
    if view.state == "approved" and not view.worker_alive:
        next_ = f"no worker is alive: handrail approve {view.id} --run carries it out"
        return text.append("\n").append_text(line(next_, style="yellow"))
    if view.run:
        text.append("\n").append_text(line(f"handrail show {view.run} --follow", style="dim"))
    return text


def approver_list(names: Sequence[str]) -> RenderableType:
    """Who may approve."""
    if not names:
        return line("Nobody yet: handrail approver init")
    return Group(*(line(name) for name in names))


def grant_list(grants: Sequence["GrantView"], now: int) -> RenderableType:
    """Standing grants, with what each lets pass."""
    if not grants:
        return Text("No standing grants.", "dim")
    return Group(*(_grant(grant, now) for grant in grants))


def _grant(grant: "GrantView", now: int) -> RenderableType:
    over = bool(grant.revoked_at) or grant.expires_at <= now
    state = "revoked" if grant.revoked_at else "over" if over else "holds"
    head = line(Text(state, "dim" if over else "green"), f"  {grant.id}  {grant.kind}")
    until = (
        f"given by {grant.by}, until {moment(grant.expires_at)}, used {count(grant.used, 'time')}"
    )
    return Group(head, indented(line(until, style="dim")), indented(json_block(grant.body)))

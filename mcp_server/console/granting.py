"""What is allowed for longer: a narrow rule made of one plan, and the list of all that holds.

What a rule will match is read before it is made, in the words of the engine, and making it takes
the PIN. Taking one back takes a click.
"""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine import Refused
from mcp_server.console.desk import Desk
from mcp_server.console.forms import Form, read
from mcp_server.console.sessions import Session
from mcp_server.console.shown import layout
from mcp_server.text import visible

if TYPE_CHECKING:
    from engine.core.approval.views import GrantView


class GrantPages:
    """The page of one rule to be, and the list of standing grants."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def propose(self, request: Request, session: Session) -> Response:
        """What "always allow" would match."""
        return await self._proposed(request.path_params["id"], session)

    async def allow(self, request: Request, session: Session) -> Response:
        """Allow this plan, and what is just like it from now on."""
        approval_id = request.path_params["id"]
        form = await read(request)
        self._desk.held(form, session, "always", approval_id, form["digest"])
        try:
            approver = await self._desk.proved(form)
            await self._desk.engine.approvals.allow_always(
                approval_id, digest=form["digest"], approver=approver
            )
        except Refused as refused:
            return await self._proposed(approval_id, session, refused, form)
        return RedirectResponse(f"/a/{approval_id}", 303)

    async def _proposed(
        self,
        approval_id: str,
        session: Session,
        refused: Refused | None = None,
        form: Form | None = None,
    ) -> Response:
        approvals = self._desk.engine.approvals
        view, rule = await approvals.get(approval_id), await approvals.proposed_rule(approval_id)
        if view.state != "pending" and refused is None:
            return RedirectResponse(f"/a/{approval_id}", 303)
        return self._desk.show(
            "always", session, status=409 if refused else 200, view=view, plan=layout(view.plan),
            rule=[named(line) for line in rule.words], until=self._desk.now + rule.lasts,
            token=session.token("always", view.id, view.digest), error=self._desk.words(refused),
        )  # fmt: skip

    async def list(self, request: Request, session: Session) -> Response:
        """What is allowed for longer."""
        found = await self._desk.engine.approvals.grants()
        return self._desk.show(
            "grants", session, here="grants", grants=[(each, _matches(each)) for each in found],
            tokens={each.id: session.token("grant", each.id) for each in found},
            now=self._desk.now,
        )  # fmt: skip

    async def take_back(self, request: Request, session: Session) -> Response:
        """Take one of them back."""
        form = await read(request)
        self._desk.held(form, session, "grant", form["rule"])
        await self._desk.engine.approvals.revoke_grant(form["rule"], approver=session.approver)
        return RedirectResponse("/grants", 303)


def _matches(grant: "GrantView") -> list[tuple[str, str]]:
    """What a grant lets pass, line by line."""
    from engine.core.approval.rules import rule_of
    from engine.core.approval.standing import describe

    body: dict[str, Any] = grant.body
    rule = rule_of(body["rule"]) if "rule" in body else None
    if rule is not None:
        return [named(line) for line in describe(rule)]
    return [(visible(name), visible(str(value))) for name, value in body.items()]


def named(line: str) -> tuple[str, str]:
    """A line of a rule as a name and what it has to be; what follows has no name."""
    name, colon, rest = line.partition(": ")
    return (name, rest) if colon else ("then", line)

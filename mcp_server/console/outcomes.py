"""A change whose outcome nobody knows: what was sent, what was asked since, and a person's word.

The person says what they found out in the other system. What they say becomes an approval like
any other, with its own plan and digest, and is read once more before it counts.
"""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine import Gated, Refused, Requester
from mcp_server.console.desk import Desk
from mcp_server.console.forms import Form, read
from mcp_server.console.sessions import Session
from mcp_server.console.shown import Shown, layout

_VERDICTS = frozenset({"happened", "did_not_happen", "skip"})


class OutcomePages:
    """The pages below /r/."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def read(self, request: Request, session: Session) -> Response:
        """What is known, and the three things that can be said."""
        return await self._shown(request, session)

    async def resolve(self, request: Request, session: Session) -> Response:
        """Have what a person says written down as a plan, and lead them to it."""
        run, path = request.path_params["run"], request.path_params["path"]
        form = await read(request)
        self._desk.held(form, session, "resolve", run, path)
        try:
            verdict, result = _said(form)
            await self._desk.engine.approvals.resolve(
                run,
                path,
                verdict,
                result,
                requester=Requester("page", client=session.approver.name),
            )
        except Gated as gated:
            return RedirectResponse(f"/a/{gated.approval.id}", 303)
        except Refused as refused:
            return await self._shown(request, session, refused, form)
        return RedirectResponse(request.url.path, 303)

    async def _shown(
        self,
        request: Request,
        session: Session,
        refused: Refused | None = None,
        form: Form | None = None,
    ) -> Response:
        run_id, path = request.path_params["run"], request.path_params["path"]
        run = await self._desk.engine.run(run_id)
        step = next((each for each in run.steps if each.path == path), None)
        if step is None:
            raise Refused("unknown_page", "this run has no such step", "Begin with what needs you.")
        outcome = step.outcome
        return self._desk.show(
            "outcome", session, status=409 if refused else 200, run=run, path=path, step=step,
            outcome=outcome, asks=step.status == "indeterminate",
            sent=await self._sent(outcome, path),
            token=session.token("resolve", run_id, path),
            result=form["result"] if form else "", verdict=form["verdict"] if form else "",
            error=self._desk.words(refused),
        )  # fmt: skip

    async def _sent(self, outcome: Any, path: str) -> Shown | None:
        """What was allowed to be sent, from the plan that allowed it."""
        if outcome is None or not outcome.grant.startswith("apr_"):
            return None
        try:
            plan = (await self._desk.engine.approvals.get(outcome.grant)).plan
        except Refused:
            return None
        return next((op for op in layout(plan).operations if plan.ops[op.at].id == path), None)


def _said(form: Form) -> tuple[str, Any]:
    """The verdict of a form and the result that goes with it; raises Refused `bad_result`."""
    verdict, text = form["verdict"], form["result"].strip()
    if verdict not in _VERDICTS:
        raise Refused("no_verdict", "nothing was chosen", "Choose one of the three.")
    if verdict != "happened" or not text:
        return verdict, None
    try:
        return verdict, json.loads(text, parse_constant=_not_json)
    except (ValueError, RecursionError):
        hint = 'Write what the other system answered as JSON, such as {"id": "42"}, or nothing.'
        raise Refused("bad_result", "the result is not JSON", hint) from None


def _not_json(name: str) -> Any:
    raise ValueError(name)

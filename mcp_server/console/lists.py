"""What needs a person, and what was decided."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from engine import Refused, RunFilter
from mcp_server.console.approvals import LAPSED
from mcp_server.console.desk import Desk
from mcp_server.console.sessions import Session

if TYPE_CHECKING:
    from engine import ApprovalView

ROWS = 25
LATELY = 8
"""How many of the last decisions the first page shows."""
_OPEN, _UNDER_WAY = frozenset({"pending"}), frozenset({"approved", "claimed"})


class ListPages:
    """The pages that lead to others."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def needing(self, request: Request, session: Session) -> Response:
        """Everything that needs a person, and what was decided lately."""
        found = await self._desk.engine.approvals.needing()
        waiting = [each for each in found.approvals if each.state in _OPEN]
        rows: list[tuple[str, Any]] = [("approval", each) for each in waiting]
        rows += [("lapsed", each) for each in await self._lapsed()]
        rows += [("outcome", each) for each in found.outcomes]
        rows += [("blocked", each) for each in found.blocked]
        number = _number(request)
        shown = rows[number * ROWS : (number + 1) * ROWS]
        lately = await self._desk.engine.approvals.list(open_only=False, limit=3 * LATELY)
        closed = [each for each in lately.rows if each.state not in _OPEN]
        under_way = [each for each in closed if each.state in _UNDER_WAY]
        ended = [each for each in closed if each.state not in _UNDER_WAY][:LATELY]
        return self._desk.show(
            "needing", session, here="needing", approvals=_of("approval", shown),
            outcomes=_of("outcome", shown), blocked=_of("blocked", shown), total=len(rows),
            lapsed=_of("lapsed", shown), lately=ended, under_way=under_way,
            number=number, more=len(rows) > (number + 1) * ROWS,
        )  # fmt: skip

    async def _lapsed(self) -> list["ApprovalView"]:
        """What runs still wait for, though the time to decide it is over or it was taken back."""
        engine = self._desk.engine
        page = await engine.runs(RunFilter(status="paused:approval"), limit=ROWS)
        runs = [await engine.run(row.id) for row in page.rows]
        views = [await engine.approvals.get(run.approval) for run in runs if run.approval]
        return [view for view in views if view.state in LAPSED]

    async def decided(self, request: Request, session: Session) -> Response:
        """Every approval there was, newest first."""
        cursor = request.query_params.get("cursor", "")
        page = await self._desk.engine.approvals.list(open_only=False, limit=ROWS, cursor=cursor)
        return self._desk.show(
            "decided", session, here="decided", rows=page.rows, cursor=page.cursor, first=not cursor
        )


def _of(kind: str, rows: list[tuple[str, Any]]) -> list[Any]:
    return [each for sort, each in rows if sort == kind]


def _number(request: Request) -> int:
    text = request.query_params.get("page", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise Refused("unknown_page", "there is no such page", "Begin with the first one.")
    return int(text)

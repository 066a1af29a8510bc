"""The page as an ASGI application: its addresses, behind its guard. Every page is a GET that
changes nothing; whatever changes something is a form of ours, sent back by POST."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from engine import Refused
from engine.app.engine import Engine
from mcp_server.console.approvals import ApprovalPages
from mcp_server.console.desk import HERE, Desk
from mcp_server.console.granting import GrantPages
from mcp_server.console.guard import Guard
from mcp_server.console.lists import ListPages
from mcp_server.console.outcomes import OutcomePages
from mcp_server.console.sockets import proof

_MOST_CHALLENGE = 64


def application(engine: Engine, port: int, secret: str) -> ASGIApp:
    """The page of `engine` at `port`; `secret` proves to our other processes whose it is."""
    desk = Desk(engine, port)
    one, lists, outcomes = ApprovalPages(desk), ListPages(desk), OutcomePages(desk)
    grants = GrantPages(desk)

    async def alive(request: Request) -> Response:
        challenge = request.query_params.get("challenge", "")[:_MOST_CHALLENGE]
        return PlainTextResponse(proof(secret, port, challenge))

    async def fault(request: Request, error: Exception) -> Response:
        if isinstance(error, Refused):
            return desk.told(error, desk.session(request))
        status = error.status_code if isinstance(error, HTTPException) else 500
        return desk.told(_nothing(status), desk.session(request))

    routes = [
        _get("/alive", alive),
        _get("/console.css", lambda _: FileResponse(HERE / "console.css", media_type="text/css")),
        _get("/", desk.page(lists.needing)),
        _get("/decided", desk.page(lists.decided)),
        _get("/grants", desk.page(grants.list)),
        _get("/a/{id}", desk.page(one.read)),
        _get("/a/{id}/always", desk.page(grants.propose)),
        _get("/a/{id}/receipt", desk.page(one.receipt)),
        _get("/r/{run}/{path:path}", desk.page(outcomes.read)),
        _post("/login", desk.enter),
        _post("/logout", desk.page(desk.leave)),
        _post("/grants", desk.page(grants.take_back)),
        _post("/a/{id}", desk.page(one.decide)),
        _post("/a/{id}/always", desk.page(grants.allow)),
        _post("/r/{run}/{path:path}", desk.page(outcomes.resolve)),
    ]
    app = Starlette(routes=routes, exception_handlers={Refused: fault, HTTPException: fault})
    app.router.redirect_slashes = False
    return Guard(app, port)


def _get(path: str, page: object) -> Route:
    return Route(path, page, methods=["GET"])  # type: ignore[arg-type]


def _post(path: str, page: object) -> Route:
    return Route(path, page, methods=["POST"])  # type: ignore[arg-type]


def _nothing(status: int) -> Refused:
    if status == 404:
        return Refused("unknown_page", "there is no such page", "Begin with what needs you.")
    return Refused("bad_form", "that cannot be done here", "Begin with what needs you.")

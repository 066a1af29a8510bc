"""What the pages share: the engine, who is signed in, the templates, and how a refusal is told.

Templates escape everything; what comes from plans, runs and people besides goes through
`visible`, so that nothing hides in it. A page is read by whoever has a session; without one there
is the same sign-in page at every address, which says nothing about what is behind it.
"""

from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from engine import Refused, database_of
from mcp_server.console.forms import Form, read
from mcp_server.console.sessions import Session, Sessions
from mcp_server.text import visible
from mcp_server.words import age, count, moment

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.core.approval.state import Approver

HERE = Path(__file__).resolve().parent

_WHY = {
    "no_way_to_know": "no answer came, and the other system cannot be asked",
    "looked_up_in_vain": "the other system was asked, and could not say",
    "sent_in_vain": "it was sent as often as it may be, and no answer came",
    "key_expired": "its key is forgotten there by now: sent again, it might happen twice",
    "crash": "the process ended while it was being sent",
}

Page = Callable[[Request, Session], Awaitable[Response]]
_STATUS = {
    "bad_form": 400, "stale_form": 403, "wrong_pin": 403, "locked_out": 429,
    "unknown_approval": 404, "unknown_run": 404, "unknown_page": 404,
}  # fmt: skip


class Desk:
    """Where a person sits: one page of one engine."""

    def __init__(self, engine: "Engine", port: int) -> None:
        self.engine, self.port = engine, port
        self.sessions = Sessions(engine.settings.clock)
        self._cookie = f"handrail_{port}"  # cookies know no ports, so their name has to

    @property
    def now(self) -> int:
        """The engine's time, in microseconds."""
        return self.engine.settings.clock.now()

    @cached_property
    def _templates(self) -> Environment:
        found = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True,
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        found.filters |= {
            "visible": visible,
            "age": lambda at: age(self.now, at),
            "moment": moment,
            "counted": count,
            "why": lambda reason: _WHY.get(reason, visible(reason.replace("_", " "))),
        }
        return found

    def command(self, words: str) -> str:
        """What to type for this database: where it is no file, its settings say which it is."""
        database = self.engine.settings.database
        path = database_of(database) if database else None
        return f"handrail {words}" + (f" --db {quote(str(path))}" if isinstance(path, Path) else "")

    def show(
        self, name: str, session: Session | None, *, status: int = 200, **values: Any
    ) -> Response:
        """A page from its template."""
        leave = session.token("logout") if session else ""
        who = session.approver.name if session else ""
        given = {
            "refresh": "",
            "command": self.command,
            "error": None,
            "here": "",
            **values,
            "leave": leave,
            "who": who,
        }
        text = self._templates.get_template(f"{name}.html").render(given)
        return HTMLResponse(text, status)

    # -- who is there -----------------------------------------------------------------------------

    def session(self, request: Request) -> Session | None:
        """The session that the browser's cookie names, if it lives."""
        secret = request.cookies.get(self._cookie, "")
        return self.sessions.find(secret) if secret else None

    def page(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """A page for those who are signed in; the others are asked who they are."""

        async def guarded(request: Request) -> Response:
            session = self.session(request)
            if session is None:
                lost = request.method == "POST"
                return await self.asked(request, _local(request.url.path), lost=lost)
            try:
                return await page(request, session)
            except Refused as refused:
                return self.told(refused, session)

        return guarded

    async def asked(
        self, request: Request, then: str, *, lost: bool = False, error: Refused | None = None
    ) -> Response:
        """The sign-in page, which leads on to `then`; `lost` if a form was sent without a session.

        A browser sends a strict cookie only along from a page of ours. Whoever comes by a link
        from elsewhere is led here once more by ourselves, and may turn out to be signed in.
        """
        outside = request.headers.get("sec-fetch-site") == "cross-site"
        if outside and request.method == "GET" and "again" not in request.query_params:
            return self.show("again", None, then=then)
        if not await self.engine.approvals.has_approver():
            return self.show("nobody", None)
        status = (
            200 if error is None and not lost else _STATUS.get(error.code if error else "", 403)
        )
        return self.show("login", None, then=then, lost=lost, error=_words(error), status=status)

    async def enter(self, request: Request) -> Response:
        """Sign in with the PIN, and go where one wanted to."""
        form = await read(request)
        then = _local(form["next"])
        try:
            approver = await self.proved(form)
        except Refused as refused:
            return await self.asked(request, then, error=refused)
        self._leave(request)
        answer = RedirectResponse(then, 303)
        secret = self.sessions.begin(approver)
        answer.set_cookie(self._cookie, secret, path="/", httponly=True, samesite="strict")
        return answer

    async def proved(self, form: Form) -> "Approver":
        """Who typed the PIN of this form; raises Refused `wrong_pin`, `locked_out`."""
        return await self.engine.approvals.authenticate(form["pin"], channel="page")

    async def leave(self, request: Request, session: Session) -> Response:
        """Sign out."""
        self.held(await read(request), session, "logout")
        self._leave(request)
        answer = self.show("left", None)
        answer.delete_cookie(self._cookie, path="/", httponly=True, samesite="strict")
        return answer

    def _leave(self, request: Request) -> None:
        if secret := request.cookies.get(self._cookie):
            self.sessions.end(secret)

    # -- forms and refusals -----------------------------------------------------------------------

    def held(self, form: Form, session: Session, *what: str) -> None:
        """Check that this session made this form for this purpose; raises Refused `stale_form`."""
        if not session.made(form["token"], *what):
            hint = "Open it again and decide there; nothing was decided."
            raise Refused("stale_form", "this form is not one that this page showed you", hint)

    def told(self, refused: Refused, session: Session | None) -> Response:
        """A refusal as a page of its own."""
        status = _STATUS.get(refused.code, 409)
        return self.show("told", session, error=_words(refused), status=status)

    def words(self, refused: Refused | None) -> dict[str, str] | None:
        """A refusal for a template: what, and what to do."""
        return _words(refused)


def _words(refused: Refused | None) -> dict[str, str] | None:
    if refused is None:
        return None
    message = refused.message[:1].upper() + refused.message[1:]
    until = refused.details.get("until")
    hint = f"It opens again at {moment(until)}. {refused.hint}" if until else refused.hint
    return {"message": message.rstrip("."), "hint": hint, "code": refused.code}


def _local(path: str) -> str:
    """A place on this page; anything else becomes its first one."""
    good = path.startswith(("/a/", "/r/", "/grants", "/decided")) and "\\" not in path
    return path if good and "//" not in path and path.isprintable() else "/"

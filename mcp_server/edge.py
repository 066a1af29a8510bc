"""What every HTTP request passes before anything of it is believed, and what answers a breach.

The order is part of the protection: the name and the origin it comes with and how often its
address calls are looked at first, without reading on; then who calls (`auth`); only then is the
body read, in a given time and size, and held against the rules of JSON and the caller's scopes.
"""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server import strict
from mcp_server.body import Gone, TooLarge, again, gathered, sent_as
from mcp_server.callers import Callers
from mcp_server.limits import SECOND, AtOnce, Rate, seconds_of
from mcp_server.requesting import named
from mcp_server.scopes import STARTS, held, needed

LOCAL = "local"
"""The caller where nobody is asked who they are."""
TOO_MANY = -32029
"""The JSON-RPC code of a refusal because of a limit."""

Now = Callable[[], int]
Note = Callable[[str, str], None]
"""Counts a refusal: of which principal, with which code."""


class Edge:
    """The first look: name, origin, and how often an address calls."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str],
        origins: Collection[str],
        *,
        callers: Callers | None = None,
        rate: Rate | None = None,
        now: Now = lambda: 0,
    ) -> None:
        self._app = app
        self._hosts, self._origins = frozenset(hosts), frozenset(origins)
        self._callers = Callers() if callers is None else callers
        self._now = now
        self._rate = Rate(0, 0) if rate is None else rate  # an empty one is false

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, _wordless(send))
        if scope["type"] != "http":
            return None  # there is nothing else here
        # h11 keeps blanks round a header's value, which the SDK takes for a mismatch.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        refused = self._unwelcome(scope)
        await (refused or self._app)(scope, receive, send)

    def _unwelcome(self, scope: Scope) -> Response | None:
        headers = dict(scope["headers"])
        names = [value for name, value in scope["headers"] if name == b"host"]
        if len(names) != 1 or names[0].decode("latin-1").lower() not in self._hosts:
            return refusal(421, "this server does not go by that name")
        if b"transfer-encoding" in headers and b"content-length" in headers:
            return refusal(400, "the body has two lengths")  # a proxy may have believed the other
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in self._origins:
            return refusal(403, "pages of this origin may not call this server")
        peer = (scope.get("client") or ("", 0))[0]
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        wait = self._rate.wait(self._callers.address(peer, forwarded), self._now())
        return later(wait, "too many requests come from this address") if wait else None


class Admission:
    """The second look, when it is known who calls: limits of a caller, the body, the scopes.

    It stands inside the authentication. A request whose caller is not known passes unread, since
    what comes next turns it away.
    """

    def __init__(self, app: ASGIApp, *, rules: "Rules") -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        rules = self._rules
        unknown = rules.asks and not getattr(scope.get("user"), "is_authenticated", False)
        if scope["type"] != "http" or scope["path"] != rules.path or unknown:
            return await self._app(scope, receive, send)
        who = caller(scope)
        wait = rules.calls.wait(who, rules.now())
        if wait:
            return await rules.too_many(who, wait, "too many calls")(scope, receive, send)
        if scope["method"] != "POST":
            return await self._app(scope, receive, send)
        if not rules.at_once.enter(who):
            crowded = rules.too_many(who, SECOND, "too many calls at a time")
            return await crowded(scope, receive, send)
        try:
            refused, receive = await self._read(scope, receive, who)
            await (refused or self._app)(scope, receive, send)
        finally:
            rules.at_once.leave(who)

    async def _read(
        self, scope: Scope, receive: Receive, who: str
    ) -> tuple[Response | None, Receive]:
        refused, body = await _body(scope, receive, self._rules.read_timeout)
        if refused is not None:
            return refused, receive
        message, fault = strict.read(body)
        if fault is not None:
            return Response(fault.body(), 400, media_type="application/json"), receive
        return self._rules.refusal(scope, message, who), again(body, receive)


class Rules:
    """What `Admission` holds calls to; one for a server, so that its counts are."""

    def __init__(
        self, path: str, *, asks: bool, metadata_url: str, calls: Rate, starts: Rate,
        at_once: AtOnce, read_timeout: float, now: Now, note: Note,
    ) -> None:  # fmt: skip
        self.path, self.asks, self.now = path, asks, now
        self.calls, self.at_once, self.read_timeout = calls, at_once, read_timeout
        self._starts, self._metadata_url, self.note = starts, metadata_url, note

    def too_many(self, who: str, wait: int, words: str, id: Any = None) -> Response:
        """The answer to a caller beyond a limit, which is counted."""
        self.note(who, "rate_limited")
        return later(wait, words, id)

    def refusal(self, scope: Scope, message: Any, who: str) -> Response | None:
        """Why this message of this caller goes no further, or None."""
        tool = _tool(message)
        if tool is None:
            return None
        scopes = held(scope)
        if scopes is not None and needed(tool) not in scopes:
            self.note(who, "insufficient_scope")
            return self._insufficient(message, tool)
        if tool in STARTS:
            wait = self._starts.wait(who, self.now())
            words, id = "too many runs are started", message.get("id")
            return self.too_many(who, wait, words, id) if wait else None
        return None

    def _insufficient(self, message: Mapping[str, Any], tool: str) -> Response:
        """RFC 6750: the client may ask its user to sign in again, for more."""
        wanted = needed(tool)
        challenge = f'Bearer error="insufficient_scope", scope="{wanted}"'
        if self._metadata_url:
            challenge += f', resource_metadata="{self._metadata_url}"'
        words = f"this sign-in does not allow it: the scope {wanted} is missing"
        facts = {"code": "insufficient_scope", "scope": wanted}
        headers = {"WWW-Authenticate": challenge}
        return refusal(403, words, id=message.get("id"), facts=facts, headers=headers)


def caller(scope: Scope) -> str:
    """The principal whom limits and refusals are counted for."""
    token = getattr(scope.get("user"), "access_token", None)
    iss, sub = named(token) if token is not None else ("", "")
    return f"{iss}|{sub}" if sub else LOCAL


def _tool(message: Any) -> str | None:
    """The tool that a message calls."""
    if not isinstance(message, dict) or message.get("method") != "tools/call":
        return None
    params = message.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    return name if isinstance(name, str) else None


async def _body(scope: Scope, receive: Receive, seconds: float) -> tuple[Response | None, bytes]:
    """The body within its limits, or a refusal."""
    if not sent_as(dict(scope["headers"]), strict.MEDIA):
        return refusal(415, "the body must be application/json, not encoded further"), b""
    try:
        return None, await gathered(receive, strict.LARGEST, seconds)
    except Gone:
        return Response(status_code=400), b""
    except TooLarge:
        return refusal(413, f"the body is larger than {strict.LARGEST:,} bytes"), b""
    except TimeoutError:
        close = {"Connection": "close"}
        return refusal(408, "the body takes too long to arrive", headers=close), b""


def later(wait: int, words: str, id: Any = None) -> Response:
    """429: come again after `wait` microseconds."""
    seconds = seconds_of(wait)
    facts = {"code": "rate_limited", "retryAfterSeconds": seconds}
    words = f"{words}; come again in {seconds} s"
    headers = {"Retry-After": str(seconds)}
    return refusal(429, words, id=id, code=TOO_MANY, facts=facts, headers=headers)


def refusal(
    status: int,
    words: str,
    *,
    id: Any = None,
    code: int = strict.INVALID_REQUEST,
    facts: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An HTTP error whose body is a JSON-RPC error."""
    error = {"code": code, "message": words, **({"data": facts} if facts else {})}
    known = id if isinstance(id, (str, int)) and not isinstance(id, bool) else None
    body = json.dumps({"jsonrpc": "2.0", "id": known, "error": error})
    return Response(body, status, dict(headers or {}), "application/json")


def _wordless(send: Send) -> Send:
    """Pass on how the application's life goes, but not the traceback that comes with a failure."""

    async def passed(message: Message) -> None:
        if "message" in message:
            message = {**message, "message": "the server could not be started or stopped"}
        await send(message)

    return passed

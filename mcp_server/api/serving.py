"""The way of a request of the HTTP API to its route and back.

The edge has looked at name, origin and address, and the SDK's authentication knows who calls. What
follows is what `edge.Admission` does for MCP, in the same order and with the same limits, answered
in the words of this API: who it is, how often, the scope, the body in its time and size, the
rules of JSON, the arguments. Only then is the engine asked for.
"""

from typing import TYPE_CHECKING, Any

from mcp.server import MCPServer
from starlette.requests import Request
from starlette.responses import Response

from engine import Move, Refused
from mcp_server import strict
from mcp_server.api import answers
from mcp_server.api.route import Route, arguments
from mcp_server.arguments import Checked
from mcp_server.body import Gone, TooLarge, gathered, sent_as
from mcp_server.calls import Call
from mcp_server.door import Door
from mcp_server.edge import Rules, caller
from mcp_server.limits import SECOND, seconds_of
from mcp_server.logs import unforeseen
from mcp_server.requesting import known
from mcp_server.scopes import READ, held

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACTOR = "api"
"""What the journal calls who asked through a route."""


def register(
    server: MCPServer[Any], door: Door, rules: Rules, routes: "Iterable[Route]", challenge: str
) -> None:
    """Serve these routes. `challenge` is what somebody whom nobody knows is told to bring."""
    for each in routes:
        endpoint = Endpoint(each, door, rules, challenge)
        server.custom_route(each.path, methods=[each.method], name=each.name)(endpoint.answer)


class Endpoint:
    """One route, served."""

    def __init__(self, route: Route, door: Door, rules: Rules, challenge: str) -> None:
        self._route, self._door, self._rules = route, door, rules
        self._challenge = challenge
        self._checked = Checked(route)

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        who = caller(request.scope)
        try:
            self._admit(request, who)
            if not self._rules.at_once.enter(who):
                raise _often("too many calls at a time", SECOND)
            try:
                return await self._called(request)
            finally:
                self._rules.at_once.leave(who)
        except Refused as refused:
            self._rules.note(who, refused.code)
            return answers.refusal(refused, **self._headers(refused))
        except Gone:
            return Response(status_code=400)
        except Exception as error:
            return answers.refusal(unforeseen(self._route.name, error))

    def _admit(self, request: Request, who: str) -> None:
        rules = self._rules
        if rules.asks and not getattr(request.scope.get("user"), "is_authenticated", False):
            hint = "Send Authorization: Bearer with a token for this server."
            raise Refused("unauthenticated", "nobody knows who calls", hint, move=Move.PERSON)
        wait = rules.calls.wait(who, rules.now())
        if wait:
            raise _often("too many calls", wait)
        scopes = held(request.scope)
        missing = {READ, self._route.scope} - scopes if scopes is not None else set()
        if missing:
            scope = min(missing)
            hint = f"Sign in again and grant the scope {scope}."
            message = f"this sign-in does not allow {self._route.name}"
            details = {"scope": scope}
            raise Refused("insufficient_scope", message, hint, move=Move.PERSON, details=details)

    async def _called(self, request: Request) -> Response:
        from engine.core.approval.gated import Gated  # with the engine, at the first request

        body = await self._body(request)
        path = {name: str(value) for name, value in request.path_params.items()}
        read = arguments(self._route.takes, path, request.query_params.multi_items(), body)
        given = self._checked.arguments(read)
        engine = await self._door.fresh()
        try:
            call = Call(given, ACTOR, known(request.scope), self._door.address)
            return answers.answer(await self._route.body(engine, call))
        except Gated as gated:
            return answers.gated(gated.approval, await self._door.address(gated.approval.id))

    async def _body(self, request: Request) -> "Mapping[str, Any]":
        if request.method == "GET":
            return {}
        if not sent_as(dict(request.scope["headers"]), strict.MEDIA):
            hint = "Send Content-Type: application/json, and the body not encoded further."
            raise Refused("unsupported_media_type", "the body must be JSON", hint)
        try:
            raw = await gathered(request.receive, strict.LARGEST, self._rules.read_timeout)
        except TooLarge:
            message = f"the body is larger than {strict.LARGEST:,} bytes"
            raise Refused("too_large", message, "Send less at a time.") from None
        except TimeoutError:
            hint = "Send the whole body at once."
            raise Refused("too_slow", "the body takes too long to arrive", hint) from None
        value, fault = strict.read(raw)
        if fault is not None:
            raise Refused("invalid_json", fault.message, "Send one JSON object.")
        found: Mapping[str, Any] = value
        return found

    def _headers(self, refused: Refused) -> dict[str, str]:
        if refused.code == "rate_limited":
            return {"Retry-After": str(refused.details["retryAfterSeconds"])}
        if refused.code == "too_slow":
            return {"Connection": "close"}  # the rest may still come
        if refused.code == "unauthenticated":
            return {"WWW-Authenticate": self._challenge}
        if refused.code == "insufficient_scope":
            scope = refused.details["scope"]
            error = f'error="insufficient_scope", scope="{scope}"'
            comma = ", " if " " in self._challenge else " "
            return {"WWW-Authenticate": f"{self._challenge}{comma}{error}"}
        return {}


def _often(message: str, wait: int) -> Refused:
    seconds = seconds_of(wait)
    details = {"retryAfterSeconds": seconds}
    hint = f"Come again in {seconds} s."
    return Refused("rate_limited", message, hint, move=Move.CLOCK, details=details)

"""MCP over HTTP on loopback: `/mcp`, `/healthz`, `/readyz`, and a strict edge before all of them.

The edge looks at Host and Origin before it reads anything, then at the kind and size of the body,
then at its JSON; only then does the SDK see the request. Addresses other than loopback are
refused as long as there is no authentication. Nothing here knows what a tool is.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine import Move, Refused
from mcp_server import strict
from mcp_server.door import Door
from mcp_server.opening import opened
from mcp_server.server import build
from mcp_server.settings import ServerSettings

PATH = "/mcp"
MOST_SESSIONS = 200
"""Sessions of clients from before 2026-07-28; newer ones have none."""
GRACE = 5
"""Seconds that calls under way get when the server is told to stop; their runs go on later."""
_BACKLOG = 128


def listen(settings: ServerSettings) -> socket.socket:
    """A listening socket on loopback. Raises Refused `port_taken`.

    The protocol is named because asyncio switches Nagle's delay off only for sockets that say
    they are TCP; without it an answer may wait 40 ms.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        hint = "Stop what uses it, or choose another port; --port 0 takes any."
        reason = f"{settings.host}:{settings.port} cannot be bound: {error.strerror}"
        raise Refused("port_taken", reason, hint, move=Move.PERSON) from error
    listener.setblocking(False)
    return listener


def application(settings: ServerSettings, port: int, *, door: Door | None = None) -> ASGIApp:
    """The ASGI application for a server on `port`; its lifespan opens and closes the engine."""
    door = door or Door(lambda: opened(settings))
    server = build(settings, door=door, patience=0)
    _health(server, door)
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    origins = [*(f"http://{host}" for host in hosts), *settings.origins]
    app: Any = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=settings.json_response,
        max_request_body_size=strict.LARGEST,
        max_sessions=MOST_SESSIONS,
        transport_security=TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins),
    )
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Mcp-Session-Id"],
        )
    return Edge(app, frozenset(hosts), frozenset(origins))


async def serve(
    settings: ServerSettings,
    listener: socket.socket,
    *,
    started: Callable[[str], None] = lambda _: None,
    door: Door | None = None,
) -> None:
    """Serve until a signal or a cancellation; either ends it in good order.

    `started` is told the address once connections are taken. The listener is closed at the end.
    """
    host, port = listener.getsockname()[:2]
    door = door or Door(lambda: opened(settings))
    config = uvicorn.Config(
        application(settings, port, door=door),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE,
        server_header=False,
        lifespan="on",
    )
    shown = f"[{host}]" if ":" in host else host
    server = _Server(config, lambda: started(f"http://{shown}:{port}{PATH}"), door)
    with listener:
        task = asyncio.create_task(server.serve([listener]))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            server.should_exit = True
            await task
            raise


def _health(server: MCPServer[Any], door: Door) -> None:
    @server.custom_route("/healthz", methods=["GET"])  # type: ignore[untyped-decorator]
    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @server.custom_route("/readyz", methods=["GET"])  # type: ignore[untyped-decorator]
    async def readyz(_: Request) -> Response:
        try:
            engine = await door.engine()
        except Refused as refused:
            return JSONResponse({"status": "not ready", "code": refused.code}, status_code=503)
        found = await engine.crew()
        if engine.draining:
            return JSONResponse({"status": "not ready", "code": "draining"}, status_code=503)
        states = {"working": 0, "draining": 0, "stale": 0}
        states |= Counter(worker.state for worker in found.workers)
        warning = {"warning": found.advice} if found.advice else {}
        return JSONResponse({"status": "ok", "workers": states, **warning})


class Edge:
    """What every request passes before anything of it is believed."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], origins: frozenset[str]) -> None:
        self._app = app
        self._hosts, self._origins = hosts, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        # httptools keeps blanks round a header's value, which the SDK takes for a mismatch.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        headers = dict(scope["headers"])
        refused = self._unwelcome(headers)
        if refused is None and scope["method"] == "POST":
            refused, receive = await _body(headers, receive)
        await (refused or self._app)(scope, receive, send)

    def _unwelcome(self, headers: dict[bytes, bytes]) -> Response | None:
        if headers.get(b"host", b"").decode("latin-1") not in self._hosts:
            return _refusal(421, "this server does not go by that name")
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") not in self._origins:
            return _refusal(403, "pages of this origin may not call this server")
        return None


async def _body(headers: dict[bytes, bytes], receive: Receive) -> tuple[Response | None, Receive]:
    """Read the body within its limits; a refusal, or a `receive` that gives it again."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" or b"content-encoding" in headers:
        return _refusal(415, "the body must be application/json, not encoded further"), receive
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return Response(status_code=400), receive  # the client has gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > strict.LARGEST:
            return _refusal(413, f"the body is larger than {strict.LARGEST:,} bytes"), receive
    fault = strict.fault(bytes(body))
    if fault is not None:
        return Response(fault.body(), 400, media_type="application/json"), receive
    return None, _again(bytes(body), receive)


def _again(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _refusal(status: int, message: str) -> Response:
    body = strict.Fault(strict.INVALID_REQUEST, message).body()
    return Response(body, status, media_type="application/json")


class _Server(uvicorn.Server):
    """Says when it takes connections, and has the engine drain as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None], door: Door) -> None:
        super().__init__(config)
        self._say, self._door = started, door

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; runs come to a safe point while calls that are under way are finished."""
        if self._door.opened is not None:
            self._door.opened.drain()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal; the second one waits for nothing any more."""
        if self.should_exit and self._door.opened is not None:
            self._door.opened.hurry()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._say()

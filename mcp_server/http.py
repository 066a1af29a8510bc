"""MCP over HTTP: `/mcp`, `/api/v1`, `/healthz`, `/readyz`, and a strict edge before them all.

Every request comes over a connection that may not be slow and through `edge`; who calls is known
by `auth`, and a server that others can reach does not start where nobody is asked. Nothing here
knows what a tool is.
"""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from engine import Move, Refused, WorldClock
from mcp_server import api, patience, strict
from mcp_server.auth import Authentication, authentication, bracketed, refuse_if_unsafe
from mcp_server.callers import Callers
from mcp_server.door import Door
from mcp_server.edge import Admission, Edge, Rules
from mcp_server.limits import AtOnce, Rate
from mcp_server.listening import Listening
from mcp_server.opening import opened
from mcp_server.server import build
from mcp_server.settings import ServerSettings

PATH = "/mcp"
MOST_CONNECTIONS = 512
"""Open at a time; what comes beyond is answered with 503."""
BURST, BURST_OF_STARTS = 10, 20
"""How many seconds' worth of calls, and of starts of runs, may come at once."""
BY_ADDRESS = 2
"""How much more may come from one address than from one caller: several may share it."""
GRACE = 5
"""Seconds that calls under way get when the server is told to stop; their runs go on later."""
_BACKLOG = 128


def listen(settings: ServerSettings) -> socket.socket:
    """A listening socket. Raises Refused `port_taken`, or `unsafe_address` and `bad_setting`.

    The protocol is named because asyncio switches Nagle's delay off only for sockets that say
    they are TCP; without it an answer may wait 40 ms.
    """
    refuse_if_unsafe(settings)
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
    auth = authentication(settings, port)
    server = build(settings, door=door, patience=0, auth=auth)
    rules = _rules(settings, auth, door)
    _health(server, door, open_to_all=auth is None)
    api.register(server, door, rules, api.ROUTES, _challenge(auth))
    hosts = host_names(settings, port)
    origins = [*(f"http://{host}" for host in _own_names(port)), *settings.origins]
    app: Any = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=settings.json_response,
        max_request_body_size=strict.LARGEST,
        max_sessions=settings.most_sessions,
        transport_security=TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins),
    )
    # The last in the list stands nearest to the application, inside the authentication.
    app.user_middleware.append(Middleware(Admission, rules=rules))
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Mcp-Session-Id", "WWW-Authenticate", "Retry-After"],
        )
    rate = BY_ADDRESS * settings.call_rate
    return Edge(
        app,
        hosts,
        origins,
        callers=Callers(settings.trusted_proxies),
        rate=Rate(rate, BURST * rate),
        now=WorldClock().now,
    )


def _challenge(auth: Authentication | None) -> str:
    """What somebody whom nobody knows is told to bring (RFC 6750, RFC 9728)."""
    where = f' resource_metadata="{auth.metadata_url}"' if auth and auth.metadata_url else ""
    return f"Bearer{where}"


def _rules(settings: ServerSettings, auth: Authentication | None, door: Door) -> Rules:
    def note(principal: str, code: str) -> None:
        if door.opened is not None:
            door.opened.refusals.note(principal, code)

    return Rules(
        PATH,
        asks=auth is not None,
        metadata_url=auth.metadata_url if auth else "",
        calls=Rate(settings.call_rate, BURST * settings.call_rate),
        starts=Rate(settings.run_rate, BURST_OF_STARTS * settings.run_rate),
        at_once=AtOnce(settings.most_calls),
        read_timeout=settings.read_timeout,
        now=WorldClock().now,
        note=note,
    )


def host_names(settings: ServerSettings, port: int) -> list[str]:
    """Every name by which callers may call the server, exactly as `Host` has it."""
    names = [*_own_names(port), *settings.host_names]
    if settings.host not in ("0.0.0.0", "::"):
        names.append(f"{bracketed(settings.host)}:{port}")
    if settings.public_url:
        url = urlsplit(settings.public_url.lower())
        usual = 443 if url.scheme == "https" else 80
        names.append(url.netloc)
        if url.port in (None, usual):
            bare = bracketed(url.hostname or "")
            names += [bare, f"{bare}:{usual}"]
    return list(dict.fromkeys(names))


def _own_names(port: int) -> Sequence[str]:
    return tuple(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


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
        http=patience.within(settings.read_timeout),
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        proxy_headers=False,  # whose word is taken is our setting, not uvicorn's
    )
    url = settings.public_url or f"http://{bracketed(host)}:{port}{PATH}"
    server = _Server(config, lambda: started(url), door)
    with listener:
        page = asyncio.create_task(_page(door))
        task = asyncio.create_task(server.serve([listener]))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            server.leave()
            await task
            raise
        finally:
            page.cancel()


async def _page(door: Door) -> None:
    """Have the approval page there from the start: its address may be in somebody's bookmarks."""
    with contextlib.suppress(Refused):  # who asks for a link is told why there is none
        await door.link()


def _health(server: MCPServer[Any], door: Door, *, open_to_all: bool) -> None:
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
        if not open_to_all:  # a probe says nobody who it is, so it is told nothing more
            return JSONResponse({"status": "ok"})
        states = {"working": 0, "draining": 0, "stale": 0}
        states |= Counter(worker.state for worker in found.workers)
        warning = {"warning": found.advice} if found.advice else {}
        return JSONResponse({"status": "ok", "workers": states, **warning})


class _Server(Listening):
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

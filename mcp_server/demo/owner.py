"""Who serves the demo world: one process at a time, found by a health call.

The port is part of the world and is remembered there, so addresses last over restarts. Whoever
needs the demo calls `ensure()`: if the world already answers on its port, it is used; else this
process binds the port and serves; if a stranger sits on it, a new port is agreed on in the
world's file, where only one of several contenders wins. A dead owner is replaced at the next
need. The service runs on a thread with its own event loop, so it cannot hold up the engine's.
"""

import asyncio
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine import WorldClock
from mcp_server.demo.health import answers

if TYPE_CHECKING:
    from mcp_server.demo.world import World
    from mcp_server.listening import Listening

HOST = "127.0.0.1"
PORT = 8766
_ROUNDS = 5
_START_SECONDS = 10.0
_BACKLOG = 128


class Demo:
    """The demo world in `folder`, of which there is one per `name` (one per database).

    `port` is only the first suggestion; 0 means any. `now` gives microseconds since the epoch.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "demo",
        *,
        port: int = PORT,
        now: Callable[[], int] | None = None,
    ) -> None:
        self._file = folder / f"{name}-world.sqlite3"
        self._first = port
        self._now = now or WorldClock().now
        self._world: World | None = None
        self._serving: _Serving | None = None
        self._turn = asyncio.Lock()

    async def ensure(self) -> str:
        """Make sure that somebody serves the world; `host:port` of whoever does.

        Cheap when this process serves, one loopback call when another does. Raises OSError
        when no port can be had or the world's file cannot be used.
        """
        async with self._turn:
            try:
                world = await asyncio.to_thread(self._open)
                if not self.owner:
                    await self._settle(world)
                return f"{HOST}:{world.port}"
            except sqlite3.Error as error:
                raise OSError(f"the demo's file {self._file.name} cannot be used") from error

    @property
    def owner(self) -> bool:
        """Whether this process serves the world."""
        return self._serving is not None and self._serving.alive

    async def close(self) -> None:
        """Stop serving, if this process does, and let go of the world's file."""
        async with self._turn:
            serving, self._serving = self._serving, None
            if serving is not None:
                await asyncio.to_thread(serving.stop)
            world, self._world = self._world, None
            if world is not None:
                await asyncio.to_thread(world.close)

    async def _settle(self, world: "World") -> None:
        for _ in range(_ROUNDS):
            port = world.port
            if port and await answers(HOST, port, world.id):
                return
            server = await asyncio.to_thread(_server, world, self._now)
            listener = bind(port)
            if listener is None and port and await answers(HOST, port, world.id):
                return  # it was bound between our two looks
            listener = listener or bind(0)
            if listener is not None and _agree(world, listener, port):
                self._serving = _Serving(server, listener)  # nothing is awaited since it was bound
                return
        raise OSError("no port on loopback could be had for the demo")

    def _open(self) -> "World":
        from mcp_server.demo.world import World

        if self._world is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._world = World(self._file, self._first, WorldClock().bytes(16).hex())
        return self._world


def _agree(world: "World", listener: socket.socket, before: int) -> bool:
    """Whether `listener` is where the world is served from now on; if not, it is closed."""
    port: int = listener.getsockname()[1]
    agreed = False
    try:
        agreed = port == before or world.agree_on(port, before)
    finally:
        if not agreed:
            listener.close()
    return agreed


def bind(port: int) -> socket.socket | None:
    """A listening socket on loopback, or None when the port is taken.

    Listening at once is what makes the port ours: on some systems two sockets may be bound to
    one port as long as neither listens. The protocol is named because asyncio switches
    Nagle's delay off only for sockets that say they are TCP (40 ms per answer otherwise).
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":  # there, reusing an address means sharing its port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        return None
    made.setblocking(False)
    return made


class _Serving:
    """A running server on its own thread."""

    def __init__(self, server: "Listening", listener: socket.socket) -> None:
        self._server = server
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="handrail-demo", daemon=True
        )
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._server.leave()
        self._thread.join(_START_SECONDS)


def _server(world: "World", now: Callable[[], int]) -> "Listening":
    import uvicorn

    from mcp_server.demo.service import build
    from mcp_server.listening import Listening

    return Listening(
        uvicorn.Config(
            build(world, now),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )

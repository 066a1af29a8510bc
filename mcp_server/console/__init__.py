"""The approval page's listener: opened when first needed, one for all processes of a database.

Of several processes with one database the one that can bind the remembered port serves the page;
the others hand out its address as long as it proves to be one of ours, and take over within
seconds when it is gone. A port that a stranger holds is given up for another one. The page ends
with its process in good order, before the engine does. What the page shows is not known here, and
nothing of it is imported before it is needed.
"""

import asyncio
import contextlib
import logging
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from engine import Move, Refused
from mcp_server.console import sockets

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from mcp_server.listening import Listening

logger = logging.getLogger(__name__)

TEND = 3.0
"""Seconds after which a page that another process served is looked at again."""
GRACE = 0.5
"""Seconds that requests under way get at the end: clients kill a server that is not gone soon."""
_TRIES = 4
_MOST_AT_ONCE = 64


class Console:
    """The approval page of an open engine, as far as this process has to do with it.

    `taken_over` is set once this process serves in place of another that is gone.
    """

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._port = 0
        self._server: _Serving | None = None
        self._tending: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._closed = False
        self.taken_over = asyncio.Event()

    async def __aenter__(self) -> "Console":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def serving(self) -> bool:
        """Whether this process serves the page."""
        return self._server is not None

    async def link(self, approval_id: str = "") -> str:
        """A live address of one approval, or of the list; the page is opened if it is not.

        Raises Refused `page_unavailable` when no port on loopback can be had.
        """
        async with self._turn:
            if not await self._lives():
                await self._open()
        if self._tending is None:
            self._tending = asyncio.create_task(self._tend())
        return f"http://localhost:{self._port}/" + (f"a/{approval_id}" if approval_id else "")

    async def served(self) -> None:
        """Return when this process does not serve the page, or no longer."""
        if self._server is not None:
            await self._server.over.wait()

    async def close(self) -> None:
        """Stop serving, if this process does."""
        self._closed = True
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        async with self._turn:
            if self._server is not None:
                await self._server.stop()
                self._server = None

    # -- which port, and whose ------------------------------------------------------------------

    async def _lives(self) -> bool:
        if self._server is not None and not self._server.over.is_set():
            return True
        self._server = None
        return self._port != 0 and await self._ours(self._port)

    async def _ours(self, port: int) -> bool:
        secret = (await self._engine.approvals.installation()).secret
        return await sockets.ours(secret, port, self._engine.settings.clock.bytes(16).hex())

    async def _open(self) -> None:
        """Serve at the remembered port, or find who does, or serve at another one."""
        if self._closed:
            raise _unavailable()
        known = (await self._engine.approvals.installation()).console_port
        for _ in range(_TRIES):
            found = sockets.bind(known) if known else None
            if found is not None:
                return await self._serve(found)
            if known and await self._ours(known):
                self._port = known
                return None
            known = await self._elsewhere(known)
            if self._server is not None:
                return None
        raise _unavailable()

    async def _elsewhere(self, known: int) -> int:
        """Serve at a port of our own unless another process was faster; the remembered port."""
        found = sockets.bind(0)
        if found is None:
            return known
        port = found[0].getsockname()[1]
        try:
            remembered = await self._engine.approvals.remember_port(port, instead_of=known)
        except BaseException:
            _close(found)
            raise
        if remembered == port:
            await self._serve(found)
        else:
            _close(found)
        return remembered

    async def _serve(self, found: list[Any]) -> None:
        from mcp_server.console.app import application  # takes a while, and few need it

        port = found[0].getsockname()[1]
        try:
            secret = (await self._engine.approvals.installation()).secret
            self._server = await _Serving.begin(application(self._engine, port, secret), found)
        except BaseException:
            _close(found)
            raise
        self._port = port

    async def _tend(self) -> None:
        """Take the page over when the process that served it is gone; it stays where it was."""
        while True:
            await asyncio.sleep(TEND)
            if self._server is None or self._server.over.is_set():
                async with self._turn:
                    await self._take_over()

    async def _take_over(self) -> None:
        self._server = None
        found = sockets.bind(self._port)
        if found is not None:
            try:
                await self._serve(found)
                self.taken_over.set()
            except Exception as error:
                logger.error("the page could not be taken over: %s", type(error).__name__)


def _close(found: list[Any]) -> None:
    for each in found:
        each.close()


def _unavailable() -> Refused:
    message = "the approval page could not be opened: no port on loopback"
    return Refused(
        "page_unavailable", message, "Decide with `handrail approve` instead.", move=Move.PERSON
    )


class _Serving:
    """A server of ours on sockets of ours, inside a process that has other things to do."""

    def __init__(self, server: "Listening", task: "asyncio.Task[None]") -> None:
        self._server, self._task = server, task
        self.over = asyncio.Event()
        task.add_done_callback(lambda _: self.over.set())

    @classmethod
    async def begin(cls, app: Any, found: list[Any]) -> "_Serving":
        """Serve; returns when connections are taken."""
        import uvicorn

        from mcp_server.listening import Listening

        begun = asyncio.Event()

        class Server(Listening):
            @contextlib.contextmanager
            def capture_signals(self) -> Generator[None]:
                yield  # the process has its own way of being told

            async def startup(self, sockets: list[Any] | None = None) -> None:
                await super().startup(sockets)
                begun.set()

        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off",
            timeout_graceful_shutdown=GRACE,  # type: ignore[arg-type]  # it may be a fraction
            limit_concurrency=_MOST_AT_ONCE,
        )  # fmt: skip
        server = Server(config)
        task = asyncio.create_task(server.serve(found))
        task.add_done_callback(lambda _: begun.set())
        await begun.wait()
        return cls(server, task)

    async def stop(self) -> None:
        """Stop in good order."""
        self._server.leave()
        await asyncio.gather(self._task, return_exceptions=True)

"""The way to the engine of a server, which is opened when it is first needed.

A server must answer its first listing at once, and some clients start a server twice and throw
one away. So nothing is opened at start-up: `Door` opens the engine at the first call that needs
it, or a moment later, and says in plain words why it could not.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from engine import Move, Refused
from mcp_server.console import Console

if TYPE_CHECKING:
    from engine.app.engine import Engine

logger = logging.getLogger(__name__)

Opener = Callable[[], AbstractAsyncContextManager["Engine"]]

FRESH = 0.5
"""Seconds for which the folders are taken to be unchanged."""


class Door:
    """The way to the engine, held open by a server; `engine` and `fresh` wait for it.

    A failure to open is answered to whoever waits, and the next call tries again.
    """

    def __init__(self, open_: Opener) -> None:
        self._open = open_
        self._servers = 0
        self._closing = self._wanted = asyncio.Event()
        self._attempt = _Attempt()
        self._looked = -FRESH
        self._callbacks: list[Callable[[], None]] = []
        self._page: Console | None = None

    @property
    def opened(self) -> "Engine | None":
        """The engine if it is open now."""
        return self._attempt.engine

    def on_open(self, callback: Callable[[], None]) -> None:
        """Have `callback` called each time the engine has been opened."""
        self._callbacks.append(callback)

    async def engine(self) -> "Engine":
        """The engine; raises Refused when it cannot be opened."""
        attempt = self._attempt
        if attempt.engine is None:
            self._wanted.set()
            await attempt.over.wait()
        if attempt.engine is None:
            raise attempt.failure or _unavailable()
        return attempt.engine

    async def fresh(self) -> "Engine":
        """The engine, with its folders read again if they have changed."""
        engine = await self.engine()
        now = anyio.current_time()
        if now - self._looked >= FRESH:
            self._looked = now
            await engine.refresh()
        return engine

    async def link(self, approval_id: str = "") -> str:
        """A live address on the approval page, of one approval or of the list.

        The page is opened if no process of this database serves it. Raises Refused when the
        engine (`engine_unavailable`, ...) or the page (`page_unavailable`) cannot be opened.
        """
        await self.engine()
        if self._page is None:
            raise _unavailable()
        return await self._page.link(approval_id)

    async def address(self, approval_id: str) -> str:
        """As `link`, and empty where there is no page: there is still the terminal."""
        try:
            return await self.link(approval_id)
        except Refused as refused:
            logger.warning("the approval page is not there: %s", refused.code)
            return ""

    @asynccontextmanager
    async def held(self, patience: float) -> AsyncGenerator[None]:
        """For the life of a server. The engine is opened after `patience` seconds at the latest.

        A task of its own holds the engine: whoever ends the server may cancel everything round
        it, and the engine is closed in good order all the same. One that is still being opened,
        which takes minutes where a large catalogue is read, is given up.
        """
        self._servers += 1
        if self._servers == 1:
            self._closing, self._wanted = asyncio.Event(), asyncio.Event()
            self._keeper = asyncio.create_task(self._keep(patience))
        try:
            yield
        finally:
            self._servers -= 1
            if not self._servers:
                self._closing.set()
                self._wanted.set()
                if self.opened is None:
                    self._keeper.cancel()
                with anyio.CancelScope(shield=True), contextlib.suppress(asyncio.CancelledError):
                    await self._keeper

    async def _keep(self, patience: float | None) -> None:
        try:
            while not self._closing.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), patience)
                if not self._closing.is_set():
                    await self._hold(self._attempt)
                patience = None
        finally:
            attempt, self._attempt = self._attempt, _Attempt()
            attempt.over.set()  # nobody waits for an engine that will not come

    async def _hold(self, attempt: "_Attempt") -> None:
        try:
            async with self._open() as engine, Console(engine) as self._page:
                attempt.engine = engine
                attempt.over.set()
                for callback in self._callbacks:
                    callback()
                await self._closing.wait()
                attempt.engine = None
                engine.drain()  # runs come to a safe point while the page ends
        except Exception as error:
            attempt.failure = _in_words(error)
        finally:
            attempt.engine = self._page = None
            self._attempt = _Attempt()
            self._wanted.clear()
            attempt.over.set()


class _Attempt:
    """One try at opening: over when there is an engine or a reason why not."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.engine: Engine | None = None
        self.failure: Refused | None = None


def _in_words(error: Exception) -> Refused:
    if isinstance(error, Refused):
        logger.error("the engine could not be opened: %s (%s)", error.message, error.code)
        return Refused(
            error.code, error.message, error.hint, move=error.move, details=error.details
        )
    logger.error("the engine could not be opened: %s", type(error).__name__, exc_info=error)
    return _unavailable()


def _unavailable() -> Refused:
    hint = "Run `handrail doctor`; it says what is broken."
    return Refused("engine_unavailable", "the engine could not be opened", hint, move=Move.PERSON)

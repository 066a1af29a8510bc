"""A server of HTTP that ends when it is told to, and sleeps while nobody asks for anything.

uvicorn looks ten times a second whether it shall end, and gives connections a tenth of a second to
go even where there are none: each end of a server waits for both, and an idle process never
sleeps. Here the one who wants it to end wakes it; what is left to do by the clock is the date in
the answers, once a second.
"""

import asyncio
import contextlib
import socket
from types import FrameType

import uvicorn

SECOND = 1.0


class Listening(uvicorn.Server):
    """uvicorn's server, which `leave` or a signal ends at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def leave(self) -> None:
        """Take no more connections and finish what is under way; any thread may say so."""
        self.should_exit = True
        self._wake()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal; it comes in the middle of anything."""
        super().handle_exit(sig, frame)
        self._wake()

    def _wake(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is over already
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Keep the date until somebody says that it is over."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SECOND):
                    await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; whoever is connected gets the time that uvicorn gives, and nobody else does."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for _ in range(2):  # who was being let in is in by then
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            return await super().shutdown(sockets)
        for server in self.servers:
            await server.wait_closed()
        if not self.force_exit:
            await self.lifespan.shutdown()
        return None

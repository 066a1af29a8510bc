"""A line to a PostgreSQL server that breaks round a commit, where dice say so.

It listens on a port of its own, on a thread of its own, and passes bytes on both ways. A commit
that a client sends is lost before it reaches the server, or its answer is: either way the line
breaks, and the client does not know which it was.
"""

import asyncio
import random
import re
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress

CHUNK = 65_536


_PREPARED = re.compile(rb"P.{4}([^\0]*)\0commit\0", re.DOTALL | re.IGNORECASE)
_ASKED = re.compile(rb"Q.{4}commit\0", re.DOTALL | re.IGNORECASE)
_BOUND = rb"B.{4}[^\0]*\0%s\0"
"""Messages of PostgreSQL's protocol (version 3, section 54.7): Parse, Query and Bind."""


class Commits:
    """Knows the commits in what one client sends. It prepares them once and then names them."""

    def __init__(self) -> None:
        self._names = set[bytes]()

    def __contains__(self, data: bytes) -> bool:
        fresh = _PREPARED.findall(data)
        self._names.update(name for name in fresh if name)
        bound = (re.search(_BOUND % re.escape(name), data, re.DOTALL) for name in self._names)
        return bool(fresh or _ASKED.search(data) or any(bound))


class Proxy:
    """The line to the server on `port`. `odds` is the chance of each commit to be cut off."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self._target, self._dice, self.odds = port, dice, 0.0
        self.port = 0
        self.cuts = Counter[str]()
        self._lines: set[asyncio.Task[None]] = set()

    async def serve(self, ready: threading.Event, over: asyncio.Event) -> None:
        """Pass bytes on until it is over."""
        server = await asyncio.start_server(self._line, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _line(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        with suppress(OSError, asyncio.CancelledError):
            far, forth = await asyncio.open_connection("127.0.0.1", self._target)
            answers = asyncio.create_task(self._pass(far, back))
            with suppress(OSError, asyncio.CancelledError):
                await self._asked(near, forth, answers)
            answers.cancel()
            forth.close()
        back.transport.abort()
        self._lines.discard(task)

    async def _asked(
        self,
        near: asyncio.StreamReader,
        forth: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        commits = Commits()
        while data := await near.read(CHUNK):
            how = self._how() if data in commits else ""
            if how == "before it arrived":
                return
            if how == "while it was answered":
                answers.cancel()  # whatever is answered from here on, nobody hears
            forth.write(data)
            await forth.drain()
            if how:
                await self._settled(how)
                return

    def _how(self) -> str:
        """How the line breaks at a commit, or nothing."""
        if self._dice.random() >= self.odds:
            return ""
        how = self._dice.choice(("before it arrived", "while it was answered", "at once"))
        self.cuts[how] += 1
        return how

    async def _settled(self, how: str) -> None:
        """The server has carried it out before the line breaks, or it may have."""
        if how == "while it was answered":
            await asyncio.sleep(0.05)

    async def _pass(self, far: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await far.read(CHUNK):
                back.write(data)
                await back.drain()
        back.transport.abort()


@contextmanager
def proxy(port: int, dice: random.Random) -> Generator[Proxy]:
    """A line to a server, until the block ends."""
    made, ready, loop = Proxy(port, dice), threading.Event(), asyncio.new_event_loop()
    over = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(made.serve(ready, over),))
    thread.start()
    try:
        ready.wait(10)
        yield made
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()

"""A server that is shown bad inputs, and what must be the same after each of them.

It runs in a thread of its own for a whole file of tests. What it writes to the log is kept as it
would stand on stderr; the journal is counted before and after.
"""

import asyncio
import io
import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import Engine
from mcp_server import http, logs
from mcp_server.door import Door
from mcp_server.settings import ServerSettings
from tests.server.calling import Reply, ask, send
from tests.server.world import World, world

SECONDS = 20


@dataclass
class Target:
    """The server, its world, and what it has said."""

    world: World
    port: int = 0
    said: io.StringIO = field(default_factory=io.StringIO)
    loop: Any = None

    def within(self, coroutine: Any) -> Any:
        """Run something where the server's engine lives."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SECONDS)

    @property
    def engine(self) -> Engine:
        """The open engine."""
        assert self.world.engine is not None
        return self.world.engine

    def state(self) -> tuple[int, int]:
        """How many events there are and how many runs; refusals may be counted, runs not made."""
        found = self.within(self.engine.verify())
        assert not found.problems
        runs = self.within(self.engine.runs(limit=100))
        return found.events, len(runs.rows)

    def send(self, *lines: str, **more: Any) -> Reply:
        """One request written by hand."""
        return asyncio.run(send(self.port, *lines, **more))

    def ask(self, *lines: str, method: str, **params: Any) -> Reply:
        """One message of a client of today."""
        return asyncio.run(ask(self.port, method, *lines, **params))

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer of a tool."""
        reply = self.ask(method="tools/call", name=name, arguments=arguments)
        found: dict[str, Any] = reply.result["structuredContent"]
        return found


@contextmanager
def target(folder: Path, **settings: Any) -> Generator[Target]:
    """A server on a port, with every tool."""
    found = Target(world(folder))
    handler = logging.StreamHandler(found.said)
    handler.setFormatter(logs._Telling("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    ready = threading.Event()
    told = ServerSettings(port=0, toolsets=frozenset({"default", "operate"}), **settings)

    async def serve() -> None:
        listener = http.listen(told)
        found.port, found.loop = listener.getsockname()[1], asyncio.get_running_loop()
        door = Door(found.world.open)
        door.on_open(ready.set)
        task = asyncio.create_task(http.serve(told, listener, door=door))
        stopping.append(task)
        await asyncio.gather(task, return_exceptions=True)

    stopping: list[asyncio.Task[None]] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(SECONDS)
    try:
        yield found
    finally:
        found.loop.call_soon_threadsafe(stopping[0].cancel)
        thread.join(SECONDS)
        logging.getLogger().removeHandler(handler)
        assert not thread.is_alive()


@contextmanager
def unmoved(found: Target) -> Generator[None]:
    """Nothing is recorded meanwhile, and no stack trace or error is logged."""
    before = found.state()
    said = len(found.said.getvalue())
    yield
    assert found.state() == before
    lines = found.said.getvalue()[said:]
    assert "Traceback" not in lines
    assert "ERROR" not in lines, lines

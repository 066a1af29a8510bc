"""A listening server ends when it is told to, whoever tells it, and not when it next looks."""

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from sse_starlette.sse import AppStatus

from mcp_server import listening
from mcp_server.listening import Listening

BOUND = 20.0
FOR_EVER = 3_600.0


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers everything with nothing."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class Told(Listening):
    """Says when it has looked for the first time."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.looked = asyncio.Event()

    async def on_tick(self, counter: int) -> bool:
        """Look once more."""
        self.looked.set()
        return await super().on_tick(counter)


@asynccontextmanager
async def served() -> AsyncGenerator[tuple[Told, int, "asyncio.Task[None]"]]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = Told(config)
    task = asyncio.create_task(server.serve([listener]))
    async with asyncio.timeout(BOUND):
        await server.looked.wait()
        yield server, listener.getsockname()[1], task
        await task


ENDS: list[Callable[[Listening], Any]] = [
    lambda server: server.leave(),
    lambda server: asyncio.to_thread(server.leave),
    lambda server: server.handle_exit(signal.SIGINT, None),
]


@pytest.mark.parametrize("end", ENDS, ids=["here", "from a thread", "by a signal"])
async def test_who_is_told_to_end_does_not_look_again_first(
    end: Callable[[Listening], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "SECOND", FOR_EVER)
    monkeypatch.setattr(AppStatus, "should_exit", False)  # else all streams end here
    async with served() as (server, _, task):
        told = end(server)
        if asyncio.iscoroutine(told):
            await told
        server._captured_signals.clear()  # it was no real one: the process goes on
        await task


async def test_a_call_that_is_under_way_is_answered_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "SECOND", FOR_EVER)
    async with served() as (server, port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await writer.drain()
        head = await reader.readline()
        assert b"204" in head
        server.leave()
        assert await reader.read() is not None  # it is closed, not kept waiting
        writer.close()


async def test_the_date_is_kept_while_nobody_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "SECOND", 0.001)
    async with served() as (server, _, _task):
        server.looked.clear()
        await server.looked.wait()
        server.leave()

"""Real servers on loopback that answer exactly what a test wants, down to the byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Loopback:
    """A server that is listening; `heads` and `bodies` are those of the requests it has read."""

    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def take(self, reader: asyncio.StreamReader) -> str:
        """Read one whole request; its head."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lower = head.lower()
        length = 0
        if "content-length:" in lower:
            length = int(lower.split("content-length:")[1].split("\r\n")[0])
        self.bodies.append(await reader.readexactly(length))
        self.heads.append(head)
        self.arrived.set()
        return head


Talk = Callable[[Loopback, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[Loopback]:
    """A server that has `talk` with each connection, until the block ends."""
    server_side = Loopback()
    talks: set[asyncio.Task[None]] = set()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_side.connections += 1
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(server_side, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            talks.discard(task)
            writer.close()

    server = await asyncio.start_server(welcome, "127.0.0.1", 0, ssl=tls)
    server_side.port = server.sockets[0].getsockname()[1]
    try:
        yield server_side
    finally:
        server.close()
        for task in tuple(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def answer(
    body: bytes = b"{}", status: str = "200 OK", kind: str = "application/json", *extra: str
) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *extra]
    if kind:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def gzipped(body: bytes) -> bytes:
    """An answer that says its body is gzip."""
    return answer(body, "200 OK", "application/json", "Content-Encoding: gzip")


def saying(*answers: bytes, close: bool = False) -> Talk:
    """A talk that answers each request in turn, the last one for ever."""
    left = list(answers)

    async def talk(
        server: Loopback, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await server.take(reader)
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()
            if close:
                return

    return talk

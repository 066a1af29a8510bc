"""An HTTP server of ours on a port, and requests written by hand, so that they can be wrong."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp_server import http
from mcp_server.door import Door
from mcp_server.settings import ServerSettings

SECONDS = 10
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
MODERN = "2026-07-28"
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
}


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    head: str
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["error"]
        return found

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["result"]
        return found

    def header(self, name: str) -> str:
        """The value of a header; empty when it is not there."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return ""


@asynccontextmanager
async def serving(settings: ServerSettings, opener: Any) -> AsyncGenerator[int]:
    """A server with these settings; the port it listens on."""
    listener = http.listen(settings)
    port: int = listener.getsockname()[1]
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        http.serve(settings, listener, started=url.set_result, door=Door(opener))
    )
    try:
        async with asyncio.timeout(SECONDS):
            await url
        yield port
    finally:
        task.cancel()
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(task, return_exceptions=True)


async def send(
    port: int, *lines: str, body: bytes = PING, method: str = "POST", path: str = "/mcp"
) -> Reply:
    """One request; a line `Name: -` leaves that header out."""
    given = {line.split(":")[0].lower() for line in lines}
    heads = [f"{method} {path} HTTP/1.1"]
    defaults = {
        "host": f"127.0.0.1:{port}",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "content-length": str(len(body)),
        "connection": "close",
    }
    heads += [f"{name}: {value}" for name, value in defaults.items() if name not in given]
    heads += [line for line in lines if not line.endswith(": -")]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join(heads).encode() + b"\r\n\r\n" + body)
    try:
        async with asyncio.timeout(SECONDS):
            answer = await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    head, _, rest = answer.partition(b"\r\n\r\n")
    return Reply(int(head.split(b" ")[1]), head.decode("latin-1"), rest)


async def ask(
    port: int, method: str, *lines: str, id: Any = 1, meta: Any = None, **params: Any
) -> Reply:
    """One message of a client of today."""
    name = params.get("name", params.get("uri"))
    heads = [f"MCP-Protocol-Version: {MODERN}", f"Mcp-Method: {method}"]
    heads += [f"Mcp-Name: {name}"] if name is not None else []
    given = {line.split(":")[0].lower() for line in lines}
    heads = [head for head in heads if head.split(":")[0].lower() not in given]
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    body = json.dumps({**message, "params": {**params, "_meta": meta or _META}}).encode()
    return await send(port, *heads, *lines, body=body)


def bearer(token: str) -> str:
    """The header that a token is sent in."""
    return f"Authorization: Bearer {token}"

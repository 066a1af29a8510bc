"""Asking a port on loopback which world it serves, without an HTTP library.

This runs at start-up, where importing a client would cost more than everything else. It speaks
just enough HTTP/1.1 to be answered, and believes only the answer it hopes for.
"""

import asyncio
import contextlib
import json
import re

_SECONDS = 2.0
_LONGEST = 8192
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]{1,9})\r\n")


async def answers(host: str, port: int, world: str, seconds: float = _SECONDS) -> bool:
    """Whether the service at `host:port` says that it serves `world`, within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await _ask(host, port) == world
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return False


async def _ask(host: str, port: int) -> object:
    reader, writer = await asyncio.open_connection(host, port, limit=_LONGEST)
    try:
        request = f"GET /health HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(min(int(length[1]), _LONGEST)) if length else b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    found = json.loads(body) if head.startswith(b"HTTP/1.1 200 ") else {}
    return found.get("world") if isinstance(found, dict) else None

"""MCP over the process's own stdin and stdout, one JSON message a line.

The SDK speaks the protocol; this module gives it the two files. They are private duplicates, and
fd 0 and fd 1 are turned away while serving, so that a stray print reaches stderr and nothing else
reads the wire. Each line is held against `strict` first, and a bad one is answered instead of
dropped. Pipes are driven by the event loop: that is faster than a thread per line, and a server
that is told to stop does not hang on a read.
"""

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, Protocol, cast

import anyio
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server

from mcp_server import strict
from mcp_server.server import build
from mcp_server.settings import ServerSettings
from mcp_server.signals import told

_ROOM = strict.LARGEST + 1


class _Files(Protocol):
    async def line(self) -> bytes: ...
    async def write(self, text: bytes) -> None: ...
    def close(self) -> None: ...


DRAIN = 1.5
"""Seconds that runs get at most at the end: clients kill a server that is not gone after two."""


def run(settings: ServerSettings) -> None:
    """Serve until the client closes stdin or a signal ends it, in good order either way."""
    brief = replace(settings, drain=min(settings.drain, DRAIN))
    with contextlib.suppress(KeyboardInterrupt):
        anyio.run(_until_told, build(brief))


async def _until_told(server: MCPServer[Any]) -> None:
    with anyio.CancelScope() as scope, told(scope.cancel, lambda: None):
        await serve(server)


async def serve(server: MCPServer[Any]) -> None:
    """Serve one server on the process's stdin and stdout."""
    async with _own_files() as files:
        stdin, stdout = cast(Any, _In(files)), cast(Any, _Out(files))
        async with stdio_server(stdin, stdout) as (incoming, outgoing):
            low = server._lowlevel_server  # the SDK has no other way to give it streams
            await low.run(incoming, outgoing, low.create_initialization_options())


class _In:
    """The lines that may come in, as the SDK reads a text file."""

    def __init__(self, files: _Files) -> None:
        self._files = files

    def __aiter__(self) -> "_In":
        return self

    async def __anext__(self) -> bytes:
        while line := await self._files.line():
            if not line.strip():
                continue
            fault = strict.fault(line)
            if fault is None:
                return line
            await self._files.write(fault.body() + b"\n")
        raise StopAsyncIteration


class _Out:
    """Where messages go, as the SDK writes a text file."""

    def __init__(self, files: _Files) -> None:
        self._files = files

    async def write(self, text: str) -> None:
        await self._files.write(text.encode())

    async def flush(self) -> None:
        """Nothing is held back."""


@contextlib.asynccontextmanager
async def _own_files() -> AsyncGenerator[_Files]:
    sys.stdout.flush()
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    piped = _is_pipe(reading) and _is_pipe(writing)
    files = await _Pipes.open(reading, writing) if piped else _Threads(reading, writing)
    try:
        yield files
    finally:
        files.close()
        os.dup2(reading, 0)
        os.dup2(writing, 1)


def _is_pipe(fd: int) -> bool:
    # A terminal must not be made non-blocking: the shell that started us shares it.
    mode = os.fstat(fd).st_mode
    return os.name == "posix" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


class _Pipes:
    """Pipes on the event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, reading: int, writing: int) -> "_Pipes":
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_ROOM)
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", closefd=False)
        )
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop), os.fdopen(writing, "wb", closefd=False)
        )
        return cls(reader, asyncio.StreamWriter(transport, protocol, None, loop))

    async def line(self) -> bytes:
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            return end.partial
        except asyncio.LimitOverrunError as over:
            return await self._too_long(over.consumed)

    async def _too_long(self, consumed: int) -> bytes:
        """Read past a line that is too long; what is returned is still too long for `strict`."""
        kept = await self._reader.readexactly(consumed)
        while not kept.endswith(b"\n"):
            try:
                await self._reader.readuntil(b"\n")
                break
            except asyncio.LimitOverrunError as over:
                await self._reader.readexactly(over.consumed)
            except asyncio.IncompleteReadError:
                break
        return kept

    async def write(self, text: bytes) -> None:
        self._writer.write(text)
        await self._writer.drain()

    def close(self) -> None:
        self._writer.transport.abort()


class _Threads:
    """Anything else that can be read and written: terminals, files, Windows."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reader = anyio.wrap_file(os.fdopen(reading, "rb", closefd=False))
        self._writer = anyio.wrap_file(os.fdopen(writing, "wb", closefd=False))

    async def line(self) -> bytes:
        return await self._reader.readline()

    async def write(self, text: bytes) -> None:
        await self._writer.write(text)
        await self._writer.flush()

    def close(self) -> None:
        """The duplicates are the process's for as long as it lives."""

"""A server of which one part crashes with a secret in the error's text.

Run as `python -m tests.server.crashing stdio|PORT PART`. Nothing in it keeps the secret from
being told: that is what the test looks for.
"""

import asyncio
import sys
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel

from mcp_server import http, server, stdio
from mcp_server.door import Door
from mcp_server.logs import to_stderr
from mcp_server.settings import ServerSettings

SECRET = "hunter2-hunter2"


class Strict(BaseModel):
    """Something whose error shows what it was given."""

    number: int


class Grave:
    """An object that fails when it is thrown away."""

    def __del__(self) -> None:
        raise RuntimeError(SECRET)


def boom() -> Any:
    """An error that carries the secret, and was caused by another that does."""
    try:
        Strict.model_validate({"number": SECRET})
    except ValueError as error:
        raise RuntimeError(f"could not log in with {SECRET}") from error


class CrashingDoor(Door):
    """A way to the engine that cannot even be held."""

    @asynccontextmanager
    async def held(self, patience: float) -> AsyncGenerator[None]:
        boom()
        yield


@asynccontextmanager
async def opening() -> AsyncGenerator[Any]:
    """An engine that cannot be opened."""
    boom()
    yield


class Engine:
    """An engine whose every verb fails in its own way."""

    def __init__(self) -> None:
        self.draining, self.refusals = False, self

    def note(self, principal: str, code: str) -> None:
        """Counting works."""

    def drain(self) -> None:
        """Ending works."""

    async def refresh(self) -> None:
        """Reading the folders leaves things behind that fail later, where nobody waits."""
        asyncio.get_running_loop().call_soon(boom)
        task = asyncio.create_task(self.fails())
        await asyncio.wait([task])
        del task
        Grave()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.fails())

    async def fails(self) -> None:
        """A task that fails."""
        boom()

    async def run(self, run_id: str) -> Any:
        """A run that cannot be read."""
        Strict.model_validate({"number": SECRET})

    def subscribe(self, _: Any) -> Any:
        """Nobody can listen."""
        boom()


def _register(target: Any) -> None:
    @target.tool()  # type: ignore[untyped-decorator]
    async def foreign_tool() -> str:
        return str(boom())

    @target.resource("crash://it")  # type: ignore[untyped-decorator]
    async def resource() -> str:
        return str(boom())

    @target.resource("invalid://it")  # type: ignore[untyped-decorator]
    async def invalid() -> str:
        return str(Strict.model_validate({"number": SECRET}))

    @target.prompt()  # type: ignore[untyped-decorator]
    async def prompt() -> str:
        return str(boom())


async def main(transport: str, part: str) -> None:
    """Serve until told to stop."""
    warnings.simplefilter("default")

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Any]:
        yield Engine()

    door = {"lifespan": CrashingDoor, "opening": Door}.get(part, Door)(
        opening if part == "opening" else opened
    )
    if transport == "stdio":
        await stdio.serve(server.build(ServerSettings(), door=door, extra=[_register]))
        return
    settings = ServerSettings(port=int(transport))
    build = server.build
    http.build = lambda *given, **more: build(*given, **more, extra=[_register])  # type: ignore[attr-defined]
    await http.serve(settings, http.listen(settings), door=door)


if __name__ == "__main__":
    to_stderr()
    asyncio.run(main(*sys.argv[1:]))

"""The engine of this process as its settings mean it, together with the demo.

Nothing here is exclusive: several processes may have the same database open. A worker comes this
way too, so nothing of the protocol is imported, and the demo only where it is on.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine import Move, Refused
from mcp_server.first_reading import read_apart
from mcp_server.places import find
from mcp_server.settings import ServerSettings, engine_settings

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.app.settings import Settings
    from mcp_server.demo import Demo

TEND = 5.0
"""Seconds after which a demo that another process served is looked at again."""


@asynccontextmanager
async def opened(settings: ServerSettings) -> AsyncGenerator["Engine"]:
    """The engine as these settings describe it, with the demo's world if it is on.

    Raises Refused (`database_...`, `demo_unavailable`) when it cannot be opened.
    """
    async with AsyncExitStack() as stack:
        # Importing the engine takes a while; on a thread the loop goes on answering listings.
        open_engine = await asyncio.to_thread(_import_engine)
        chosen = replace(engine_settings(settings), apart=read_apart)
        if settings.demo:
            host, port = await _demo(settings, stack)
            chosen = replace(
                chosen,
                folders=(*chosen.folders, find("resources") / "examples" / "demo"),
                allowed_hosts=chosen.allowed_hosts | {(host, port)},
                connectors={"demo": f"http://{host}:{port}"},
            )
        yield await stack.enter_async_context(open_engine(chosen))


def _import_engine() -> "Callable[[Settings], AbstractAsyncContextManager[Engine]]":
    from engine import collect_rarely
    from engine.app.engine import open_engine

    collect_rarely()
    return open_engine


async def _demo(settings: ServerSettings, stack: AsyncExitStack) -> tuple[str, int]:
    from engine import database_of
    from mcp_server.demo import Demo

    database = database_of(settings.database)
    file = database if isinstance(database, Path) else Path(database_of(""))
    demo = Demo(file.parent, file.stem)  # beside the database, or where it would be
    stack.push_async_callback(demo.close)
    try:
        host, _, port = (await demo.ensure()).rpartition(":")
    except OSError as error:
        message = "the demo could not be started: no port on loopback, or no place for its file"
        raise Refused("demo_unavailable", message, move=Move.PERSON) from error
    tending = asyncio.create_task(_tend(demo))
    stack.callback(tending.cancel)
    return host, int(port)


async def _tend(demo: "Demo") -> None:
    """Take the demo over when the process that served it is gone; it comes back at its port."""
    while True:
        await asyncio.sleep(TEND)
        if not demo.owner:
            with contextlib.suppress(OSError):
                await demo.ensure()

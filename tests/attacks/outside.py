"""The system outside: it writes down every request that could have changed something.

It is the only witness that counts. What the engine believes, records or answers is no proof.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.shell.loopback import Loopback, answer, serving


@dataclass(frozen=True)
class Effect:
    """One request that changed something, as it arrived."""

    method: str
    path: str
    body: bytes

    @property
    def line(self) -> tuple[str, str, str]:
        """What is compared with what was allowed."""
        return self.method, self.path, self.body.decode()


@dataclass
class Outside:
    """A service with rows that can be read, and a log of what was changed."""

    port: int = 0
    effects: list[Effect] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    reads: int = 0
    rows: dict[str, Any] = field(default_factory=lambda: {"1": {"amount": 10}, "2": {"amount": 20}})
    hold: asyncio.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def talk(
        self, seen: Loopback, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            head = await seen.take(reader)
            method, path = head.split(" ")[:2]
            self.heads.append(head)
            if method == "GET":
                self.reads += 1
                row = self.rows.get(path.rpartition("/")[2], {})
                writer.write(answer(json.dumps(row).encode()))
            else:
                self.effects.append(Effect(method, path, seen.bodies[-1]))
                if self.hold is not None:
                    await self.hold.wait()
                writer.write(answer(json.dumps({"done": len(self.effects)}).encode()))
            await writer.drain()


@asynccontextmanager
async def outside() -> AsyncGenerator[Outside]:
    """The service, listening until the block ends."""
    service = Outside()
    async with serving(service.talk) as server:
        service.port = server.port
        yield service

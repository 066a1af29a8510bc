"""A connector for tests: it may reach the loopback servers of one test, and only those."""

import asyncio
import socket
from typing import Any

import httpcore
import pytest

from engine.core.errors import Failure, StepError
from engine.core.request import Request
from engine.shell.connectors.http import HttpConnector
from engine.shell.connectors.limits import HttpLimits
from tests.shell.loopback import Loopback

SECONDS = 5.0
LIMITS = HttpLimits(connect=1.0, response=64 * 1024)


class Client:
    """A connector that may reach these servers."""

    def __init__(self, *servers: Loopback, limits: HttpLimits = LIMITS) -> None:
        allowed = {("127.0.0.1", server.port) for server in servers}
        self.http = HttpConnector(allowed, limits)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def get(self, url: str, *headers: tuple[str, str], seconds: float = SECONDS) -> Any:
        return await self.http.call(Request("GET", url, headers), seconds)

    async def post(self, url: str, body: bytes = b"{}", seconds: float = SECONDS) -> Any:
        headers = (("Content-Type", "application/json"),)
        return await self.http.call(Request("POST", url, headers, body), seconds)


async def failure_of(call: Any) -> Failure:
    with pytest.raises(StepError) as caught:
        await asyncio.wait_for(call, SECONDS)
    return caught.value.failure


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Street(httpcore.AsyncNetworkBackend):
    """A network on which public addresses are houses of this machine."""

    def __init__(self, **houses: int) -> None:
        self._houses = {f"93.184.215.{number}": port for number, port in enumerate(houses.values())}
        self._names = dict(zip(houses, self._houses, strict=True))

    async def resolve(self, host: str, port: int) -> list[str]:
        return [self._names[host.removesuffix(".test")]]

    async def connect_tcp(self, host: str, port: int, *rest: Any) -> httpcore.AsyncNetworkStream:
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self._houses[host], *rest)

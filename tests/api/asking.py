"""Requests to the HTTP API of a server under test."""

import json
from typing import Any

from tests.server.calling import Reply, send


async def get(port: int, path: str, *lines: str) -> tuple[int, Any]:
    """The status and the facts of a GET."""
    return told(await send(port, *lines, method="GET", path=f"/api/v1{path}", body=b""))


async def give(
    port: int, method: str, path: str, facts: Any, *lines: str
) -> tuple[int, dict[str, Any]]:
    """The status and the facts of a request with a body."""
    body = facts if isinstance(facts, bytes) else json.dumps(facts).encode()
    return told(await send(port, *lines, method=method, path=f"/api/v1{path}", body=body))


def told(reply: Reply) -> tuple[int, Any]:
    """A reply as its status and what its body says."""
    return reply.status, json.loads(reply.body)

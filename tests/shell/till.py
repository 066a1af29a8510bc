"""A system outside that changes, over real sockets, in the four ways in which such systems do.

It says how often something happened, which no test could learn from the answers: what is sent and
what is heard of it are two things.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.shell.loopback import Loopback, answer, serving

KINDS = ("none", "natural", "key", "lookup")


@dataclass
class Till:
    """What happened so far. `plan` says how the next requests are treated, then all is well.

    A word of it is done or not: `lost` closes without doing anything, `silent` after doing it,
    `503` and `500` answer so without doing it, `done-500` after; `held` waits until it may go on,
    and `held-lost` and `held-done` do nothing then, or have done it before; `garbled` does it and
    answers something that cannot be read. It finds nothing as
    long as something is `hidden`, and answers no questions while it is `deaf`.
    """

    server: Loopback
    plan: list[str] = field(default_factory=list)
    effects: list[tuple[str, str]] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    hidden: int = 0
    deaf: bool = False
    reads: int = 0
    balance: int = 10
    held: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(
        self, server: Loopback, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection after the other."""
        while True:
            head = await server.take(reader)
            method, path, _ = head.split(" ", 2)
            if method == "GET":
                self.reads += 1
                status = "503 Deaf" if self.deaf else "200 OK"
                writer.write(answer(json.dumps(self._read(path)).encode(), status))
                continue
            how = self.plan.pop(0) if self.plan else "fine"
            if how in {"held", "held-lost"}:
                self.reached.set()
                await self.held.wait()
            if how in {"lost", "held-lost", "500", "503"}:
                result: Any = None
            else:
                result = self._do(path, _key(head), server.bodies[-1])
            self.reached.set()
            if how == "held-done":
                await self.held.wait()
            if how in {"lost", "silent", "held-lost", "held-done"}:
                return
            said = {"500": "500 Oops", "done-500": "500 Oops", "503": "503 Busy"}.get(how)
            extra = ("Retry-After: 0",) if how == "503" else ()
            body = b"{" if how == "garbled" else json.dumps(result).encode()
            writer.write(answer(body, said or "200 OK", "application/json", *extra))

    def _do(self, path: str, key: str, body: bytes) -> Any:
        kind = path.split("/")[1]
        if kind == "natural":
            self.state[path] = json.loads(body)
            self.effects.append((path, key))
            return self.state[path]
        if kind == "key" and key in self.keys:
            return self.keys[key]
        self.effects.append((path, key))
        result = {"number": len(self.effects)}
        if key:
            self.keys[key] = result
        return result

    def _read(self, path: str) -> Any:
        if path.startswith("/balance"):
            return {"balance": self.balance}
        if self.hidden > 0:
            self.hidden -= 1
            return {"found": []}
        key = path.rpartition("=")[2]
        return {"found": [self.keys[key]] if key in self.keys else []}


def _key(head: str) -> str:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "idempotency-key":
            return value.strip()
    return ""


@asynccontextmanager
async def till() -> AsyncIterator[Till]:
    """A till that is open until the block ends."""
    holder: list[Till] = []

    async def talk(server: Loopback, reader: Any, writer: Any) -> None:
        await holder[0].talk(server, reader, writer)

    async with serving(talk) as server:
        holder.append(Till(server))
        yield holder[0]


def connector(base: str) -> dict[str, Any]:
    """The `Connector` document of a till."""
    key = {"kind": "key", "header": "Idempotency-Key", "window": "1h", "scope": "account"}
    reference = {"kind": "none", "header": "Idempotency-Key"}
    lookup = {
        "operation": "find",
        "input": {"key": "{{key}}"},
        "match": "{{output.found | length}} > 0",
        "result": "{{output.found[0]}}",
        "delay": "2s",
        "final": True,
    }
    body = {"amount": "{{input.amount}}"}
    operations = {
        "none": {"method": "POST", "path": "/none/pay", "body": body, "verb": "pay"},
        "natural": {
            "method": "PUT", "path": "/natural/{{input.amount}}", "body": body,
            "idempotency": "natural",
        },
        "key": {"method": "POST", "path": "/key/pay", "body": body, "idempotency": key},
        "lookup": {
            "method": "POST", "path": "/lookup/pay", "body": body,
            "idempotency": reference, "lookup": lookup,
        },
        "guarded": {
            "method": "POST", "path": "/none/guarded", "body": body,
            "precondition": {"operation": "balance", "value": "{{output.balance}}"},
        },
        "find": {"path": "/find", "query": {"key": "{{input.key}}"}},
        "balance": {"path": "/balance"},
    }  # fmt: skip
    return {
        "apiVersion": "t/v1",
        "kind": "Connector",
        "metadata": {"name": "till"},
        "spec": {"baseUrl": base, "operations": operations},
    }

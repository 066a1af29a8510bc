"""MCP: a cheap call and the start-up, against a bare SDK server in the same run.

Run as `python -m tests.bench.mcp_bench`; it prints one JSON value. The client frames JSON-RPC
by hand, so that what is measured is the server.
"""

import asyncio
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from tests.bench.workload import Rate, closed_loop

SECONDS = float(os.environ.get("HANDRAIL_BENCH_SECONDS", "3"))
VERSION = "2025-11-25"
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}
BARE = [sys.executable, "-m", "tests.bench.bare_server"]
OURS = [sys.executable, "-m", "mcp_server"]


class Stdio:
    """A server on a pipe, spoken to in the modern era."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command, self._environment = command, environment
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last = 0

    async def __aenter__(self) -> "Stdio":
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **self._environment},
            limit=1 << 24,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 20)
        self._reader.cancel()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            waiting = self._waiting.pop(message.get("id"), None)
            if waiting is not None:
                waiting.set_result(message)

    async def ask(self, method: str, params: dict[str, Any]) -> Any:
        """One request and its answer."""
        self._last += 1
        answer = self._waiting[self._last] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(frame(self._last, method, params) + b"\n")
        return (await answer)["result"]


class Http:
    """A server on a port, spoken to in the modern era."""

    def __init__(self, command: list[str], environment: dict[str, str], port: int) -> None:
        self._command, self._environment = command, environment
        self._url = f"http://127.0.0.1:{port}/mcp"
        self._client = httpx.AsyncClient(timeout=30, trust_env=False)
        self._last = 0

    async def __aenter__(self) -> "Http":
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **self._environment},
        )
        for _ in range(200):
            try:
                await self.ask("server/discover", {})
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
            else:
                break
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
        self._process.terminate()
        await asyncio.wait_for(self._process.wait(), 20)

    async def ask(self, method: str, params: dict[str, Any]) -> Any:
        """One request and its answer, whether it comes as JSON or as a stream."""
        self._last += 1
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": method,
        }
        headers |= {"Mcp-Name": params["name"]} if "name" in params else {}
        body = frame(self._last, method, params)
        answer = await self._client.post(self._url, content=body, headers=headers)
        text = answer.text
        if "data:" in text[:400]:
            lines = [line[5:] for line in text.splitlines() if line.startswith("data:")]
            text = lines[-1]
        return json.loads(text)["result"]


def frame(number: int, method: str, params: dict[str, Any]) -> bytes:
    """A JSON-RPC request with the metadata that the modern era asks for."""
    body = {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": META}}
    return json.dumps(body).encode()


async def started(command: list[str], environment: dict[str, str]) -> float:
    """Seconds from the spawn to the first list of tools."""
    begun = time.perf_counter()
    async with Stdio(command, environment) as server:
        await server.ask("tools/list", {})
        return time.perf_counter() - begun


async def start_up(environment: dict[str, str]) -> dict[str, Any]:
    """Start-up of both servers, in turn."""
    bare, ours = [], []
    for _ in range(5):
        bare.append(await started(BARE, {}))
        ours.append(await started(OURS, environment))
    floor, mine = statistics.median(bare), statistics.median(ours)
    return {"bare_s": round(floor, 3), "handrail_s": round(mine, 3), **bar(mine / floor, 1.5)}


def bar(ratio: float, must: float) -> dict[str, Any]:
    """A ratio and whether its bar holds."""
    return {"ratio": round(ratio, 2), "must": f"<= {must}", "holds": ratio <= must}


async def calls(server: Any, tool: str, arguments: dict[str, Any]) -> dict[str, Rate]:
    """One call, one at a time and 32 abreast."""

    async def work() -> None:
        result = await server.ask("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), result

    for _ in range(50):
        await work()
    return {
        "sequential": await closed_loop(work, 1, SECONDS),
        "abreast_32": await closed_loop(work, 32, SECONDS),
    }


async def a_run(server: Any) -> str:
    """The id of a run that has ended."""
    arguments = {"workflow": "user-profile", "input": {"userId": "3"}}
    result = await server.ask("tools/call", {"name": "execute_workflow", "arguments": arguments})
    return str(result["structuredContent"]["executionId"])


async def compare(bare: Any, ours: Any) -> dict[str, Any]:
    """A cheap call of ours against the bare server's."""
    async with bare, ours:
        floor = await calls(bare, "noop", {})
        mine = await calls(ours, "get_run", {"runId": await a_run(ours)})
    return {
        name: {
            "bare": asdict(floor[name]),
            "handrail": asdict(mine[name]),
            **bar(mine[name].p50_ms / floor[name].p50_ms, 2.0),
        }
        for name in floor
    }


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def measure(folder: Path) -> dict[str, Any]:
    """All figures."""
    environment = {"HANDRAIL_DATABASE_URL": str(folder / "h.db"), "HANDRAIL_DEMO": "1"}
    floor, mine = free_port(), free_port()
    serve = [sys.executable, "-m", "mcp_server.cli", "serve", "--http", "--demo"]
    serve += ["--port", str(mine)]
    return {
        "bench": "mcp",
        "client": f"own framing, {MODERN}",
        "get_run_stdio": await compare(Stdio(BARE, {}), Stdio(OURS, environment)),
        "get_run_http": await compare(
            Http([*BARE, str(floor)], {}, floor), Http(serve, environment, mine)
        ),
        "start_up_stdio": await start_up(environment),
    }


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        report = asyncio.run(measure(Path(name)))
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()

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
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.bench.bars import judged
from tests.bench.workload import SECONDS, Rate, alternating, closed_loop
from tests.core.worlds import flow

ROUNDS = 3
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
            env={**os.environ, "HANDRAIL_CALLS_PER_SECOND": "0", **self._environment},
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
    both = {"bare_s": round(floor, 3), "handrail_s": round(mine, 3)}
    return judged("start_up_stdio", mine / floor, **both)


async def calls(server: Any, tool: str, arguments: dict[str, Any]) -> dict[str, Rate]:
    """One call, one at a time and 32 abreast."""

    async def work() -> None:
        result = await server.ask("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), result

    for _ in range(50):
        await work()
    return {
        "sequential": await closed_loop(work, 1, SECONDS / 3),
        "abreast_32": await closed_loop(work, 32, SECONDS / 3),
    }


async def a_run(server: Any) -> str:
    """The id of a run that has ended."""
    arguments = {"workflow": "user-profile", "input": {"userId": "3"}}
    result = await server.ask("tools/call", {"name": "execute_workflow", "arguments": arguments})
    return str(result["structuredContent"]["executionId"])


async def compare(kind: str, bare: Any, ours: Any) -> dict[str, Any]:
    """A cheap call of ours against the bare server's, in turn; the medians of the ratios."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with bare, ours:
        run_id = await a_run(ours)
        for _ in range(ROUNDS):
            floor = await calls(bare, "noop", {})
            mine = await calls(ours, "get_run", {"runId": run_id})
            for name, rate in floor.items():
                pair = {"bare_ms": rate.p50_ms, "handrail_ms": mine[name].p50_ms}
                found.setdefault(name, []).append(pair)
    return {
        f"get_run_{kind}_{name}": _ratio(f"get_run_{kind}_{name}", each)
        for name, each in found.items()
    }


def _ratio(name: str, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    ratio = statistics.median(pair["handrail_ms"] / pair["bare_ms"] for pair in pairs)
    return judged(name, ratio, **pairs[len(pairs) // 2])


async def executed(bare: Stdio, ours: Stdio) -> dict[str, Any]:
    """A run of one pure step through the server, over a call that does nothing."""
    given = {"workflow": "pure-one", "input": {"items": [3, 1, 2]}}

    async def run() -> None:
        result = await ours.ask("tools/call", {"name": "execute_workflow", "arguments": given})
        assert result["structuredContent"]["status"] == "completed", result

    async def nothing() -> None:
        await bare.ask("tools/call", {"name": "noop", "arguments": {}})

    async with bare, ours:
        taken = await alternating({"run": run, "nothing": nothing}, max(5, round(150 * SECONDS)))
        search = await searched(ours)
    middle = {name: statistics.median(each) * 1e3 for name, each in taken.items()}
    above = middle["run"] - middle["nothing"]
    return {"bar": judged("execute_workflow", above, p50_ms=middle), "search_p95_ms": search}


async def searched(ours: Stdio) -> float:
    """The 95th percentile of a search over the few workflows that are served; no bar."""
    asked = {"name": "search_workflows", "arguments": {"query": "sort a list"}}
    works = {"search": lambda: ours.ask("tools/call", asked)}
    taken = sorted((await alternating(works, max(5, round(60 * SECONDS))))["search"])
    return round(taken[int(len(taken) * 0.95)] * 1e3, 2)


def pure(folder: Path) -> Path:
    """A folder with a workflow of one pure step."""
    items = {"type": "array", "items": {"type": "integer"}, "description": "What to sort."}
    sort = {"id": "sort", "type": "transform", "transform": {"input": "{{input.items}}",
            "pipeline": [{"operation": "limit", "limit": 2}]}}  # fmt: skip
    whole = flow(
        "pure-one", [sort], input={"items": items}, output={"got": "{{tasks.sort.output}}"}
    )
    documents = folder / "documents"
    documents.mkdir()
    (documents / "pure.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    return documents


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
    alone = {
        "HANDRAIL_DATABASE_URL": str(folder / "pure.db"),
        "HANDRAIL_WORKFLOWS": str(pure(folder)),
    }
    bars = await compare("stdio", Stdio(BARE, {}), Stdio(OURS, environment))
    web = Http(serve, environment, mine)
    bars |= await compare("http", Http([*BARE, str(floor)], {}, floor), web)
    bars["start_up_stdio"] = await start_up(environment)
    run = await executed(Stdio(BARE, {}), Stdio(OURS, alone))
    bars["execute_workflow"] = run.pop("bar")
    return {"client": f"own framing, {MODERN}", **run, "bars": bars}


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        report = asyncio.run(measure(Path(name)))
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()

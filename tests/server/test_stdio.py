"""The server as a client starts it: a process, two pipes, one JSON message a line."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_server import strict
from mcp_server.tools import chosen
from tests.shell.documents import flow, write

pytestmark = pytest.mark.requirement("both-transports")

ROOT = Path(__file__).parents[2]
SECONDS = 20
TOOLS = len(chosen(frozenset({"default"})))
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
}


class Wire:
    """A client that writes lines and reads lines, and believes nothing else."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def say(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(SECONDS):
            line = await self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def ask(self, method: str, params: dict[str, Any], id: int = 1) -> dict[str, Any]:
        request = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
        await self.say(json.dumps(request).encode())
        return await self.hear()


SERVER = (sys.executable, "-m", "mcp_server")
KEPT = ("PATH", "COVERAGE", "PYTHON")


@asynccontextmanager
async def started(
    home: Path, *command: str, cwd: Path = ROOT, **environment: str
) -> AsyncGenerator[Wire]:
    process = await asyncio.create_subprocess_exec(
        *(command or SERVER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        limit=2**24,
        env={
            **{name: value for name, value in os.environ.items() if name.startswith(KEPT)},
            "HOME": str(home),
            "HANDRAIL_DATABASE_URL": str(home / "test.db"),
            **environment,
        },
    )
    assert process.stdin is not None
    try:
        yield Wire(process)
    finally:
        process.stdin.close()
        async with asyncio.timeout(SECONDS):
            await process.wait()


async def test_a_client_of_today_lists_tools(tmp_path: Path) -> None:
    async with started(tmp_path) as wire:
        answer = await wire.ask("tools/list", {"_meta": MODERN})
        assert len(answer["result"]["tools"]) == TOOLS
        assert answer["result"]["resultType"] == "complete"
        assert answer["result"]["ttlMs"] > 0
    assert wire.process.returncode == 0


@pytest.mark.requirement("both-eras")
@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_older_clients_shake_hands(tmp_path: Path, version: str) -> None:
    hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": MODERN[
        "io.modelcontextprotocol/clientInfo"]}  # fmt: skip
    async with started(tmp_path) as wire:
        answer = await wire.ask("initialize", hello)
        assert answer["result"]["protocolVersion"] == version
        assert answer["result"]["serverInfo"]["name"] == "handrail"
        await wire.say(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        assert len((await wire.ask("tools/list", {}, 2))["result"]["tools"]) == TOOLS


async def test_a_line_that_breaks_a_rule_is_answered_and_the_next_one_works(
    tmp_path: Path,
) -> None:
    async with started(tmp_path) as wire:
        await wire.say(b'{"jsonrpc":"2.0","id":7,"method":"x","params":{"a":1,"a":2}}')
        assert await wire.hear() == {
            "jsonrpc": "2.0",
            "id": 7,
            "error": {"code": strict.INVALID_REQUEST, "message": 'the key "a" is there twice'},
        }
        await wire.say(b"this is no JSON")
        assert (await wire.hear())["error"]["code"] == strict.PARSE_ERROR
        await wire.say(b"")
        await wire.say(b'{"a": "' + b"x" * (3 * strict.LARGEST) + b'"}')
        assert "larger than" in (await wire.hear())["error"]["message"]
        answer = await wire.ask("tools/list", {"_meta": MODERN}, 8)
        assert answer["id"] == 8


async def test_a_setting_that_makes_no_sense_is_said_on_stderr(tmp_path: Path) -> None:
    async with started(tmp_path, HANDRAIL_TOOLSETS="oprate") as wire:
        assert wire.process.stderr is not None
        async with asyncio.timeout(SECONDS):
            said = await wire.process.stderr.read()
            await wire.process.wait()
    assert b"Did you mean 'operate'?" in said
    assert wire.process.returncode == 2


async def test_stdout_carries_nothing_but_messages(tmp_path: Path) -> None:
    async with started(tmp_path, HANDRAIL_DATABASE_URL="mysql://x") as wire:
        answer = await wire.ask(
            "tools/call", {"name": "list_workflows", "arguments": {}, "_meta": MODERN}
        )
        assert answer["result"]["structuredContent"]["code"] == "database_url"
        assert wire.process.stdin is not None
        assert wire.process.stdout is not None
        wire.process.stdin.close()
        async with asyncio.timeout(SECONDS):
            assert await wire.process.stdout.read() == b""


async def test_the_sdk_can_run_the_server_object_by_its_path(tmp_path: Path) -> None:
    mcp = str(Path(sys.executable).with_name("mcp"))
    command = (mcp, "run", str(ROOT / "mcp_server" / "dev.py"))
    environment = {"PYTHONPATH": str(ROOT), "HANDRAIL_DEMO": "0"}
    async with started(tmp_path, *command, cwd=Path("/"), **environment) as wire:
        answer = await wire.ask("tools/list", {"_meta": MODERN})
        assert len(answer["result"]["tools"]) == TOOLS


async def test_two_servers_on_one_database_start_side_by_side(tmp_path: Path) -> None:
    async with started(tmp_path) as first, started(tmp_path) as second:
        for wire in (first, second):
            assert "result" in await wire.ask("tools/list", {"_meta": MODERN})


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"name": tool, "arguments": arguments, "_meta": MODERN}


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
async def test_what_one_of_two_servers_starts_the_other_shows_and_a_signal_ends_it_well(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "flows"
    step = {"id": "a", "type": "sleep", "sleep": {"duration": "1h"}}
    write(folder, flow("sleeps", [step]))
    place = str(folder)
    async with (
        started(tmp_path, HANDRAIL_WORKFLOWS=place) as first,
        started(tmp_path, HANDRAIL_WORKFLOWS=place) as second,
    ):
        ran = await first.ask(
            "tools/call", call("execute_workflow", workflow="sleeps", waitSeconds=0)
        )
        run = ran["result"]["structuredContent"]["executionId"]
        shown = await second.ask("tools/call", call("get_run", runId=run))
        assert shown["result"]["structuredContent"]["executionId"] == run
        first.process.terminate()
        async with asyncio.timeout(SECONDS):
            assert await first.process.wait() == 0
        again = await second.ask("tools/call", call("get_run", runId=run))
        assert "result" in again


@pytest.mark.parametrize(
    "heavy",
    ["httpx", "anthropic", "jinja2", "yaml", "aiosqlite", "psycopg", "numpy", "tokenizers"],
)
def test_what_is_heavy_is_not_imported_before_it_is_needed(heavy: str) -> None:
    import subprocess

    code = (
        "import sys; from mcp_server.stdio import run; from mcp_server.server import build;"
        "from mcp_server.settings import ServerSettings; build(ServerSettings());"
        f"sys.exit({heavy!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

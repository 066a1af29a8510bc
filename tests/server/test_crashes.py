"""When a part of the server crashes, nobody reads what the error said: no client, and no log.

Each part is crashed over both transports in a process of its own, with a secret in the error's
text, in the text of its cause and in a validation error; then both of its outputs are searched.
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_server import logs
from tests.e2e.processes import free_port
from tests.server.calling import ask, send
from tests.server.crashing import SECRET, boom
from tests.server.test_stdio import MODERN, started

pytestmark = pytest.mark.requirement("nothing-secret-in-errors")

SECONDS = 20
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "tool": ("tools/call", {"name": "search_workflows", "arguments": {"query": "x"}}),
    "foreign tool": ("tools/call", {"name": "foreign_tool", "arguments": {}}),
    "resource": ("resources/read", {"uri": "crash://it"}),
    "resource of ours": ("resources/read", {"uri": "run://1"}),
    "validation in a resource": ("resources/read", {"uri": "invalid://it"}),
    "prompt": ("prompts/get", {"name": "prompt", "arguments": {}}),
    "completion": (
        "completion/complete",
        {"ref": {"type": "ref/resource", "uri": "workflow://{name}"},
         "argument": {"name": "name", "value": ""}},
    ),
}  # fmt: skip
LEAKS = (SECRET, "Traceback (most recent call last)", "could not log in", "raise RuntimeError")


def holds_no_secret(*texts: str) -> None:
    for text in texts:
        assert not [leak for leak in LEAKS if leak in text], text


@pytest.mark.parametrize("part", ["verbs", "opening"])
async def test_over_stdio_neither_the_client_nor_the_log_reads_it(
    tmp_path: Path, part: str
) -> None:
    command = (sys.executable, "-m", "tests.server.crashing", "stdio", part)
    async with started(tmp_path, *command) as wire:
        for name, (method, params) in CALLS.items():
            answer = await wire.ask(method, {**params, "_meta": MODERN})
            holds_no_secret(json.dumps(answer))
            if name != "completion":
                assert "error" in answer or answer["result"]["isError"], name
    assert wire.process.stderr is not None
    said = (await wire.process.stderr.read()).decode()
    holds_no_secret(said)
    assert "RuntimeError in boom" in said


@asynccontextmanager
async def crashing(part: str) -> AsyncGenerator[tuple[int, asyncio.subprocess.Process]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.server.crashing", str(port), part,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield port, process
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(SECONDS):
            await process.wait()


async def reachable(port: int) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await send(port, method="GET", path="/healthz", body=b"")
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.mark.parametrize("part", ["verbs", "opening"])
async def test_over_http_neither_the_client_nor_the_log_reads_it(part: str) -> None:
    async with crashing(part) as (port, process):
        await reachable(port)
        old = await send(port, body=_initialize())
        session = f"Mcp-Session-Id: {old.header('mcp-session-id')}"
        for number, (method, params) in enumerate(CALLS.values(), 2):
            reply = await ask(port, method, **params)
            holds_no_secret(reply.head, reply.body.decode())
            assert reply.status in {200, 400, 404, 500}
            body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            again = await send(port, session, body=json.dumps(body).encode())
            holds_no_secret(again.head, again.body.decode())
            assert again.status == 200
    assert process.stderr is not None
    said = (await process.stderr.read()).decode()
    holds_no_secret(said)
    assert "RuntimeError in boom" in said


def _initialize() -> bytes:
    hello = {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "t", "version": "0"},
    }  # fmt: skip
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    return json.dumps(message).encode()


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_a_server_that_cannot_start_says_so_without_it(transport: str) -> None:
    where = "stdio" if transport == "stdio" else str(free_port())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.server.crashing", where, "lifespan",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(SECONDS):
        out, said = await process.communicate()
    holds_no_secret(out.decode(), said.decode())
    assert process.returncode != 0
    assert b"could not be started" in said or b"RuntimeError" in said


def test_a_log_line_tells_where_and_what_but_not_the_words() -> None:
    formatter = logs._Telling("%(levelname)s %(message)s")
    with pytest.raises(RuntimeError) as caught:
        boom()
    args = (ValueError(SECRET), 5)
    info = (RuntimeError, caught.value, None)
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "a\nb %s %d\n", args, info)
    record.exc_text = f"formatted by somebody else: {SECRET}"
    line = formatter.format(record)
    assert line.startswith(
        "ERROR a<U+000A>b ValueError 5: RuntimeError in boom server/crashing.py:"
    )
    assert "caused by ValidationError" in line
    assert "\n" not in line
    holds_no_secret(line)


def test_the_innermost_places_and_the_nearest_causes_are_told() -> None:
    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise KeyError(SECRET)

    with pytest.raises(KeyError) as caught:
        deep(20)
    assert logs.trace(caught.value).count("deep") == logs.DEEPEST
    last: BaseException = ValueError(SECRET)
    for _ in range(10):
        outer = ValueError(SECRET)
        outer.__cause__ = last
        last = outer
    assert logs.trace(last).count("ValueError") == logs.MOST_CAUSES
    group = BaseExceptionGroup(SECRET, [ExceptionGroup(SECRET, [KeyError(SECRET)])])
    assert logs.trace(group) == "KeyError"


def test_whatever_ends_a_process_or_a_thread_is_told_the_same_way() -> None:
    import subprocess

    program = (
        "import sys, threading\n"
        "from mcp_server.logs import to_stderr\n"
        "from tests.server.crashing import boom, Grave\n"
        "to_stderr()\n"
        "thread = threading.Thread(target=boom); thread.start(); thread.join()\n"
        "Grave()\n"
        "boom()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    holds_no_secret(done.stdout, done.stderr)
    assert done.returncode == 1
    assert done.stderr.count("RuntimeError in") == 3
    assert "CRITICAL mcp_server.logs: the process ends" in done.stderr

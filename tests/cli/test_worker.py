"""`handrail worker` as real processes: ready at once, drained in good order, nothing done twice."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, Settings, open_engine
from tests.shell.documents import flow, task, write

COMMAND = [sys.executable, "-m", "mcp_server.cli"]
posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
HEAVY = ("mcp", "mcp_types", "pydantic", "httpx", "rich", "anyio", "starlette", "uvicorn", "jinja2")
SECONDS = 15
"""How long anything may take at most; what is woken takes far less than a worker's beat."""


@dataclass(slots=True)
class Outside:
    """A service on loopback: counts its calls by name, and keeps the one called `held` waiting."""

    port: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        name = head.split()[1].decode().strip("/")
        self.calls[name] += 1
        async with self.came:
            self.came.notify_all()
        if name == "held" and not await self._kept(reader):
            self.left.set()
        body = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        writer.write(body + b"Connection: close\r\n\r\n{}")
        writer.close()

    async def _kept(self, reader: asyncio.StreamReader) -> bool:
        """Wait for the gate; False when the caller goes away before."""
        gone, opened = asyncio.create_task(reader.read()), asyncio.create_task(self.gate.wait())
        await asyncio.wait((gone, opened), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        opened.cancel()
        return self.gate.is_set()

    async def called(self, name: str, times: int = 1) -> None:
        async with asyncio.timeout(SECONDS), self.came:
            await self.came.wait_for(lambda: self.calls[name] >= times)


@dataclass(slots=True)
class Place:
    """A database, a folder and the outside, and processes over them."""

    folder: Path
    outside: Outside
    asks: Engine
    workers: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HANDRAIL_DATABASE_URL": str(self.folder / "h.db"),
            "HANDRAIL_ALLOWED_HOSTS": f"127.0.0.1:{self.outside.port}",
        }

    async def worker(self, *words: str) -> asyncio.subprocess.Process:
        """One that is ready."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "worker", *words, env=self.environment, stderr=asyncio.subprocess.PIPE
        )
        self.workers.append(process)
        assert "carries out runs of" in await said(process)
        return process

    async def listed(self, *words: str) -> tuple[int | None, Any]:
        """What `handrail workers` says, and its exit code."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "workers", "--json", *words,
            env=self.environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), SECONDS)
        return process.returncode, json.loads(out)


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    return (await asyncio.wait_for(process.stderr.readline(), SECONDS)).decode()


async def ended(process: asyncio.subprocess.Process) -> str:
    """The last words of a worker that ends well."""
    _, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0, err
    return err.decode()


def documents(folder: Path, port: int) -> Path:
    def get(name: str) -> dict[str, Any]:
        return task(
            name, type="http", http={"method": "GET", "url": f"http://127.0.0.1:{port}/{name}"}
        )

    steps: list[dict[str, Any]] = [
        {"id": "a", "taskRef": "before"},
        {"id": "b", "taskRef": "held", "dependsOn": ["a"]},
        {"id": "c", "taskRef": "after", "dependsOn": ["b"]},
    ]
    return write(folder, get("before"), get("held"), get("after"), flow("w", steps))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    async with placed(tmp_path) as found:
        yield found


@asynccontextmanager
async def placed(tmp_path: Path) -> AsyncGenerator[Place]:
    outside = Outside()
    server = await asyncio.start_server(outside.serve, "127.0.0.1", 0)
    outside.port = server.sockets[0].getsockname()[1]
    folder = documents(tmp_path / "documents", outside.port)
    async with server, open_engine(Settings(str(tmp_path / "h.db"), (folder,), work=False)) as asks:
        place = Place(tmp_path, outside, asks)
        try:
            yield place
        finally:
            outside.gate.set()
            for process in place.workers:
                if process.returncode is None:
                    process.kill()
                    await process.communicate()


def test_a_worker_imports_nothing_of_the_protocol(tmp_path: Path) -> None:
    code = (
        "import signal, sys\n"
        "from mcp_server.cli import main, worker\n"
        "worker._ready = lambda *_: signal.raise_signal(signal.SIGINT)\n"
        f"code = main(['worker', '--db', {str(tmp_path / 'h.db')!r}])\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'imported {heavy}' if heavy else code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "Stopped.\n")


@posix
async def test_a_drained_worker_finishes_its_step_and_another_does_the_next(place: Place) -> None:
    first = await place.worker("--drain", "1m")
    run = await place.asks.start("w", {})
    await place.outside.called("held")
    first.terminate()
    assert "Draining: 1 run under way" in await said(first)
    second = await place.worker()
    place.outside.gate.set()
    assert "1 handed back" in await ended(first)
    assert (await place.asks.wait(run.id, SECONDS)).status == "completed"
    assert place.outside.calls == {"before": 1, "held": 1, "after": 1}
    second.terminate()
    assert await ended(second) == "Stopped.\n"


@posix
@pytest.mark.parametrize("words", [("--drain", "100ms"), ("--drain", "1h")])
async def test_what_is_under_way_in_the_end_is_handed_back_and_done_elsewhere(
    place: Place, words: tuple[str, str]
) -> None:
    first = await place.worker(*words)
    run = await place.asks.start("w", {})
    await place.outside.called("held")
    first.send_signal(signal.SIGINT)
    assert "Draining" in await said(first)
    if words[1] == "1h":
        first.send_signal(signal.SIGTERM)  # the second one: at once
    assert "1 handed back" in await ended(first)
    await place.worker()
    await place.outside.called("held", 2)
    place.outside.gate.set()
    assert (await place.asks.wait(run.id, SECONDS)).status == "completed"
    assert place.outside.calls == {"before": 1, "held": 2, "after": 1}


@posix
async def test_a_cancel_in_one_process_ends_the_call_of_another(place: Place) -> None:
    await place.worker()
    run = await place.asks.start("w", {})
    await place.outside.called("held")
    await place.asks.cancel(run.id, actor="ann")
    async with asyncio.timeout(SECONDS):
        await place.outside.left.wait()
    assert (await place.asks.run(run.id)).status == "cancelled"


@posix
async def test_the_list_says_who_works_and_a_probe_asks_it(place: Place) -> None:
    assert (await place.listed("--ready"))[0] == 1
    first = await place.worker("--name", "one", "--concurrency", "3")
    await place.asks.start("w", {})
    await place.outside.called("held")
    code, found = await place.listed("--ready", "--name", "one")
    (shown,) = found["workers"]
    assert code == 0
    assert (shown["state"], shown["held"], shown["capacity"], shown["pid"]) == (
        "working", 1, 3, first.pid,
    )  # fmt: skip
    first.terminate()
    await said(first)
    code, found = await place.listed("--ready")
    assert (code, [worker["state"] for worker in found["workers"]]) == (1, ["draining"])


@posix
async def test_a_killed_workers_run_goes_on_with_another_at_once(place: Place) -> None:
    first = await place.worker()
    run = await place.asks.start("w", {})
    await place.outside.called("held")
    await place.worker()
    first.kill()
    await place.outside.called("held", 2)
    place.outside.gate.set()
    assert (await place.asks.wait(run.id, SECONDS)).status == "completed"

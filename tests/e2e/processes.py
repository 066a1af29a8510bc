"""Processes of the product, started and stopped as users do it, with an end to every wait."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tree import ROOT

HERE = Path(__file__).resolve().parent
PATIENCE = 30.0
"""Seconds; a start takes one or two, a busy machine may take ten."""


@dataclass(frozen=True)
class Served:
    """A running HTTP server."""

    url: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def environment(folder: Path, **more: str) -> dict[str, str]:
    """This process's environment with the product's settings replaced by a folder's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HANDRAIL_")}
    return {**kept, "HANDRAIL_DATABASE_URL": str(folder / "handrail.db"), **more}


@contextlib.contextmanager
def serve_demo(folder: Path) -> Iterator[Served]:
    """`handrail serve --http --demo`, ready to take calls; stopped by SIGTERM at the end."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "mcp_server.cli",
        "serve",
        "--http",
        "--port",
        str(port),
        "--demo",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(folder), stdout=log, stderr=log
        )
    try:
        until_ready(f"http://127.0.0.1:{port}/readyz", process, folder / "log")
        yield Served(f"http://127.0.0.1:{port}/mcp", process)
    finally:
        stop(process)


def stop(process: subprocess.Popen[Any], *, group: bool = False) -> int:
    """Ask a process, or its whole group, to end; insist after a while. The exit code."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM) if group else process.terminate()
    try:
        return process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL) if group else process.kill()
        return process.wait(5)


def until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server takes calls; say what it said if it does not."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} did not answer; the server said:\n{log.read_text()}")


class Wire:
    """A raw client over stdio: one JSON message a line, no SDK, nothing declared unasked."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: str | Path = "/",
        env: Mapping[str, str],
        log: Path,
        before: Callable[[], None] | None = None,
    ) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=env, preexec_fn=before,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
            )  # fmt: skip
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._last = 0

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        stop(self.process)
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)

    def tell(self, method: str, **params: Any) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, **({"params": params} if params else {})})

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request; its result. Fails on an error or when nothing comes."""
        self._last += 1
        self._send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        while True:
            try:
                answer = json.loads(self._lines.get(timeout=PATIENCE))
            except queue.Empty:
                raise AssertionError(f"no answer to {method}:\n{self._log.read_text()}") from None
            if answer.get("id") == self._last:
                assert "result" in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def shake_hands(self) -> dict[str, Any]:
        """As Claude Desktop does it: 2025-11-25, no elicitation."""
        greeting = self.ask(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "claude-ai", "version": "0.1.0"},
        )
        self.tell("notifications/initialized")
        return greeting

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool; its structured content."""
        result = self.ask("tools/call", name=tool, arguments=arguments)
        assert not result.get("isError"), result
        content: dict[str, Any] = result["structuredContent"]
        return content

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

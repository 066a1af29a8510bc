"""Pages in a real browser: one of an origin that was named calls tools, any other cannot."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mcp_server.auth import make_token, read_token
from tests.e2e.conftest import Node
from tests.e2e.processes import HERE, environment, free_port, stop, until_ready
from tests.tree import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


class Page(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>page</title>")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def pages() -> Iterator[str]:
    """A web server of one origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)


@contextmanager
def served(folder: Path, origin: str) -> Iterator[tuple[str, str]]:
    """A server that pages of `origin` may call with a token: its address, and the token."""
    port, file = free_port(), folder / "token"
    make_token(file)
    command = [sys.executable, "-m", "mcp_server.cli", "serve", "--demo", "--port", str(port),
               "--token-file", str(file)]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(folder, HANDRAIL_ORIGINS=origin),
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        until_ready(f"http://127.0.0.1:{port}/readyz", process, folder / "log")
        yield f"http://127.0.0.1:{port}/mcp", read_token(file)
    finally:
        stop(process)


@pytest.mark.requirement("browser-origins")
def test_only_pages_of_a_named_origin_list_and_call_tools(
    node: Node, chromium: str, tmp_path: Path
) -> None:
    def visit(page: str, *server: str) -> dict[str, Any]:
        done = subprocess.run(
            [str(node.folder / "node"), "cors.mjs", chromium, page, *server],
            cwd=HERE, env=node.environment(), capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    with pages() as ours, pages() as other, served(tmp_path, ours) as server:
        allowed, refused = visit(ours, *server), visit(other, *server)
        elsewhere = visit(ours.replace("127.0.0.1", "localhost"), *server)
    assert "error" not in allowed
    assert allowed["stranger"].startswith("Bearer error=")
    assert {"execute_workflow", "get_run"} <= set(allowed["tools"])
    assert allowed["called"] == "ok"
    for found in (refused, elsewhere):
        assert "Failed to fetch" in found["error"], found
        assert found["opaque"] == "opaque"
        assert "tools" not in found
        assert "called" not in found

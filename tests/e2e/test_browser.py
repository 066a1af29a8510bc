"""`mcp dev mcp_server/dev.py` opens the Inspector's page, and a tool is run there by a browser."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Node
from tests.e2e.processes import HERE, PATIENCE, free_port, stop
from tests.tree import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def page(node: Node, tmp_path: Path) -> Iterator[str]:
    """The address, with its token, that `mcp dev` prints."""
    port = free_port()
    environment = node.environment(
        CLIENT_PORT=str(port),
        MCP_SANDBOX_PORT=str(free_port()),
        MCP_AUTO_OPEN_ENABLED="false",
        npm_config_yes="true",
        VIRTUAL_ENV=sys.prefix,
    )
    mcp = Path(sys.executable).with_name("mcp")
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(mcp), "dev", str(ROOT / "mcp_server/dev.py")],
            cwd=HERE,  # npx finds the pinned Inspector here
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield _printed(log, rf"http://127\.0\.0\.1:{port}\S*", process)
    finally:
        stop(process, group=True)


def _printed(log: Path, pattern: str, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(pattern, log.read_text()):
            return found.group()
        time.sleep(0.1)
    raise AssertionError(f"`mcp dev` did not come up:\n{log.read_text()}")


@pytest.mark.requirement("official-clients")
def test_mcp_dev_opens_in_a_browser_and_runs_a_workflow(
    node: Node, chromium: str, page: str, tmp_path: Path
) -> None:
    arguments = {"workflow": "user-profile", "input": {"userId": "3"}}
    picture = tmp_path / "inspector.png"
    done = subprocess.run(
        [str(node.folder / "node"), "browser.mjs", chromium, page, "execute_workflow",
         json.dumps(arguments), str(picture)],
        cwd=HERE, env=node.environment(), capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    if kept := os.environ.get("HANDRAIL_SCREENSHOTS"):
        Path(kept).mkdir(parents=True, exist_ok=True)
        (Path(kept) / picture.name).write_bytes(picture.read_bytes())
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"status": "completed"' in done.stdout
    assert picture.stat().st_size > 10_000

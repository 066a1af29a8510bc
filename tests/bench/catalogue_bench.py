"""Memory and start-up of the server over a catalogue of any size, served from folders.

What is measured is the process that a client would start: `python -m mcp_server` on a pipe,
over documents that were read before, after searches, pages and runs. A line through two sizes
tells what a hundred thousand take; it is drawn too high rather than too low, since the pages that
SQLite keeps, up to a limit, are still growing in number between the two. Run as
`python -m tests.bench.catalogue_bench [WORKFLOWS]`; it prints one JSON value. A hundred thousand
take some minutes, nearly all of them for the first reading.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import catalogue
from tests.bench.bars import judged
from tests.bench.mcp_bench import OURS, Stdio

WORKFLOWS = int(os.environ.get("HANDRAIL_BENCH_WORKFLOWS", "20000"))
WHOLE = 100_000
_QUERIES = ("overdue invoices", "send a message to the customer", "refund", "get-order-f77")


class Measured(Stdio):
    """A server on a pipe whose memory can be asked for."""

    @property
    def memory(self) -> float:
        """Megabytes that are resident now; 0 where the system does not tell."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0.0
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return round(int(line.split()[1]) / 1024, 1)

    async def call(self, tool: str, **arguments: Any) -> Any:
        """The structured answer of a tool."""
        result = await self.ask("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), result
        return result["structuredContent"]


async def used(folder: Path, count: int) -> dict[str, Any]:
    """A server's start and use over `folder`: seconds, and megabytes after each part."""
    environment = {
        "HANDRAIL_DATABASE_URL": str(folder / "h.db"),
        "HANDRAIL_WORKFLOWS": str(folder / "documents"),
    }
    begun, server = time.perf_counter(), Measured(OURS, environment)
    async with server:
        await server.ask("tools/list", {})
        listing = time.perf_counter() - begun
        empty = server.memory
        page = await server.call("list_workflows", limit=20)
        ready = time.perf_counter() - begun
        assert page["total"] == count, page["total"]
        opened, slowest = server.memory, await _work(server, page["nextCursor"])
        return {
            "first_list_of_tools_s": round(listing, 2),
            "ready_s": round(ready, 2),
            "slowest_search_ms": slowest,
            "before_opening_mb": empty,
            "opened_mb": opened,
            "used_mb": server.memory,
        }


async def _work(server: Measured, cursor: str) -> float:
    slowest = 0.0
    for _ in range(10):
        for query in _QUERIES:
            begun = time.perf_counter()
            assert (await server.call("search_workflows", query=query))["workflows"]
            slowest = max(slowest, time.perf_counter() - begun)
        cursor = (await server.call("list_workflows", limit=100, cursor=cursor))["nextCursor"]
        run = await server.call("execute_workflow", workflow="ops/ready", input={"id": "1"})
        assert run["status"] == "completed", run
    return round(slowest * 1_000, 1)


async def sizes(folder: Path, counts: list[int]) -> dict[int, dict[str, Any]]:
    """Each catalogue read for the first time, all of them side by side, then each once more."""
    for count in counts:
        catalogue.write(folder / str(count) / "documents", count)
    first = await asyncio.gather(*(used(folder / str(count), count) for count in counts))
    return {
        count: {"first_reading": before, "restart": await used(folder / str(count), count)}
        for count, before in zip(counts, first, strict=True)
    }


def report(folder: Path, workflows: int = WORKFLOWS) -> dict[str, Any]:
    """Two sizes, and the straight line through them to a hundred thousand."""
    few = workflows // 4
    found = asyncio.run(sizes(folder, [few, workflows]))
    small, large = (found[count]["restart"]["used_mb"] for count in (few, workflows))
    each = (large - small) / (workflows - few)
    at_most = large + max(0.0, each) * max(0, WHOLE - workflows)
    how = "measured" if workflows >= WHOLE else f"by the line through {few} and {workflows}"
    bar = judged("memory_catalogue", at_most, how=how, kb_a_workflow=round(each * 1024, 2))
    return {"sizes": found, "bars": {"memory_catalogue": bar}}


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else WORKFLOWS
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(json.dumps(report(Path(name), count), indent=1) + "\n")


if __name__ == "__main__":
    main()

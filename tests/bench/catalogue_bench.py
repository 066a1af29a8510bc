"""Memory and start-up of the server over a catalogue of any size, served from folders.

What is measured is the process that a client would start: `python -m mcp_server` on a pipe,
over documents that were read before, after searches, filters, pages, blast radii and runs; once
by words alone and once with vectors, where these are installed. A line through two sizes
tells what a hundred thousand take; it is drawn too high rather than too low, since the pages that
SQLite keeps, up to a limit, are still growing in number between the two. The process that read
them for the first time is held against the bar only where a hundred thousand are measured. Run as
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

from engine.shell.wordllama import installed
from tests.bench import catalogue
from tests.bench.bars import judged
from tests.bench.mcp_bench import OURS, Stdio

WORKFLOWS = int(os.environ.get("HANDRAIL_BENCH_WORKFLOWS", "20000"))
WHOLE = 100_000
_QUERIES = ("overdue invoices", "send a message to the customer", "refund", "get-order-f77")
_TAGS = ("order", "refund", "ticket", "trip", "send")
_RADII = 5
KINDS = {"words": "off", "vectors": "wordllama"}
"""What is searched by, as `HANDRAIL_ENCODER` says it."""
BARS = ("memory_catalogue", "memory_catalogue_meaning")
"""The bar of each kind."""


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


async def used(folder: Path, count: int, encoder: str) -> dict[str, Any]:
    """A server's start and use over `folder`: seconds, and megabytes after each part."""
    environment = {
        "HANDRAIL_DATABASE_URL": str(folder / "h.db"),
        "HANDRAIL_WORKFLOWS": str(folder / "documents"),
        "HANDRAIL_ENCODER": encoder,
    }
    begun, server = time.perf_counter(), Measured(OURS, environment)
    async with server:
        await server.ask("tools/list", {})
        listing = time.perf_counter() - begun
        megabytes = {"before_opening": server.memory}
        page = await server.call("list_workflows", limit=20)
        ready = time.perf_counter() - begun
        assert page["total"] == count, page["total"]
        megabytes["opened"] = server.memory
        slowest = await _searches(server, megabytes)
        await _pages(server, page["nextCursor"], megabytes)
        await _radii(server, megabytes)
        return {
            "first_list_of_tools_s": round(listing, 2),
            "ready_s": round(ready, 2),
            "slowest_search_ms": slowest,
            "mb_after": megabytes | {"runs": await _runs(server)},
        }


async def _searches(server: Measured, megabytes: dict[str, float]) -> float:
    """Searches, free and filtered: how long the slowest took, in milliseconds."""
    slowest = 0.0
    for _ in range(10):
        for query in _QUERIES:
            begun = time.perf_counter()
            assert (await server.call("search_workflows", query=query))["workflows"]
            slowest = max(slowest, time.perf_counter() - begun)
    megabytes["searches"] = server.memory
    for tag in _TAGS:
        await server.call("search_workflows", query="overdue", filters={"tags": [tag]})
        await server.call("list_workflows", limit=20, tags=[tag])
    await server.call("list_workflows", limit=20, tagPattern="s*")
    megabytes["filters"] = server.memory
    return round(slowest * 1_000, 1)


async def _pages(server: Measured, cursor: str, megabytes: dict[str, float]) -> None:
    for _ in range(10):
        page = await server.call("list_workflows", limit=100, cursor=cursor)
        cursor = page.get("nextCursor", cursor)
    megabytes["pages"] = server.memory


async def _radii(server: Measured, megabytes: dict[str, float]) -> None:
    """What changes of some tasks concern, three steps far and as far as it goes."""
    for task in (await server.call("list_tasks", limit=_RADII))["tasks"]:
        for depth in ("3", "unlimited"):
            radius = await server.call("get_blast_radius", name=task["name"], depth=depth)
            assert radius["summary"]["totalAffectedWorkflows"], radius
    megabytes["blast_radius"] = server.memory


async def _runs(server: Measured) -> float:
    for _ in range(10):
        run = await server.call("execute_workflow", workflow="ops/ready", input={"id": "1"})
        assert run["status"] == "completed", run
    return server.memory


async def sizes(folder: Path, counts: list[int], encoder: str) -> dict[int, dict[str, Any]]:
    """Each catalogue read for the first time, all of them side by side, then each once more."""
    places = {count: folder / str(count) for count in counts}
    first = await asyncio.gather(*(used(places[count], count, encoder) for count in counts))
    return {
        count: {"first_reading": before, "restart": await used(places[count], count, encoder)}
        for count, before in zip(counts, first, strict=True)
    }


def report(folder: Path, workflows: int = WORKFLOWS) -> dict[str, Any]:
    """By words and with vectors: two sizes, and the line through them to a hundred thousand."""
    counts = [workflows] if workflows >= WHOLE else [workflows // 4, workflows]
    for count in counts:
        catalogue.write(folder / str(count) / "documents", count)
    found: dict[str, Any] = {"sizes": {}, "bars": {}}
    for bar, (kind, encoder) in zip(BARS, KINDS.items(), strict=True):
        if encoder == "off" or installed():
            sized = asyncio.run(sizes(folder, counts, encoder))
            found["sizes"][kind] = sized
            found["bars"][bar] = line(bar, sized)
    return found


def line(bar: str, sized: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """The most memory that each size came to, drawn out to a hundred thousand.

    Where so many were measured, the process that read them for the first time counts as well.
    """
    most = {count: most_of(each, count) for count, each in sized.items()}
    (few, small), (many, large) = min(most.items()), max(most.items())
    if few == many:
        return judged(bar, large, how=f"measured over {many}")
    each = (large - small) / (many - few)
    at_most = large + max(0.0, each) * max(0, WHOLE - many)
    how = f"by the line through {few} and {many}"
    return judged(bar, at_most, how=how, kb_a_workflow=round(each * 1024, 2))


def most_of(uses: dict[str, Any], count: int) -> float:
    """The most memory of the uses of one size that count."""
    counting = uses if count >= WHOLE else ("restart",)
    most: float = max(max(uses[each]["mb_after"].values()) for each in counting)
    return most


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else WORKFLOWS
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(json.dumps(report(Path(name), count), indent=1) + "\n")


if __name__ == "__main__":
    main()

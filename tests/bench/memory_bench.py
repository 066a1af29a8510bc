"""Memory that short runs leave behind: resident size over many of them, as a slope.

The first half warms up: pages that are kept, streams that are remembered (10,000 at a time) and
ended runs that are shown again all have a limit that some 25,000 runs reach. The second half's
slope is judged, between medians, so that one page more or less says nothing. Run as
`python -m tests.bench.memory_bench --runs 1000000` for the long form (some minutes), with
`--database postgres` for what a process over PostgreSQL keeps, which is told without a bar; it
prints one JSON value.
"""

import argparse
import asyncio
import gc
import statistics
import time
from pathlib import Path
from typing import Any

import psutil

from engine import open_engine
from tests.bench.bars import judged, rounded
from tests.bench.places import KINDS, places
from tests.bench.workload import print_report, running, settings

RUNS = 120_000
ABREAST = 64
NOTES = 20


async def resident(folder: Path, database: str, runs: int) -> list[int]:
    """Bytes that are resident, noted `NOTES` times on the way; half of them warm."""
    found: list[int] = []
    process = psutil.Process()
    async with open_engine(settings(folder, database)) as engine:
        work = running(engine, "one")

        async def loop(times: int) -> None:
            for _ in range(times):
                await work()

        for _ in range(NOTES):
            await asyncio.gather(*(loop(runs // NOTES // ABREAST or 1) for _ in range(ABREAST)))
            gc.collect()
            found.append(process.memory_info().rss)
    return found


def slope(found: list[int], runs: int) -> float:
    """Bytes a run, from the median of the third quarter to that of the last one."""
    rest = found[len(found) // 2 :]
    half = len(rest) // 2
    grown = statistics.median(rest[half:]) - statistics.median(rest[:half])
    return grown / (runs / len(found) * (len(rest) - half))


def report(runs: int = RUNS, kind: str = "sqlite") -> dict[str, Any]:
    """The slope, and the sizes that it is made from."""
    begun = time.perf_counter()
    with places(kind) as (database, _, folder):
        found = asyncio.run(resident(folder, database, runs))
        size = (folder / "bench.db").stat().st_size if kind == "sqlite" else 0
    growth = slope(found, runs)
    shown = {
        "runs": runs,
        "seconds": round(time.perf_counter() - begun, 1),
        "resident_mb": [round(each / 2**20, 1) for each in found],
    }
    if kind != "sqlite":
        return {**shown, "database": kind, "bytes_a_run": rounded(growth)}
    bars = {"memory_growth": judged("memory_growth", growth, runs=runs)}
    return {**shown, "database_bytes_a_run": round(size / runs), "bars": bars}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Memory over many short runs.")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    given = parser.parse_args()
    print_report(lambda: report(given.runs, given.database))

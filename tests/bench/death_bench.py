"""What a kill -9 costs: runs that another worker takes over.

Recovery: a worker dies with 1,000 runs after their first step, all their leases still with it;
from the start of another worker's process until all have ended. Take-over: a worker is there
already, and one beside it dies; until the first event that it writes for the dead one's run. Run
as `python -m tests.bench.death_bench`; it prints one JSON value.
"""

import asyncio
import os
import statistics
import time
from pathlib import Path
from typing import Any

from engine import Engine, open_engine
from tests.bench.bars import judged
from tests.bench.child import PACE
from tests.bench.children import Child
from tests.bench.places import places
from tests.bench.workload import each_kind, print_report, settings

RUNS = int(os.environ.get("HANDRAIL_BENCH_UNFINISHED", "1000"))
DEATHS, RECOVERIES = 2, 4


def recovery(database: str, folder: Path) -> float:
    """Seconds from the start of a process until it has ended everybody's runs."""
    with Child("victim", database, folder, RUNS) as victim:
        victim.heard("ready")
    begun = time.perf_counter()
    with Child("heir", database, folder, RUNS) as heir:
        return heir.heard("done") - begun


async def takeovers(database: str, folder: Path) -> list[float]:
    """Seconds from a death to the first event that the other worker writes."""
    async with open_engine(settings(folder, database, pace=PACE)) as engine:
        return [await takeover(engine, database, folder) for _ in range(DEATHS)]


async def takeover(engine: Engine, database: str, folder: Path) -> float:
    """One death."""
    moved = asyncio.Event()
    with Child("victim", database, folder, 1) as victim:
        await asyncio.to_thread(victim.heard, "ready")
        done = engine.subscribe(lambda _: moved.set())
        begun = time.perf_counter()
        victim.kill()
    try:
        async with asyncio.timeout(60):
            await moved.wait()
    finally:
        done()
    return time.perf_counter() - begun


def report(kind: str) -> dict[str, Any]:
    """Both, on one kind of database; the best of four recoveries counts, each in a new one."""
    recovered: list[float] = []
    for _ in range(RECOVERIES):
        with places(kind) as (database, _, folder):
            recovered.append(recovery(database, folder))
    with places(kind) as (database, _, folder):
        taken = asyncio.run(takeovers(database, folder))
    beyond = statistics.median(taken) - PACE.lease
    bars = {
        f"recovery_{kind}": judged(f"recovery_{kind}", min(recovered), runs=RUNS, all_s=recovered),
        f"takeover_{kind}": judged(f"takeover_{kind}", beyond, lease_s=PACE.lease, all_s=taken),
    }
    return {"recovery_s": recovered, "takeover_s": taken, "bars": bars}


if __name__ == "__main__":
    print_report(lambda: each_kind(report))

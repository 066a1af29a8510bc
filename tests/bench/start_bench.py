"""From the call that starts a run to the first line of its first step.

In one process, and from one process to another one's worker: by the change counter that a worker
looks at on SQLite (ten times a second: a figure, no bar, since looking more often would cost more
than sleeping may), by a notification on PostgreSQL. The last is nearly all processor's time, of
four processes one after the other, so it is judged beside a yardstick (`pace.py`). Run as
`python -m tests.bench.start_bench`; it prints one JSON value.
"""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from engine import Effect, PythonTask, open_engine
from tests.bench.bars import judged
from tests.bench.children import Child
from tests.bench.pace import Beside, undisturbed, yardstick
from tests.bench.places import places
from tests.bench.workload import SECONDS, each_kind, print_report, settings

HERE, THERE = round(100 * SECONDS), max(2, round(20 * SECONDS))
PAUSE = 0.137
"""Seconds between two starts: single ones, at any moment of another's rhythm. Starts that follow
each other faster than ten a second are noticed together."""


async def here(database: str, folder: Path) -> list[float]:
    """Seconds until the step is entered in the process of the start."""
    found: list[float] = []
    begun = 0.0

    async def note(given: Any) -> Any:
        found.append(time.perf_counter() - begun)
        return {"ok": True}

    functions = {"noop": PythonTask(note, Effect.READ)}
    async with open_engine(settings(folder, database, functions=functions)) as engine:
        for _ in range(HERE + 1):
            begun = time.perf_counter()
            run = await engine.start("one", {})
            await engine.wait(run.id, 30)
    return found[1:]


async def there(database: str, folder: Path) -> list[Beside]:
    """Seconds until it is entered in another process; both have slept before."""
    found: list[Beside] = []
    async with open_engine(settings(folder, database, work=False)) as engine:
        with Child("worker", database, folder) as child:
            await asyncio.to_thread(child.heard, "working")
            for _ in range(THERE + 1):
                begun = time.perf_counter()
                await engine.start("one", {})
                taken = await asyncio.to_thread(child.heard, "entered") - begun
                found.append(Beside(taken, yardstick()))
                await asyncio.sleep(PAUSE)
    return found[1:]


def report(kind: str) -> dict[str, Any]:
    """Both, and those that are bars."""
    with places(kind) as (database, _, folder):
        near = [each * 1e3 for each in asyncio.run(here(database, folder))]
        beside = asyncio.run(there(database, folder))
    far = [each.taken * 1e3 for each in beside]
    bars = {f"start_here_{kind}": judged(f"start_here_{kind}", statistics.median(near))}
    if kind == "postgres":
        value = round(undisturbed(beside) * 1e3, 2)
        bars["start_there_postgres"] = judged("start_there_postgres", value, seen_ms=spread(far))
    figures = {"here_ms": spread(near), "there_ms": spread(far)}
    return {**figures, "bars": bars}


def spread(found: list[float]) -> dict[str, float]:
    """The middle and the ends."""
    middle = statistics.median(found)
    whole = {"min": min(found), "p50": middle, "max": max(found)}
    return {name: round(each, 2) for name, each in whole.items()}


if __name__ == "__main__":
    print_report(lambda: each_kind(report))

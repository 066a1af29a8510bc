"""A run as it was at some time, in a journal of 1,000,000 events.

The journal is made in bulk: runs of ten events, and a few of 1,000. What is measured is the whole
verb, from the public id to the view: the row, the events up to the time, the fold. Run as
`python -m tests.bench.history_bench`; it prints one JSON value.
"""

import asyncio
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from engine import Engine, open_engine
from engine.app.engine import FEATURES
from engine.core import events as ev
from engine.core.log import NEW, Append, Entry
from engine.core.uid import new as uid_of
from engine.store import open_store
from tests.bench.bars import judged
from tests.bench.workload import print_report, settings

EVENTS = int(os.environ.get("HANDRAIL_BENCH_EVENTS", "1000000"))
SHORT, LONG, EVERY = 10, 1_000, 1_000
"""Events of a run, those of a long one, and how many runs there are to a long one."""

ASKED = 300
NOW = 10**15


def history(number: int, length: int) -> tuple[Any, ...]:
    """A run of `length` events."""
    uid = uid_of(NOW, number.to_bytes(10))
    first = ev.RunStarted(uid, "default", "one", "1.0.0", "d" * 64, "workflow", {"n": number}, True)
    steps = (
        ev.StepSucceeded(f"s{n}", {"ok": True, "n": n}, 1, "default/noop", NOW)
        for n in range(length - 2)
    )
    return (first, *steps, ev.RunCompleted({"ok": True}))


async def made(path: Path) -> tuple[list[str], list[str]]:
    """Write the journal, each run in two appends a second apart; ids of short and long runs."""
    short: list[str] = []
    long: list[str] = []
    async with open_store(path, FEATURES, os.urandom, NOW) as store:
        written = number = 0
        while written < EVENTS:
            batch = []
            for _ in range(500):
                number += 1
                length = LONG if number % EVERY == 0 else SHORT
                events = history(number, length)
                (long if length == LONG else short).append(events[0].uid)
                batch.append(store.append(Append((Entry(NEW, 0, events[:-4]),), NOW, "w:7")))
                written += length
            first = await asyncio.gather(*batch)
            rest = history(1, SHORT)[-4:]
            later = [Entry(done.streams[0], done.versions[0], rest) for done in first]
            await asyncio.gather(
                *(store.append(Append((entry,), NOW + 10**6, "w:7")) for entry in later)
            )
    return short, long


async def asked(engine: Engine, ids: list[str], dice: random.Random) -> list[float]:
    """Seconds for each question about a run at some time of its life."""
    found = []
    for _ in range(ASKED):
        run_id, at = dice.choice(ids), NOW + dice.choice((0, 10**6))
        begun = time.perf_counter()
        shown = await engine.run_as_of(run_id, at)
        found.append(time.perf_counter() - begun)
        assert (shown.status == "completed") is (at > NOW)
    return sorted(found)


async def measured(folder: Path) -> dict[str, list[float]]:
    """Both kinds of run."""
    short, long = await made(folder / "bench.db")
    dice = random.Random(7)
    async with open_engine(settings(folder)) as engine:
        return {"short": await asked(engine, short, dice), "long": await asked(engine, long, dice)}


def report() -> dict[str, Any]:
    """The 95th percentile over short runs is the bar; long runs are told beside it."""
    with tempfile.TemporaryDirectory() as name:
        found = asyncio.run(measured(Path(name)))
    p95 = {kind: each[int(len(each) * 0.95)] * 1e3 for kind, each in found.items()}
    bars = {"as_of": judged("as_of", p95["short"], events=EVENTS, long_runs_ms=p95["long"])}
    return {"p95_ms": p95, "bars": bars}


if __name__ == "__main__":
    print_report(report)

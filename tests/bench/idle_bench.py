"""What 10,000 sleeping runs cost while nothing happens, on either database.

The time of the whole process is looked at, and every statement that it sends: on SQLite by a
trace of both connections, where a statement counts that reads a table of runs; on PostgreSQL by
the server's own count of transactions. Heartbeats are in both. Run as
`python -m tests.bench.idle_bench`; it prints one JSON value.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from engine import Engine, open_engine
from tests.bench.bars import judged
from tests.bench.places import places
from tests.bench.workload import SECONDS, each_kind, print_report, settings

SLEEPERS = int(os.environ.get("HANDRAIL_BENCH_SLEEPERS", "10000"))
WATCHED = 8 * SECONDS
"""Seconds; at the default they hold two heartbeats."""

LAG = 12.0
"""Seconds after which an idle session of PostgreSQL has told what it did."""

TABLES = ("from runs", "from due", "from journal")


async def asleep(engine: Engine) -> None:
    """Start the runs, and return when all of them sleep."""
    gate = asyncio.Semaphore(64)

    async def one() -> None:
        async with gate:
            run = await engine.start("sleeper", {})
            assert (await engine.wait(run.id, 0.0)).status in {"active", "paused:timer"}
            await _rested(engine, run.id)

    await asyncio.gather(*(one() for _ in range(SLEEPERS)))


async def _rested(engine: Engine, run_id: str) -> None:
    worker = engine._worker
    assert worker is not None
    await worker.rested(run_id, 30)


async def listened(store: Any, heard: list[str]) -> None:
    """Have every statement of a SQLite store noted."""
    db = store._writer._session._db
    db.set_trace_callback(heard.append)
    await store._reader._db.set_trace_callback(heard.append)


def transactions(url: str) -> int:
    """How many transactions the server has ended in this database."""
    import psycopg

    asked = "select xact_commit + xact_rollback from pg_stat_database where datname = %s"
    with psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True) as db:
        row = db.execute(asked, (url.rpartition("/")[2],)).fetchone()
    assert row is not None
    return int(row[0])


async def measured(kind: str, database: str, folder: Path) -> dict[str, Any]:
    """The processor's time and the statements while everybody sleeps."""
    heard: list[str] = []
    async with open_engine(settings(folder, database)) as engine:
        await asleep(engine)
        await asyncio.sleep(LAG)  # the last one to rest sets the timer anew
        if kind == "sqlite":
            await listened(engine.store, heard)
        before = 0 if kind == "sqlite" else await asyncio.to_thread(transactions, database)
        cpu, clock = time.process_time(), time.perf_counter()
        await asyncio.sleep(WATCHED)
        cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
        if kind == "sqlite":
            return {"cpu": 100 * cpu / clock, "seconds": clock, "heard": list(heard)}
        after = await asyncio.to_thread(transactions, database)
        return {"cpu": 100 * cpu / clock, "seconds": clock, "sent": after - before}


def report(kind: str) -> dict[str, Any]:
    """The figures, all of which are bars."""
    with places(kind) as (database, _, folder):
        found = asyncio.run(measured(kind, database, folder))
    bars = {f"idle_cpu_{kind}": judged(f"idle_cpu_{kind}", found["cpu"], sleepers=SLEEPERS)}
    if kind == "postgres":
        sent = found["sent"] / found["seconds"]
        bars["idle_queries_postgres"] = judged("idle_queries_postgres", sent, sent=found["sent"])
        return {"seconds": found["seconds"], "bars": bars}
    lines = [" ".join(each.lower().split()) for each in found["heard"]]
    looked = [each for each in lines if each.startswith("pragma data_version")]
    reads = [each for each in lines if each.startswith("select") and _reads(each)]
    others = [each for each in lines if each not in looked and each not in reads]
    bars["idle_reads_sqlite"] = judged("idle_reads_sqlite", len(reads), reads=sorted(set(reads)))
    figures = {"seconds": found["seconds"], "looks": len(looked), "others": others}
    return {**figures, "bars": bars}


def _reads(line: str) -> bool:
    # The roll is the heartbeat: one statement every ten seconds, whoever sleeps.
    return "from workers" not in line and any(table in line for table in TABLES)


if __name__ == "__main__":
    print_report(lambda: each_kind(report))

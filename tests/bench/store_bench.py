"""The journal: appends one at a time and in bulk, drawing the tables again, walking the chain.

Run as `python -m tests.bench.store_bench`; it prints one JSON value. Rates are given by the clock
and by the processor's time (`cpu`), which says more on a machine that others use too. The floors
are raw SQLite that inserts the same journal rows, 64 to a transaction, synchronous=FULL, and for
the walk: reading the lines and taking two SHA-256 of each.
"""

import asyncio
import json
import os
import platform
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.app.engine import FEATURES
from engine.core import events as ev
from engine.core.log import NEW, Append, Entry, Write
from engine.store import Store, open_sqlite
from engine.store.connection import connect, tune
from engine.store.dialect import SQLITE, migrations, statements
from tests.bench.bars import judged

ABREAST = 64
RUNS = int(os.environ.get("HANDRAIL_BENCH_RUNS", "3200"))
BARS = {
    "append_to_floor": ("<=", 6.0),
    "verify_to_floor": ("<=", 2.0),
}
TIMES = 3
"""How often what changes nothing is measured; the best counts."""

NOW = 10**15


def started(number: int) -> ev.RunStarted:
    """The beginning of a run."""
    uid = f"{number:032x}"
    return ev.RunStarted(uid, "default", "w", "1.0.0", "d" * 64, "workflow", {"n": number}, True)


def done(number: int) -> ev.StepSucceeded:
    """The result of a step."""
    return ev.StepSucceeded(f"s{number}", {"ok": True}, 1, "default/noop", NOW)


def request(stream: int, version: int, *events: Any, also: tuple[Write, ...] = ()) -> Append:
    """What a drive asks for."""
    return Append((Entry(stream, version, events, also),), NOW, "worker:7")


async def run_of_six(store: Store, number: int) -> None:
    """A run as the engine records it: each of six events durable before the next."""
    lease = Write("due_put", {"tenant": "default", "lane": 0, "at": NOW, "owner": 7})
    answer = await store.append_soon(request(NEW, 0, started(number), also=(lease,)))
    (stream,) = answer.streams
    for step in range(4):
        await store.append_soon(request(stream, 1 + step, done(step)))
    drop = Write("due_drop", {})
    await store.append_soon(request(stream, 5, ev.RunCompleted({"ok": True}), also=(drop,)))


async def singly(store: Store) -> None:
    """RUNS runs, 64 at a time."""

    async def loop(first: int) -> None:
        for number in range(first, RUNS, ABREAST):
            await run_of_six(store, number)

    await asyncio.gather(*(loop(first) for first in range(ABREAST)))


async def in_bulk(store: Store) -> None:
    """Runs of a hundred events in one append each."""
    steps = [done(number) for number in range(98)]
    events = [(started(10**6 + n), *steps, ev.RunCompleted(n)) for n in range(RUNS // 16)]
    await asyncio.gather(*(store.append_soon(request(NEW, 0, *each)) for each in events))


async def measured(act: Callable[[], Awaitable[Any]], events: int) -> dict[str, float]:
    """Events per second, by the clock and by the time of all this process's threads."""
    clock, cpu = time.perf_counter(), time.process_time()
    await act()
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    return {"per_second": round(events / clock), "per_cpu_second": round(events / cpu)}


def writing() -> float:
    """Seconds of processor time that the writing thread has used."""
    (writer,) = [thread for thread in threading.enumerate() if thread.name == "handrail-writer"]
    assert writer.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(writer.ident))


async def ours(path: Path) -> dict[str, Any]:
    """All figures of a fresh database."""
    async with open_sqlite(path, FEATURES, os.urandom) as store:
        before = writing()
        single = await measured(lambda: singly(store), RUNS * 6)
        single["writer_us_per_event"] = round((writing() - before) / (RUNS * 6) * 1e6, 1)
        bulk = await measured(lambda: in_bulk(store), RUNS // 16 * 100)
        events = store.head()
        rebuild = await best(store.rebuild, events)
        verify = await best(store.verify, events)
        walk = await best(lambda: asyncio.to_thread(read_and_hash, path), events)
        assert not (await store.verify()).problems
    figures = {"append_64": single, "append_bulk": bulk, "rebuild": rebuild, "verify": verify}
    return {**figures, "read_and_hash": walk, "events": events}


async def best(act: Callable[[], Awaitable[Any]], events: int) -> dict[str, float]:
    """The best of a few measurements."""
    return max([await measured(act, events) for _ in range(TIMES)], key=lambda m: m["per_second"])


def read_and_hash(path: Path) -> None:
    """What any verification must do at least."""
    statement, after = statements(SQLITE)["journal_lines"], 0
    with closing(connect(path, 5)) as db:
        while rows := db.execute(statement.text, (after, 1_000)).fetchall():
            for row in rows:
                sha256(sha256(row[3]).digest()).digest()
            after = rows[-1][0]


def floor(path: Path, rows: list[tuple[Any, ...]]) -> dict[str, float]:
    """The same journal rows by nothing but SQLite."""
    with closing(connect(path, 5)) as db:
        tune(db)
        for step in migrations(SQLITE):
            for text in step.statements:
                db.execute(text)
        insert = statements(SQLITE)["journal_insert"].text
        clock, cpu = time.perf_counter(), time.thread_time()
        for first in range(0, len(rows), ABREAST):
            db.execute("begin immediate")
            db.executemany(insert, rows[first : first + ABREAST])
            db.execute("commit")
        clock, cpu = time.perf_counter() - clock, time.thread_time() - cpu
    spent = round(cpu / len(rows) * 1e6, 1)
    return {"per_second": round(len(rows) / clock), "writer_us_per_event": spent}


def report(folder: Path) -> dict[str, Any]:
    """Measure, beside the floor."""
    figures = asyncio.run(ours(folder / "ours.db"))
    with closing(sqlite3.connect(folder / "ours.db")) as db:
        rows = db.execute(
            "select position, tenant, stream, version, kind, schema, at, actor, body, salt, hash"
            " from journal order by position limit ?",
            (RUNS * 6,),
        )
        lowest = floor(folder / "floor.db", rows.fetchall())
    walk, events = figures.pop("read_and_hash"), figures.pop("events")
    rebuild = figures["rebuild"]
    spent, verify = figures["append_64"]["writer_us_per_event"], figures["verify"]
    ratios = {
        "append_to_floor": round(spent / lowest["writer_us_per_event"], 2),
        "verify_to_floor": round(walk["per_cpu_second"] / verify["per_cpu_second"], 2),
    }
    return {
        "bench": "store",
        "configuration": "SQLite WAL, synchronous=FULL; chain, salts and tables on",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "handrail": figures,
        "floor": {"append_64": lowest, "verify": walk},
        "bytes_per_event": round((folder / "ours.db").stat().st_size / events),
        "floors": {name: bar(name, value) for name, value in ratios.items()},
        "bars": {"rebuild": judged("rebuild", rebuild["per_cpu_second"], **rebuild)},
    }


def bar(name: str, value: float) -> dict[str, Any]:
    """A figure, its bar, and whether it holds."""
    sense, limit = BARS[name]
    holds = value <= limit if sense == "<=" else value >= limit
    return {"is": value, "must": f"{sense} {limit:g}", "holds": holds}


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(json.dumps(report(Path(name)), indent=1) + "\n")


if __name__ == "__main__":
    main()

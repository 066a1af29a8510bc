"""DBOS on SQLite in WAL mode with full sync, doing the same work; prints one JSON line.

DBOS needs SQLite 3.42; where Python's own is older, pysqlite3 stands in for it.
"""

import asyncio
import contextlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

with contextlib.suppress(ImportError):
    import pysqlite3

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2

import sqlalchemy
from dbos import DBOS

from tests.bench.workload import closed_loop


@DBOS.step()
async def noop(number: int) -> Any:
    """Does nothing."""
    return {"ok": True}


@DBOS.workflow()
async def chain(length: int) -> Any:
    """`length` steps, one after the other."""
    for number in range(length):
        await noop(number)
    return {"ok": True}


def prepare(connection: Any, _: Any) -> None:
    """What makes the comparison fair: WAL, and durable before it counts."""
    connection.isolation_level = "IMMEDIATE"
    for pragma in ("busy_timeout=30000", "foreign_keys=on", "journal_mode=wal", "synchronous=full"):
        connection.execute(f"pragma {pragma}")


def work(length: int) -> Any:
    """Start a workflow and wait for its result."""

    async def once() -> None:
        handle = await DBOS.start_workflow_async(chain, length)
        await handle.get_result()

    return once


async def main() -> None:
    """Measure and print."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    url = f"sqlite:///{folder / 'dbos.db'}"
    database = sqlalchemy.create_engine(url)
    sqlalchemy.event.listen(database, "connect", prepare)
    config: Any = {
        "name": "bench",
        "system_database_url": url,
        "system_database_engine": database,
        "log_level": "ERROR",
        "application_version": "v1",
    }
    DBOS(config=config)
    DBOS.launch()
    await closed_loop(work(1), 4, 0.5)
    rates = {
        "latency_1_step": asdict(await closed_loop(work(1), 1, seconds)),
        "latency_10_steps": asdict(await closed_loop(work(10), 1, seconds)),
        "runs_64": asdict(await closed_loop(work(1), 64, seconds)),
        "steps_64": asdict(await closed_loop(work(10), 64, seconds)),
    }
    sys.stdout.write(json.dumps(rates) + "\n")
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main())

"""DBOS doing the same work, on SQLite in WAL mode with full sync or on PostgreSQL.

Run as `dbos_peer URL`. Each line of its input is a measurement to make, as JSON (`length` of the
run in steps, `abreast`, `seconds`); each line of its output is the rate that came of it. It ends
with its input. DBOS needs SQLite 3.42; where Python's own is older, pysqlite3 stands in for it.
"""

import asyncio
import contextlib
import json
import sys
from dataclasses import asdict
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


def configuration(url: str) -> Any:
    """What DBOS is told."""
    config: dict[str, Any] = {
        "name": "bench",
        "system_database_url": url,
        "log_level": "ERROR",
        "application_version": "v1",
    }
    if url.startswith("sqlite"):
        config["system_database_engine"] = sqlalchemy.create_engine(url)
        sqlalchemy.event.listen(config["system_database_engine"], "connect", prepare)
    else:
        config["sys_db_pool_size"] = 20
    return config


async def main(url: str) -> None:
    """Measure what is asked for."""
    DBOS(config=configuration(url))
    DBOS.launch()
    await closed_loop(work(1), 4, 0.5)
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        rate = await closed_loop(work(asked["length"]), asked["abreast"], asked["seconds"])
        sys.stdout.write(json.dumps(asdict(rate)) + "\n")
        sys.stdout.flush()
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

"""The floor of the mutation bench: the same facts kept by plain Python and SQLite, and no more.

One thread writes what has arrived in one synced transaction, and whoever asked goes on when it is
durable. There are no plans, versions, chain, salts or tables beside the journal, so nothing that
is written in Python and waits for its facts can be much faster on the machine that it runs on.
"""

import asyncio
import queue
import threading
from json import dumps
from pathlib import Path
from typing import Any

from engine.store.connection import connect, tune
from tests.bench.workload import noop

Fact = tuple[int, int, str, str]
"""Run, number in the run, kind, body."""

_TABLE = """create table journal (
  position integer primary key, run integer, version integer, kind text, body text
)"""
_INDEX = "create unique index journal_by_run on journal (run, version)"
_INSERT = "insert into journal (run, version, kind, body) values (?, ?, ?, ?)"


class Plain:
    """A journal, and the thread that writes it."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path, 5.0)
        tune(self._db)
        self._db.execute("pragma wal_autocheckpoint = 4000")
        self._db.execute(_TABLE)
        self._db.execute(_INDEX)
        self._arrived: queue.SimpleQueue[tuple[Fact, asyncio.Future[None]] | None]
        self._arrived, self._loop = queue.SimpleQueue(), asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()
        self._runs = 0

    async def run(self, steps: int) -> None:
        """A run of so many mutations: intent, call, result, each durable before the next."""
        self._runs += 1
        run, version = self._runs, 1
        await self._kept(run, 0, "started", {"input": {}})
        for step in range(steps):
            await self._kept(run, version, "begun", {"step": step})
            result = await noop({"n": step})
            await self._kept(run, version + 1, "succeeded", {"step": step, "output": result})
            version += 2
        await self._kept(run, version, "completed", {"output": {}})

    def _kept(
        self, run: int, version: int, kind: str, body: dict[str, Any]
    ) -> asyncio.Future[None]:
        done: asyncio.Future[None] = self._loop.create_future()
        self._arrived.put(((run, version, kind, dumps(body)), done))
        return done

    def _write(self) -> None:
        while (first := self._arrived.get()) is not None:
            batch = [first]
            while not self._arrived.empty() and (more := self._arrived.get()) is not None:
                batch.append(more)
            self._db.execute("begin immediate")
            self._db.executemany(_INSERT, [fact for fact, _ in batch])
            self._db.execute("commit")
            self._loop.call_soon_threadsafe(_answer, [done for _, done in batch])

    async def close(self) -> None:
        """Stop, when nobody asks any more."""
        self._arrived.put(None)
        await asyncio.to_thread(self._thread.join)
        self._db.close()


def _answer(waiting: list[asyncio.Future[None]]) -> None:
    for done in waiting:
        done.set_result(None)

"""Group commit: one thread that writes, one fsync for everybody who was waiting.

The thread takes what has arrived, waits for the database's turn (a file lock that is fair among
processes), carries everything out in one transaction with full sync, and only then answers all.
There is no artificial delay: a batch is what arrived while the last one was being synced. What
fails for a request's own reasons fails that request alone; what fails for the database's
reasons fails the whole batch with a typed error, and the thread goes on serving.

Whoever holds the turn also folds the log file back into the database once it is long. SQLite
before 3.51.3 can be damaged by two checkpointers at once; the turn makes sure there is one.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.log import Append, Row, Write
from engine.store.batch import Batch, Heads, Schema
from engine.store.connection import fold, judged, rows_of
from engine.store.errors import trouble
from engine.store.lock import Turn

_LOG = logging.getLogger("handrail.store")
MOST = 2_048
"""How many requests share a commit at most."""

LONG_LOG = 16 * 1024 * 1024
"""Bytes of log file after which it is folded back into the database."""

Work = Callable[[sqlite3.Connection], Any]
"""Something else to be done on the writer's connection, inside a transaction of its own."""


@dataclass(frozen=True, slots=True)
class Look:
    """Whether another process has committed since the last look."""


Request = Append | tuple[Write, ...] | Look | Work
Result = tuple[asyncio.Future[Any], Any, BaseException | None]


class Writer:
    """The writing thread of a process."""

    def __init__(self, db: sqlite3.Connection, path: Path, schema: Schema, turn: Turn) -> None:
        self._db, self._schema, self._turn = db, schema, turn
        self._log = path.with_name(path.name + "-wal")
        self._heads = Heads()
        self._seen = self._looked = self._change()
        self._queue: queue.SimpleQueue[tuple[Request, asyncio.Future[Any]] | None]
        self._queue = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="handrail-writer", daemon=True)
        self._thread.start()

    @property
    def head(self) -> int:
        """The last position that this process has seen."""
        return self._heads.position

    def ask(self, request: Request) -> asyncio.Future[Any]:
        """Have a request carried out; the future is resolved once it is durable."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closed:
            future.set_exception(trouble("database_closed"))
        else:
            self._queue.put((request, future))
        return future

    async def close(self) -> None:
        """Finish what was asked for and stop."""
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._arrived()
            if not batch:
                continue
            results = self._served(batch)
            try:
                self._loop.call_soon_threadsafe(_answer, results)
            except RuntimeError:
                return  # the loop is gone, and with it everybody who asked

    def _arrived(self) -> tuple[list[tuple[Request, asyncio.Future[Any]]], bool]:
        batch = []
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            if len(batch) == MOST:
                return batch, True
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _served(self, batch: list[tuple[Request, asyncio.Future[Any]]]) -> list[Result]:
        looks = [(self._look(), future) for request, future in batch if isinstance(request, Look)]
        rest = [item for item in batch if not isinstance(item[0], Look)]
        results: list[Result] = [(future, moved, None) for moved, future in looks]
        if rest:
            try:
                results += self._together(rest)
            except sqlite3.IntegrityError:
                # One of them breaks a rule of the schema; the others must not suffer for it.
                results += [result for item in rest for result in self._alone(item)]
            except Exception as error:
                results += [(future, None, judged(error)) for _, future in rest]
        return results

    def _alone(self, item: tuple[Request, asyncio.Future[Any]]) -> list[Result]:
        try:
            return self._together([item])
        except Exception as error:
            return [(item[1], None, judged(error))]

    def _together(self, batch: list[tuple[Request, asyncio.Future[Any]]]) -> list[Result]:
        with self._turn.held():
            try:
                self._db.execute("begin immediate")
                results = self._carried_out(batch)
                self._db.execute("commit")
            except BaseException:
                self._undo()
                raise
            self._fold()
        return results

    def _carried_out(self, batch: list[tuple[Request, asyncio.Future[Any]]]) -> list[Result]:
        self._catch_up()
        work = Batch(self._schema, self._heads, self._query, self._db.executemany)
        results: list[Result] = []
        for request, future in batch:
            try:
                results.append((future, self._one(work, request), None))
            except sqlite3.Error:
                raise
            except Exception as error:  # this request's own trouble; it has left no trace
                results.append((future, None, error))
        work.finish()
        return results

    def _one(self, work: Batch, request: Request) -> Any:
        if isinstance(request, Append):
            return work.append(request)
        if isinstance(request, tuple):
            return work.write(request)
        assert not isinstance(request, Look)
        work.finish()
        return request(self._db)

    # -- the database -----------------------------------------------------------------------------

    def _catch_up(self) -> None:
        change = self._change()
        if change != self._seen:
            self._seen = change
            self._heads.forget()
        if not self._heads.known:
            rows = self._query(self._schema.statement("journal_head"), {})
            fresh = Heads()
            self._heads.position = rows[0]["position"] if rows else fresh.position
            self._heads.hash = rows[0]["hash"] if rows else fresh.hash
            self._heads.known = True

    def _change(self) -> int:
        # Moves when another connection commits, never for our own commits.
        (number,) = self._db.execute("pragma data_version").fetchone()
        return int(number)

    def _look(self) -> bool:
        change = self._change()
        moved, self._looked = change != self._looked, change
        return moved

    def _query(self, statement: Any, params: Any) -> list[Row]:
        return rows_of(self._db.execute(statement.text, statement.bind(params)))

    def _undo(self) -> None:
        self._heads.forget()
        try:
            if self._db.in_transaction:
                self._db.execute("rollback")
        except sqlite3.Error:
            _LOG.exception("a transaction could not be undone")

    def _fold(self) -> None:
        try:
            if self._log.stat().st_size > LONG_LOG:
                fold(self._db)
        except (OSError, sqlite3.Error):
            _LOG.info("the log file could not be folded now", exc_info=True)


def _answer(results: list[Result]) -> None:
    for future, value, error in results:
        if future.done():
            continue  # who asked has gone
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

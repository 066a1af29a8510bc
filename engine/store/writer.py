"""Group commit: one thread that writes, one fsync for everybody who was waiting.

The thread takes what has arrived, waits for the database's turn (a file lock that is fair among
processes), carries everything out in one transaction with full sync, and only then answers all.
There is no artificial delay: a batch is what arrived while the last one was being synced. What
fails for the database's reasons fails the whole batch with a typed error. What fails for a
request's own reasons fails that request alone: a batch that cannot be carried out is undone and
tried again in halves, so that the one at fault is soon by itself. Either way the thread goes on
serving; the connection is its own from its first statement to its last.

Whoever holds the turn also folds the log file back into the database once it is long. SQLite
before 3.51.3 can be damaged by two checkpointers at once; the turn makes sure there is one.
"""

import asyncio
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.codec import CodecError
from engine.core.errors import Stale
from engine.core.log import Append, Row, Taken, Write
from engine.store.batch import Batch, Heads, Schema
from engine.store.connection import fold, judged, outside, rows_of
from engine.store.dialect import Statement
from engine.store.errors import StoreError, trouble
from engine.store.lock import Turn

_LOG = logging.getLogger("handrail.store")

MOST = 2_048
"""How many requests share a commit at most."""

LONG_LOG = 16 * 1024 * 1024
"""Bytes of log file after which it is folded back into the database."""


@dataclass(frozen=True, slots=True)
class Look:
    """Whether another process has committed since the last look."""


Work = Callable[[sqlite3.Connection], Any]
"""Something else to be done inside a transaction; an error undoes it."""

Request = Append | list[Write] | Look | Work
Asked = tuple[Request, asyncio.Future[Any]]
Result = tuple[asyncio.Future[Any], Any, BaseException | None]


class Writer:
    """The writing thread of a process. It closes `db` and `turn` when it ends."""

    def __init__(self, db: sqlite3.Connection, path: Path, schema: Schema, turn: Turn) -> None:
        self._db, self._schema, self._turn = db, schema, turn
        self._log, self._long = f"{path}-wal", LONG_LOG
        self._heads = Heads()
        self._head = 0
        self._seen = self._looked = -1  # nothing was seen yet; the file is not asked here
        self._queue: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="handrail-writer", daemon=True)
        self._thread.start()

    @property
    def head(self) -> int:
        """The last position that this process knows to be committed."""
        return self._head

    def ask(self, request: Request) -> asyncio.Future[Any]:
        """Have a request carried out; the future is resolved once it is durable."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closed:
            future.set_exception(trouble("database_closed"))
        else:
            self._queue.put((request, future))
        return future

    async def close(self) -> None:
        """Take nothing more, finish what was asked for, and stop."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while (batch := self._arrived()) and self._tell(self._served(batch)):
                self._fold()
        finally:
            self._db.close()
            self._turn.close()

    def _arrived(self) -> list[Asked]:
        """What waits, at least one; nothing when the end has come."""
        batch: list[Asked] = []
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            if len(batch) == MOST or self._queue.empty():
                return batch
            item = self._queue.get_nowait()
        if batch:
            self._queue.put(None)  # first these, then the end
        return batch

    def _tell(self, results: list[Result]) -> bool:
        """Answer everybody; False when the loop is gone, and with it all who asked."""
        try:
            self._loop.call_soon_threadsafe(_answer, results)
        except RuntimeError:
            return False
        return True

    def _served(self, batch: list[Asked]) -> list[Result]:
        looks = [future for request, future in batch if isinstance(request, Look)]
        rest = [asked for asked in batch if not isinstance(asked[0], Look)]
        results = self._looked_at(looks) if looks else []
        return results + self._tried(rest) if rest else results

    def _looked_at(self, looks: list[asyncio.Future[Any]]) -> list[Result]:
        try:
            change = self._change()
        except sqlite3.Error as error:
            return [(future, None, judged(error)) for future in looks]
        moved, self._looked = change != self._looked, change
        return [(future, moved, None) for future in looks]

    def _tried(self, batch: list[Asked]) -> list[Result]:
        try:
            return self._together(batch)
        except Exception as error:
            if len(batch) == 1 or outside(error):
                return [(future, None, judged(error)) for _, future in batch]
        half = len(batch) // 2
        return self._tried(batch[:half]) + self._tried(batch[half:])

    def _together(self, batch: list[Asked]) -> list[Result]:
        with self._turn.held():
            try:
                self._undo()  # what an undoing that failed has left
                self._db.execute("begin immediate")
                self._catch_up()
                work = Batch(self._schema, self._heads, self._query, self._db.executemany)
                results = [self._one(work, request, future) for request, future in batch]
                work.finish()
                self._db.execute("commit")
            except BaseException:
                self._heads.forget()
                self._undo()
                raise
        self._head = self._heads.position
        return results

    def _one(self, work: Batch, request: Request, future: asyncio.Future[Any]) -> Result:
        if isinstance(request, Append):
            return self._append(work, request, future)
        if isinstance(request, list):
            return future, work.write(request), None
        assert not isinstance(request, Look)
        work.finish()
        return future, request(self._db), None

    @staticmethod
    def _append(work: Batch, request: Append, future: asyncio.Future[Any]) -> Result:
        try:
            return future, work.append(request), None
        except (Stale, Taken, CodecError) as error:
            return future, None, error

    # -- the database -----------------------------------------------------------------------------

    def _catch_up(self) -> None:
        change = self._change()
        if change != self._seen:
            self._seen = change
            self._heads.forget()
        if not self._heads.known:
            self._heads.learn(self._query(self._schema.statements["journal_head"], {}))
        self._heads.trim()

    def _change(self) -> int:
        # Moves when another connection commits, never for our own commits.
        (number,) = self._db.execute("pragma data_version").fetchone()
        return int(number)

    def _query(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        return rows_of(self._db.execute(statement.text, statement.bind(params)))

    def _undo(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("rollback")
        except sqlite3.Error:
            _LOG.exception("a transaction could not be undone")

    def _fold(self) -> None:
        """Fold a long log; one that a reader still needs is tried again when it has grown."""
        try:
            size = os.stat(self._log).st_size
            if size > self._long:
                with self._turn.held():
                    folded = fold(self._db, self._turn.patience)
                self._long = LONG_LOG if folded else size + LONG_LOG
        except (OSError, sqlite3.Error, StoreError):
            _LOG.info("the log file could not be folded now", exc_info=True)


def _answer(results: list[Result]) -> None:
    for future, value, error in results:
        if future.done():
            continue  # who asked has gone
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

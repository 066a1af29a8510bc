"""The connection that writes to a SQLite file, in the hands of the writing thread.

A file lock that is fair among processes goes round every transaction. Whoever holds it also folds
the log file back into the database once it is long: SQLite before 3.51.3 can be damaged by two
checkpointers at once, and the lock makes sure there is one.
"""

import logging
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from engine.core.log import Row
from engine.store.batch import Heads
from engine.store.connection import fold, judged, outside, rest, rows_of
from engine.store.dialect import Statement
from engine.store.errors import StoreError
from engine.store.lock import Turn
from engine.store.sqlite_log import ROOM, STEP, Log
from engine.store.writer import Need

_LOG = logging.getLogger("handrail.store")

LONG_LOG = 16 * 1024 * 1024
"""Bytes of log in use after which it is folded back into the database."""


class SqliteSession:
    """A `Session` (see `writer.py`) over `db`; both and `turn` are closed by `close`.

    The log is looked at after `every` batches: it cannot have grown much in fewer.
    """

    every = 8

    def __init__(self, db: sqlite3.Connection, path: Path, head: Statement, turn: Turn) -> None:
        self._db, self._turn, self._head = db, turn, head
        self._log, self._long = Log(path), LONG_LOG
        self._batches = 0
        self._seen = self._looked = -1  # nothing was seen yet; the file is not asked here

    def turn(self) -> AbstractContextManager[None]:
        """The file lock; raises `database_locked` when it does not come in time."""
        return self._turn.held()

    def begin(self, *, known: bool, need: Need) -> list[Row] | None:
        """Begin; the head of the journal unless it is known and still the same."""
        self.undo()  # what an undoing that failed has left
        self._db.execute("begin immediate")
        change = self._change()
        if known and change == self._seen:
            return None
        self._seen = change
        return self.query(self._head, {})

    def doubts(self, error: BaseException) -> bool:
        """Nothing is trusted: to look costs nothing."""
        return False

    def query(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """The rows of one statement, by column name."""
        return rows_of(self._db.execute(statement.text, statement.bind(params)))

    def lines(self, statement: Statement, params: Mapping[str, Any]) -> list[Any]:
        """The rows of one statement, in the order of their columns."""
        return self._db.execute(statement.text, statement.bind(params)).fetchall()

    def execute_many(self, statement: Statement, rows: list[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        self._db.executemany(statement.text, rows)

    def empty(self, table: str) -> None:
        """Delete every row of a table."""
        self._db.execute(f"delete from {table}")  # noqa: S608 - a name of our own

    def commit(self, heads: Heads) -> None:
        """Commit, synced."""
        self._db.execute("commit")

    def undo(self) -> None:
        """Roll back what is open."""
        try:
            if self._db.in_transaction:
                self._db.execute("rollback")
        except sqlite3.Error:
            _LOG.exception("a transaction could not be undone")

    def moved(self) -> bool:
        """Whether another connection has committed since this was last asked."""
        change = self._change()
        moved, self._looked = change != self._looked, change
        return moved

    def rest(self) -> None:
        """Let go of the pages that were needed to write."""
        rest(self._db)

    def _change(self) -> int:
        # Moves when another connection commits, never for our own commits.
        (number,) = self._db.execute("pragma data_version").fetchone()
        return int(number)

    # -- the log -------------------------------------------------------------------------------

    def tidy(self) -> None:
        """Fold a long log, and make room in a young one.

        A log that a reader still needs is tried again when it has grown.
        """
        self._batches += 1
        if self._batches % self.every:
            return
        try:
            used = self._log.used()
            if used > self._long:
                self._fold(used)
            elif used > ROOM and used + ROOM > self._log.size():
                self._lengthen()
        except (OSError, sqlite3.Error, StoreError):
            _LOG.info("the log file could not be folded now", exc_info=True)

    def _fold(self, used: int) -> None:
        with self._turn.held():
            folded = fold(self._db)
        self._long = LONG_LOG if folded else used + LONG_LOG

    def _lengthen(self) -> None:
        with self._turn.held():
            self._db.execute("begin immediate")
            try:
                if self._log.used() + STEP > self._log.size():
                    self._log.lengthen()
            finally:
                self.undo()

    # -- errors and the end -------------------------------------------------------------------

    def outside(self, error: BaseException) -> bool:
        """Whether the file or its system is in trouble."""
        return outside(error)

    def judged(self, error: BaseException) -> BaseException:
        """The typed error for what was raised."""
        return judged(error)

    def close(self) -> None:
        """Close the log before the connection, which may remove it, and let go of the lock."""
        self._log.close()
        self._db.close()
        self._turn.close()

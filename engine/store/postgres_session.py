"""The connection that writes to PostgreSQL, in the hands of the writing thread.

Every transaction holds one advisory lock from its beginning to the end of its commit, so that
positions have no gaps and are in the order of the commits, and whoever reads the journal's tail
can skip nothing. A transaction is three journeys to the server: begin, lock and the journal's
head; the writes; notify and commit.

A commit whose answer is lost is looked up: the lock is waited for once more, because until then
the old transaction may still be under way, and then the journal has our last hash or has not.

The locks of workers' lives belong to this connection too: a process that cannot write is dead.
"""

import logging
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from engine.core.log import Row
from engine.store.batch import Heads
from engine.store.dialect import Statement
from engine.store.errors import trouble
from engine.store.postgres_link import Link, ends_transactions, judged, outside
from engine.store.rows import repeated, together

_LOG = logging.getLogger("handrail.store")

CHANNEL = "handrail"

TURN = 0x4862 << 48
"""The key of the lock that goes round transactions; those of lives lie below it."""

LIFE = 0x4861 << 48

PERSISTENCE = 3
"""How many times the patience it is tried to find out whether a commit happened."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

_HASH_AT = "select hash from journal where position = $1"


class PostgresSession:
    """A `Session` (see `writer.py`) over a connection that is opened again when it breaks."""

    def __init__(self, link: Link, db: psycopg.Connection[Any], head: Statement) -> None:
        self._link, self._head = link, head
        self._db: Any = db  # the driver's types want literal SQL; ours comes from files
        self._pipe: psycopg.Pipeline | None = None
        self._ours: tuple[int, bytes] | None = None
        self._begun_at = 0
        self._lives: set[int] = set()
        self.pid = db.info.backend_pid

    # -- a transaction -----------------------------------------------------------------------

    @contextmanager
    def turn(self) -> Generator[None]:
        """A connection that works; the lock itself is part of the transaction."""
        if self._db.closed:
            self._reconnect()
        yield

    def begin(self, *, known: bool) -> list[Row] | None:
        """Begin; the head of the journal unless it is known and still the same."""
        self.undo()
        self._pipe = self._db.pipeline()
        self._pipe.__enter__()
        self._db.execute("begin")
        self._db.execute("select pg_advisory_xact_lock($1)", (TURN,))
        rows = self.query(self._head, {})
        head = (rows[0]["position"], rows[0]["hash"]) if rows else None
        self._begun_at = head[0] if head else 0
        return None if known and head == self._ours else rows

    def query(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """The rows of one statement, by column name."""
        cursor = self._db.execute(statement.text, statement.bind(params))
        rows = cursor.fetchall() if statement.returns else []
        names = [column.name for column in cursor.description] if rows else []
        return [dict(zip(names, row, strict=True)) for row in rows]

    def lines(self, statement: Statement, params: Mapping[str, Any]) -> list[Any]:
        """The rows of one statement, in the order of their columns."""
        rows: list[Any] = self._db.execute(statement.text, statement.bind(params)).fetchall()
        return rows

    def execute_many(self, statement: Statement, rows: list[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        if repeated(statement.text, 1):
            for text, values in together(statement.text, rows):
                self._db.execute(text, values)
        else:
            self._db.cursor().executemany(statement.text, rows)

    def empty(self, table: str) -> None:
        """Delete every row of a table, however long that takes."""
        self._db.execute("set local statement_timeout = 0")
        if ends_transactions(self._db):
            self._db.execute("set local transaction_timeout = 0")
        self._db.execute(f"delete from {table}")  # noqa: S608 - a name of our own

    def commit(self, heads: Heads) -> None:
        """Commit, synced, and tell the others."""
        assert self._pipe is not None
        try:
            self._db.execute(f"notify {CHANNEL}")
            self._db.execute("commit")
            pipe, self._pipe = self._pipe, None
            pipe.__exit__(None, None, None)
        except psycopg.OperationalError:
            if not self._db.closed or not self._landed(heads):
                raise
        self._ours = (heads.position, heads.hash)

    def _landed(self, heads: Heads) -> bool:
        """Whether the commit that was not answered happened; False where nothing can tell.

        Raises `database_unanswered` when the server cannot be asked in time.
        """
        if heads.position == self._begun_at:
            return False  # no event was written: nothing in the journal can tell
        end = time.monotonic() + PERSISTENCE * self._link.patience
        while True:
            try:
                landed = self._looked_up(heads)
            except psycopg.OperationalError as error:
                if time.monotonic() > end:
                    raise trouble("database_unanswered") from error
                time.sleep(_FIRST_PAUSE)
            else:
                happened = "happened" if landed else "did not happen"
                _LOG.warning("a commit was not answered; it %s", happened)
                return landed

    def _looked_up(self, heads: Heads) -> bool:
        self._reconnect()
        # Taken and given back at once: whoever was in the middle of a transaction has ended it.
        self._db.execute("select pg_advisory_xact_lock($1)", (TURN,))
        row = self._db.execute(_HASH_AT, (heads.position,)).fetchone()
        return row is not None and bytes(row[0]) == heads.hash

    def undo(self) -> None:
        """Roll back what is open."""
        pipe, self._pipe = self._pipe, None
        try:
            if pipe is not None:
                with suppress(psycopg.Error):
                    pipe.__exit__(None, None, None)
            if not self._db.closed and self._db.info.transaction_status != 0:
                self._db.execute("rollback")
        except psycopg.Error:
            _LOG.info("a transaction could not be undone", exc_info=True)
            self._db.close()  # then the server undoes it

    # -- lives ---------------------------------------------------------------------------------

    def hold(self, worker: int) -> bool:
        """Take the lock of a worker's life; False when somebody has it."""
        if worker in self._lives or not self._locked(worker):
            return False
        self._lives.add(worker)
        return True

    def let_go(self, worker: int) -> None:
        """Give the lock of a worker's life back."""
        if worker in self._lives:
            self._lives.discard(worker)
            self._db.execute("select pg_advisory_unlock($1)", (LIFE | worker,))

    def _locked(self, worker: int) -> bool:
        answer = self._db.execute("select pg_try_advisory_lock($1)", (LIFE | worker,)).fetchone()
        return bool(answer and answer[0])

    # -- the connection ------------------------------------------------------------------------

    def _reconnect(self) -> None:
        """Open it anew, for `patience` seconds at most; raises psycopg.Error."""
        pause, end = _FIRST_PAUSE, time.monotonic() + self._link.patience
        while True:
            try:
                self._db.close()
                self._db = self._link.open(writes=True)
                break
            except psycopg.OperationalError:
                if time.monotonic() + pause > end:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self.pid, self._ours = self._db.info.backend_pid, None
        self._lives = {worker for worker in self._lives if self._locked(worker)}

    def moved(self) -> bool:
        """Nobody asks: whoever waits for others listens to them."""
        return True

    def tidy(self) -> None:
        """Nothing: the server does it."""

    def outside(self, error: BaseException) -> bool:
        """Whether the server is in trouble."""
        return outside(error)

    def judged(self, error: BaseException) -> BaseException:
        """The typed error for what was raised."""
        return judged(error)

    def close(self) -> None:
        """End the session, and with it the locks."""
        self.undo()
        self._db.close()

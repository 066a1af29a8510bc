"""The connection that writes to PostgreSQL, in the hands of the writing thread.

Every transaction holds one advisory lock from its beginning to the end of its commit, so that
positions have no gaps and are in the order of the commits, and whoever reads the journal's tail
can skip nothing. A transaction is two journeys to the server: begin, lock and the journal's head;
the writes, notify and commit. Whoever commits tells the others where the journal ends then, so a
session mostly knows. Once that was right for a while it is trusted, and all is one journey: the
server compares, and where the journal ends elsewhere by now the whole transaction fails and is
carried out once more.

A commit whose answer is lost is looked up: the lock is waited for once more, because until then
the old transaction may still be under way, and then the journal has our last hash or has not.
Where no event was written the server is asked for the transaction by its number. When neither
can be found out, the callers are told so.

The locks of workers' lives belong to this connection too: a process that cannot write is dead.
A new connection ends the one before it, which the server may not know to be broken, and takes
them back.
"""

import logging
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from typing import Any

import psycopg

from engine.core.log import Row
from engine.store.batch import Heads
from engine.store.dialect import Statement
from engine.store.errors import StoreError, trouble
from engine.store.postgres_link import (
    Link,
    ends_transactions,
    judged,
    name_of,
    outside,
)
from engine.store.postgres_rows import together
from engine.store.writer import Need

_LOG = logging.getLogger("handrail.store")

CHANNEL = "handrail"

TURN = 0x4862 << 48
"""The key of the lock that goes round transactions; those of lives lie below it."""

LIFE = 0x4861 << 48

GRACE = 10.0
"""Seconds after a reconnection for which the others may take their locks back before one that is
free means a death: where the server was away, all have lost theirs."""

PERSISTENCE = 3
"""How many times the patience it is tried to find out whether a commit happened."""

SHORT = 0.05
"""Seconds between two such tries."""

STEADY = 4
"""So many times in a row it was known where the journal ends before that is trusted."""

DUE = "due_put"
"""What makes a run due; where it is nobody's, others are told when."""

QUIET = "worker_beat"
"""What others need not hear of: idle workers would wake each other for ever."""

_LOCK = "select pg_advisory_xact_lock($1), cast(pg_current_xact_id() as text)"
_SAME = """select 1 / count(*) from (
  select position, hash from journal order by position desc limit 1
) head where position = $1 and hash = $2"""
"""Fails, and with it the transaction, unless the journal ends there."""
_LOCK_LIGHTLY = f"{_LOCK}, set_config('synchronous_commit', 'off', true)"
"""For leases alone: a crash of the server may forget the last of them, as if a worker had been
slower. What follows from a lease is in the journal, whose commits are synced, and it after them."""
_SELF = """select pid, cast(backend_start as text) from pg_stat_activity
where pid = pg_backend_pid()"""
_END = """select pg_terminate_backend(pid) from pg_stat_activity
where pid = $1 and cast(backend_start as text) = $2"""
_HASH_AT = "select hash from journal where position = $1"
_STATUS = "select pg_xact_status(cast(cast($1 as text) as xid8))"

_WRITES = re.compile(
    r"\b(?:insert\s+into|delete\s+from|update\s+(?!set\b|of\b|skip\b))", re.IGNORECASE
)


@cache
def loud(statement: Statement) -> bool:
    """Whether others are to hear of a statement that is committed."""
    return statement.name != QUIET and bool(_WRITES.search(statement.text))


class PostgresSession:
    """A `Session` (see `writer.py`) over a connection that is opened again when it breaks."""

    def __init__(self, link: Link, db: psycopg.Connection[Any], head: Statement) -> None:
        self._link, self._head = link, head
        self._db: Any = db  # the driver's types want literal SQL; ours comes from files
        self._pipe: AbstractContextManager[psycopg.Pipeline] | None = None
        self._sync: Callable[[], None]
        self._ours: tuple[int, bytes] | None = None
        self._heard: tuple[int, bytes] | None = None
        self._begun_at, self._loud = 0, False
        self._due: int | None = None
        self._lock: Any = None
        self._right, self._trusting = 0, False
        self._lives: set[int] = set()
        self._back_at = float("-inf")
        self._backend: Any = self._db.execute(_SELF).fetchone()

    @property
    def pid(self) -> int:
        """The server's process that works for this connection."""
        return int(self._backend[0])

    # -- a transaction -----------------------------------------------------------------------

    @contextmanager
    def turn(self) -> Generator[None]:
        """A connection that works; the lock itself is part of the transaction."""
        if self._db.closed:
            self._reconnect()
        yield

    def begin(self, *, known: bool, need: Need) -> list[Row] | None:
        """Begin; the head of the journal unless it is known and still the same, or trusted so."""
        self.undo()
        self._trusting = known and self._ours is not None and self._trusts(need)
        try:
            return self._begun(known, need)
        except psycopg.Error as error:  # silence is punished with an error of another class
            if not self._broken(error):
                raise
        self.undo()
        self._trusting = False
        self._reconnect()  # it broke while nobody used it
        return self._begun(False, need)

    def _trusts(self, need: Need) -> bool:
        return need is Need.NOTHING or (need is Need.EVENTS and self._right >= STEADY)

    def _begun(self, known: bool, need: Need) -> list[Row] | None:
        self._loud, self._due = False, None
        self._pipe = self._db.pipeline()
        self._sync = self._pipe.__enter__().sync
        self._db.execute("begin")
        lock = _LOCK_LIGHTLY if need is Need.NOTHING else _LOCK
        self._lock = self._db.execute(lock, (TURN,))
        return self._trusted(need) if self._trusting else self._looked(known)

    def hear(self, position: int, hash_: bytes) -> None:
        """Somebody said that the journal ended there; called by another thread."""
        self._heard = (position, hash_)

    def _believed(self) -> tuple[int, bytes] | None:
        """Where the journal ends, as far as is known here."""
        ours, heard = self._ours, self._heard
        return heard if heard and (ours is None or heard[0] > ours[0]) else ours

    def _trusted(self, need: Need) -> list[Row] | None:
        """The head of the journal as it is believed, unless it is ours."""
        believed = self._ours if need is Need.NOTHING else self._believed()
        assert believed is not None
        self._begun_at = believed[0]
        if need is not Need.NOTHING:
            self._db.execute(_SAME, believed)
        return None if believed == self._ours else [{"position": believed[0], "hash": believed[1]}]

    def _looked(self, known: bool) -> list[Row] | None:
        """The head of the journal unless it is known and still the same."""
        rows = self.query(self._head, {})
        head = (rows[0]["position"], rows[0]["hash"]) if rows else None
        self._begun_at = head[0] if head else 0
        self._right = self._right + 1 if known and head == self._believed() else 0
        return None if known and head == self._ours else rows

    def doubts(self, error: BaseException) -> bool:
        """Whether it failed because others have written, or because the connection had broken.

        Where it broke at the commit, it has been found out by now that it did not happen.
        """
        if not self._trusting or isinstance(error, StoreError):
            return False
        self._right = 0
        return self._broken(error) or self._ours is None or not outside(error)

    def _broken(self, error: BaseException) -> bool:
        """Whether the connection is of no use any more, also where its end is yet to be read."""
        told = isinstance(error, psycopg.Error) and name_of(error) == "database_unreachable"
        return self._db.closed or told

    def query(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """The rows of one statement, by column name."""
        cursor = self._db.execute(statement.text, statement.bind(params))
        rows = self._fetched(cursor) if statement.returns else []
        # A claim that found nothing has changed nothing.
        self._loud |= loud(statement) and bool(rows or not statement.returns)
        names = [column.name for column in cursor.description] if rows else []
        return [dict(zip(names, row, strict=True)) for row in rows]

    def lines(self, statement: Statement, params: Mapping[str, Any]) -> list[Any]:
        """The rows of one statement, in the order of their columns."""
        return self._fetched(self._db.execute(statement.text, statement.bind(params)))

    def _fetched(self, cursor: Any) -> list[Any]:
        # Until it is synced a pipeline is not idle to the server, which would wait for the rest
        # of it for ever.
        if self._pipe is not None:
            self._sync()
        rows: list[Any] = cursor.fetchall()
        return rows

    def execute_many(self, statement: Statement, rows: list[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        self._loud |= loud(statement)
        if statement.name == DUE:
            self._tell(statement, rows)
        folded = together(statement.text, rows) if len(rows) > 1 else (statement.text, rows[0])
        if folded is not None:
            self._db.execute(*folded)
        else:
            self._db.cursor().executemany(statement.text, rows)

    def _tell(self, statement: Statement, rows: list[tuple[Any, ...]]) -> None:
        """Remember when the first of those is due that are nobody's, so that others are told."""
        at, owner = statement.places.index("at"), statement.places.index("owner")
        first = min((row[at] for row in rows if not row[owner]), default=None)
        if first is not None:
            self._due = first if self._due is None else min(first, self._due)

    def empty(self, table: str) -> None:
        """Delete every row of a table, however long that takes."""
        self._loud = True
        self._db.execute("set local statement_timeout = 0")
        if ends_transactions(self._db):
            self._db.execute("set local transaction_timeout = 0")
        self._db.execute(f"delete from {table}")  # noqa: S608 - a name of our own

    def commit(self, heads: Heads) -> None:
        """Commit, synced, and tell the others."""
        assert self._pipe is not None
        number = self._numbered(heads)
        try:
            if self._loud:
                self._db.execute("select pg_notify($1, $2)", (CHANNEL, self._news(heads)))
            self._db.execute("commit")
            pipe, self._pipe = self._pipe, None
            pipe.__exit__(None, None, None)
        except psycopg.Error as error:  # silence is punished with an error of another class
            if not self._broken(error) or not self._happened(heads, number):
                raise
        self._ours, self._begun_at = (heads.position, heads.hash), heads.position

    def _news(self, heads: Heads) -> str:
        """What others are told: when something is due, and where the journal ends if it moved."""
        head = f"{heads.position} {heads.hash.hex()}" if heads.position != self._begun_at else ""
        return f"{'-' if self._due is None else self._due} {head}".strip()

    def _numbered(self, heads: Heads) -> str:
        """The transaction's number, which is needed where no event will tell what became of it."""
        if heads.position != self._begun_at:
            return ""
        answered = self._lock.pgresult is not None
        rows = self._lock.fetchall() if answered else self._fetched(self._lock)
        return str(rows[0][1])

    def _happened(self, heads: Heads, number: str) -> bool:
        """Whether the commit that was not answered happened.

        Raises StoreError `database_unanswered` when the server cannot be asked in time.
        """
        end = time.monotonic() + PERSISTENCE * self._link.patience
        while True:
            try:
                happened = self._looked_up(heads, number)
            except (psycopg.OperationalError, StoreError) as error:
                if time.monotonic() > end:
                    raise trouble("database_unanswered") from error
                time.sleep(SHORT)
            else:
                _LOG.warning(
                    "a commit was not answered; it did%s happen", "" if happened else " not"
                )
                return happened

    def _looked_up(self, heads: Heads, number: str) -> bool:
        self._reconnect()
        # Taken and given back at once: whoever was in the middle of a transaction has ended it.
        self._db.execute(_LOCK, (TURN,))
        return self._found(heads, number)

    def _found(self, heads: Heads, number: str) -> bool:
        if heads.position != self._begun_at:
            row = self._db.execute(_HASH_AT, (heads.position,)).fetchone()
            return row is not None and bytes(row[0]) == heads.hash
        # Leases only: numbers may be used again after a crash, which the journal's fences bear.
        (status,) = self._db.execute(_STATUS, (number,)).fetchone()
        return bool(status == "committed")

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

    def whole(self, statement: Statement, params: Mapping[str, Any]) -> list[Any]:
        """One statement that is a transaction of leases, in one journey; its rows as they are.

        Nobody is told of it. Where the connection breaks it may have happened all the same.
        """
        values = statement.bind(params)
        with self.turn():
            self.undo()
            try:
                with self._db.pipeline():
                    self._db.execute("begin")
                    self._db.execute(_LOCK_LIGHTLY, (TURN,))
                    answer = self._db.execute(statement.text, values)
                    self._db.execute("commit")
                return list(answer.fetchall())
            except BaseException:
                self.undo()
                raise

    # -- lives ---------------------------------------------------------------------------------

    def hold(self, worker: int) -> bool:
        """Take the lock of a worker's life; False when somebody has it."""
        if worker in self._lives:
            return False
        (held,) = self._db.execute("select pg_try_advisory_lock($1)", (LIFE | worker,)).fetchone()
        if held:
            self._lives.add(worker)
        return bool(held)

    def hold_of(self, worker: int) -> bool:
        """Take the lock of a life that has ended; False while it cannot be known whether it has."""
        return time.monotonic() - self._back_at > GRACE and self.hold(worker)

    def let_go(self, worker: int) -> None:
        """Give the lock of a worker's life back."""
        if worker in self._lives:
            self._lives.discard(worker)
            self._db.execute("select pg_advisory_unlock($1)", (LIFE | worker,))

    # -- the connection ------------------------------------------------------------------------

    def _reconnect(self) -> None:
        """Open it anew with all that belonged to it; raises StoreError or psycopg.Error."""
        self._db.close()
        self._pipe, self._db = None, self._reopened()
        try:
            self._db.execute(_END, self._backend)
            for worker in self._lives:
                self._db.execute("select pg_advisory_lock($1)", (LIFE | worker,))
            self._backend = self._db.execute(_SELF).fetchone()
        except BaseException:
            self._db.close()
            raise
        self._ours, self._heard, self._back_at = None, None, time.monotonic()

    def _reopened(self) -> Any:
        for pause in self._link.pauses():
            try:
                return self._link.open(writes=True)
            except StoreError:
                time.sleep(pause)
        return self._link.open(writes=True)

    def tidy(self) -> None:
        """Nothing: the server does it."""

    def rest(self) -> None:
        """Nothing: pages are the server's."""

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

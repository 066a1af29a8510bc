"""A journal in a SQLite file: one thread that writes, one connection that reads.

This is the whole of what the engine knows of a database: append, write, fetch, read, tail,
rebuild, verify. Nothing exclusive is held between transactions, so any number of processes may
have the same file open.
"""

import asyncio
import socket
import sqlite3
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiosqlite

from engine.core.chain import Verification, Walk
from engine.core.log import Append, Appended, Feature, Param, Recorded, Row, Write
from engine.store.batch import Schema
from engine.store.bulk import Bulk
from engine.store.connection import (
    PRAGMAS,
    connect,
    create,
    judged,
    refuse_strangers,
    tune,
    undecodable,
)
from engine.store.dialect import SQLITE, Statement, statements
from engine.store.errors import trouble
from engine.store.lock import Lock, Turn, try_lock
from engine.store.migrate import migrate, missing, steps_of_today
from engine.store.writer import Look, Writer

PATIENCE = 5.0
"""Seconds to wait for another process's transaction."""

GLANCE = 0.1
"""Seconds between two looks at the counter that other processes' commits move."""

PAGE = 1_000
"""Events read at a time where the whole journal is read."""


class Store:
    """A journal with its projections, and the tables that are not history."""

    sqlite_version: tuple[int, ...] = sqlite3.sqlite_version_info

    def __init__(
        self, path: Path, schema: Schema, writer: Writer, reader: aiosqlite.Connection
    ) -> None:
        self.path = path
        self.closed = False
        self._schema, self._writer, self._reader = schema, writer, reader

    # -- writing ---------------------------------------------------------------------------

    async def append(self, request: Append) -> Appended:
        """Write events and what they imply, durably, or nothing at all.

        Raises Stale when a stream is not where the request believes, Taken when its
        precondition finds a row, CodecError for an event that is not JSON, StoreError when
        the database fails.
        """
        done: Appended = await self._writer.ask(request)
        return done

    def append_soon(self, request: Append) -> asyncio.Future[Appended]:
        """The same as a future, without a coroutine between."""
        return self._writer.ask(request)

    async def write(self, *writes: Write) -> list[list[Row]]:
        """Writes that are not history, in one transaction; the rows of those that return some."""
        rows: list[list[Row]] = await self._writer.ask(list(writes))
        return rows

    # -- reading -----------------------------------------------------------------------------

    async def fetch(self, query: str, **params: Param) -> list[Row]:
        """The rows of a named read; raises StoreError when the database fails."""
        rows = await self._rows(self._schema.statements[query], params)
        names = rows[0].keys() if rows else ()
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def read(self, stream: int, after: int = 0, tenant: str = "default") -> list[Recorded]:
        """The events of one stream, in order."""
        place: dict[str, Param] = {"stream": stream, "after": after, "tenant": tenant}
        rows = await self._rows(self._schema.statements["journal_read"], place)
        return [self._recorded(row) for row in rows]

    async def tail(self, after: int = 0, limit: int = PAGE) -> AsyncIterator[Recorded]:
        """Every event after a position, in the order in which they were committed."""
        statement = self._schema.statements["journal_tail"]
        while rows := await self._rows(statement, {"after": after, "limit": limit}):
            for row in rows:
                yield self._recorded(row)
            after = rows[-1]["position"]

    async def changed(self) -> bool:
        """Whether another process has committed since the last time this was asked.

        The first answer is yes: what was committed before is not known to have been seen.
        """
        moved: bool = await self._writer.ask(Look())
        return moved

    async def stirred(self) -> None:
        """Return once another process has committed since this last returned; at first, at once."""
        while True:
            if await self.changed():
                return
            await asyncio.sleep(GLANCE)

    def head(self) -> int:
        """The last position that this process has seen."""
        return self._writer.head

    # -- locks ---------------------------------------------------------------------------------

    async def hold(self, worker: int) -> Lock | None:
        """The life lock of a worker; None when somebody alive holds it."""
        return try_lock(f"{self.path}.worker-{worker}.lock")

    async def dead(self, worker: int, host: str) -> Lock | None:
        """The same for a worker on `host`; None as well where its lock cannot be seen from here."""
        return await self.hold(worker) if host == socket.gethostname() else None

    async def _rows(self, statement: Statement, params: Mapping[str, Param]) -> list[sqlite3.Row]:
        values = statement.bind(params)
        if self.closed:
            raise trouble("database_closed")
        try:
            return list(await self._reader.execute_fetchall(statement.text, values))
        except (sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
            raise judged(error) from error

    def _recorded(self, row: Iterable[Any]) -> Recorded:
        position, tenant, stream, version, kind, schema, at, actor, body = row
        event = self._schema.codec.load(kind, schema, body)
        return Recorded(position, tenant, stream, version, at, actor, event)

    # -- the whole journal ----------------------------------------------------------------------

    async def rebuild(self) -> int:
        """Throw every projection away and draw it again; returns the number of events."""
        events: int = await self._writer.ask(self._redraw)
        return events

    def _redraw(self, db: sqlite3.Connection) -> int:
        bulk, events = Bulk(), 0
        for table in self._schema.tables:
            db.execute(f"delete from {table}")  # noqa: S608 - names of our own tables
        for page in self._pages(db, "journal_tail"):
            for row in page:
                if row[4] not in self._schema.undrawn:
                    for bound in self._schema.drawing(self._recorded(row)):
                        bulk.add(bound)
            bulk.carry_out(db.executemany)
            events += len(page)
        return events

    def _pages(self, db: sqlite3.Connection, query: str) -> Iterator[list[Any]]:
        statement, after = self._schema.statements[query], 0
        while page := db.execute(
            statement.text, statement.bind({"after": after, "limit": PAGE})
        ).fetchall():
            yield page
            after = page[-1][0]

    async def verify(self) -> Verification:
        """Walk the hash chain from its beginning; raises StoreError when it cannot be read."""
        return await asyncio.to_thread(self._walk)

    def _walk(self) -> Verification:
        with closing(connect(self.path, PATIENCE)) as db:
            try:
                return self._walked(db)
            except sqlite3.OperationalError as error:
                if not undecodable(error):
                    raise judged(error) from error
                db.text_factory = _any_text  # slower, but it comes as far as the damage
                return self._walked(db)
            except sqlite3.Error as error:
                raise judged(error) from error

    def _walked(self, db: sqlite3.Connection) -> Verification:
        walk = Walk()
        for page in self._pages(db, "journal_lines"):
            walk.step(page)
        return walk.result()


def _any_text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")


@asynccontextmanager
async def open_sqlite(
    path: Path,
    features: Sequence[Feature],
    chance: Callable[[int], bytes],
    now: int = 0,
    patience: float = PATIENCE,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> AsyncGenerator[Store]:
    """Open a database, made or brought up to date if need be, and close it after the block.

    `chance` gives unpredictable bytes for salts, `now` is noted where the schema changes,
    `patience` is how long another process is waited for, in seconds. `factory` makes the
    connection that writes: tests give one that fails. Raises StoreError when the file cannot be
    opened or is not ours to open.
    """
    schema = Schema(features, statements(SQLITE), chance)
    try:
        db, turn = await asyncio.to_thread(_prepared, path, now, patience, factory)
    except (sqlite3.Error, OSError) as error:
        raise judged(error) from error
    writer = Writer(db, path, schema, turn)
    try:
        async with _reader(path, patience) as reader:
            store = Store(path, schema, writer, reader)
            try:
                yield store
            finally:
                store.closed = True
    finally:
        await writer.close()


@asynccontextmanager
async def _reader(path: Path, patience: float) -> AsyncGenerator[aiosqlite.Connection]:
    async with AsyncExitStack() as stack:
        try:
            connecting = aiosqlite.connect(path, timeout=patience, isolation_level=None)
            reader = await stack.enter_async_context(connecting)
            reader.row_factory = sqlite3.Row
            for pragma in (*PRAGMAS, "pragma query_only = on"):
                await reader.execute_fetchall(pragma)
        except sqlite3.Error as error:
            raise judged(error) from error
        yield reader


def _prepared(
    path: Path, now: int, patience: float, factory: type[sqlite3.Connection]
) -> tuple[sqlite3.Connection, Turn]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = path.with_name(path.name + ".lock")
    if path.exists():
        refuse_strangers(path, ours=lock.exists())
    with ExitStack() as undone:
        turn = Turn(lock, patience)
        undone.callback(turn.close)
        with turn.held():
            db = _up_to_date(path, now, patience, factory)
        undone.pop_all()
    return db, turn


def _up_to_date(
    path: Path, now: int, patience: float, factory: type[sqlite3.Connection]
) -> sqlite3.Connection:
    create(path)
    db = connect(path, patience, factory)
    try:
        lacks = missing(db, steps_of_today())
        tune(db)
        migrate(db, path, now, lacks)
    except BaseException:
        db.close()
        raise
    return db

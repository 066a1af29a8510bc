"""A journal in a SQLite file: one thread that writes, one connection that reads.

Nothing exclusive is held between transactions, so any number of processes may have the same file
open. What others commit is noticed by the file's change counter, which costs no read of a table.
"""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import aiosqlite

from engine.core.log import Feature, Row
from engine.store.batch import Line, Schema
from engine.store.connection import (
    CURSORS,
    LET_GO,
    PATIENCE,
    PRAGMAS,
    connect,
    create,
    judged,
    refuse_strangers,
    tune,
)
from engine.store.dialect import SQLITE, Statement, statements
from engine.store.lock import Lock, Turn, try_lock
from engine.store.migrate import migrate, missing, steps_of_today
from engine.store.sqlite_scan import scan_file
from engine.store.sqlite_session import SqliteSession
from engine.store.store import PAGE, About, Params, Store
from engine.store.whole import finished, whole
from engine.store.writer import Alone, Writer

GLANCE = 0.1
"""Seconds between two looks at the file's change counter."""

SAFE = (3, 51, 3)
"""The first release without the WAL-reset race (sqlite.org/wal.html)."""


class SqliteReader:
    """Reads of a file: one connection for the loop, one of its own for each scan."""

    def __init__(self, path: Path, db: aiosqlite.Connection) -> None:
        self._path, self._db = path, db

    async def fetch(self, statement: Statement, params: Params) -> list[Row]:
        """The rows of a read, by column name."""
        rows = await self.lines(statement, params)
        names = rows[0].keys() if rows else ()
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def lines(self, statement: Statement, params: Params) -> list[sqlite3.Row]:
        """The rows of a read, in the order of their columns."""
        values = statement.bind(params)
        try:
            return list(await self._db.execute_fetchall(statement.text, values))
        except (sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
            raise judged(error) from error

    def scan(self, statement: Statement, after: int = 0) -> Iterator[Sequence[Line]]:
        """The journal page by page. A text that is no text is read as far as that goes."""
        return scan_file(self._path, statement, PAGE, after)

    def elsewhere(self, query: str) -> Callable[[int], Iterator[Sequence[Line]]]:
        """The same, for another process."""
        return partial(scan_file, self._path.absolute(), statements(SQLITE)[query], PAGE)

    async def rest(self) -> None:
        """What `connection.rest` does, in the thread of this connection."""
        for sql in (LET_GO, *["select 1"] * CURSORS):
            await self._db.execute_fetchall(sql)


class SqliteStore(Store):
    """A `Store` over the file `path`."""

    def __init__(self, path: Path, schema: Schema, writer: Writer, reader: SqliteReader) -> None:
        super().__init__(str(path), schema, writer, reader)
        self.path, self._beside = path, reader

    async def changed(self) -> bool:
        """Whether another process has committed since the last time this was asked."""
        moved: bool = await self._writer.ask(Alone(lambda session: session.moved()))
        return moved

    async def rest(self) -> None:
        """The same of the connection that reads."""
        await super().rest()
        await self._beside.rest()

    async def stirred(self) -> int | None:
        """Look at the change counter until it has moved."""
        while not await self.changed():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(GLANCE)
        return None

    async def hold(self, worker: int) -> Lock | None:
        """The lock on a file of the worker's own."""
        return try_lock(self._life(worker))

    async def dead(self, worker: int, host: str) -> Lock | None:
        """The lock of a worker, where it is this host's: others' locks cannot be seen."""
        return await self.hold(worker) if host == socket.gethostname() else None

    def _life(self, worker: int) -> Path:
        return self.path.with_name(f"{self.path.name}.worker-{worker}.lock")

    async def about(self) -> About:
        """SQLite's version, and whether it has the race that our lock avoids."""
        version, size = sqlite3.sqlite_version, self.path.stat().st_size
        if sqlite3.sqlite_version_info >= SAFE:
            return About("sqlite", version, size)
        return About(
            "sqlite",
            version,
            size,
            "older than 3.51.3, which mends a rare race between checkpoints",
            "Handrail lets one process at a time write and checkpoint, which avoids it.",
        )


@asynccontextmanager
async def open_sqlite(
    path: Path,
    features: Sequence[Feature],
    chance: Callable[[int], bytes],
    now: int = 0,
    patience: float = PATIENCE,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> AsyncGenerator[SqliteStore]:
    """Open a database, made or brought up to date if need be, and close it after the block.

    `chance` gives unpredictable bytes for salts, `now` is noted where the schema changes,
    `patience` is how long another process is waited for, in seconds. `factory` makes the
    connection that writes: tests give one that fails. Raises StoreError when the file cannot be
    opened or is not ours to open.
    """
    schema = Schema(features, statements(SQLITE), chance)
    try:
        prepare = partial(_prepared, path, now, patience, factory)
        db, turn = await whole(prepare, _given_up)
    except (sqlite3.Error, OSError) as error:
        raise judged(error) from error
    session = SqliteSession(db, path, schema.statements["journal_head"], turn)
    writer = Writer(session, schema)
    try:
        async with _reader(path, patience) as reader:
            store = SqliteStore(path, schema, writer, SqliteReader(path, reader))
            try:
                yield store
            finally:
                store.closed = True
    finally:
        await writer.close()


_READING = ("pragma query_only = on", "pragma cache_size = -2000")
"""Whoever reads a great many rows once would fill more with pages that nobody asks for again."""


@asynccontextmanager
async def _reader(path: Path, patience: float) -> AsyncGenerator[aiosqlite.Connection]:
    reader = await finished(_connected(path, patience), aiosqlite.Connection.close)
    try:
        yield reader
    finally:
        await reader.close()


async def _connected(path: Path, patience: float) -> aiosqlite.Connection:
    async with AsyncExitStack() as undone:
        try:
            connecting = aiosqlite.connect(path, timeout=patience, isolation_level=None)
            reader = await undone.enter_async_context(connecting)
            reader.row_factory = sqlite3.Row
            for pragma in (*PRAGMAS, *_READING):
                await reader.execute_fetchall(pragma)
        except sqlite3.Error as error:
            raise judged(error) from error
        undone.pop_all()
    return reader


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


def _given_up(made: tuple[sqlite3.Connection, Turn]) -> None:
    for each in made:
        each.close()


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

"""A journal in a SQLite file: one thread that writes, one connection that reads.

This is the whole of what the engine knows of a database: append, write, fetch, read, tail,
rebuild, verify. Nothing exclusive is held between transactions, so any number of processes may
have the same file open.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from engine.core.chain import Verification, Walk
from engine.core.codec import Codec
from engine.core.log import Append, Appended, Feature, Param, Recorded, Row, Write
from engine.store.batch import Schema
from engine.store.bulk import Bulk
from engine.store.connection import PRAGMAS, connect, judged
from engine.store.dialect import SQLITE, statements
from engine.store.errors import trouble
from engine.store.lock import Turn
from engine.store.migrate import migrate
from engine.store.writer import Look, Writer

PATIENCE = 5.0
"""Seconds to wait for another process's transaction."""

PAGE = 1_000
"""Events read at a time where the whole journal is read."""

_COLUMNS = 9


class Store:
    """A journal with its projections, and the tables that are not history."""

    sqlite_version: tuple[int, ...] = sqlite3.sqlite_version_info

    def __init__(
        self, path: Path, schema: Schema, writer: Writer, reader: aiosqlite.Connection
    ) -> None:
        self.path = path
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
        rows: list[list[Row]] = await self._writer.ask(writes)
        return rows

    # -- reading -----------------------------------------------------------------------------

    async def fetch(self, query: str, **params: Param) -> list[Row]:
        """The rows of a named read."""
        statement = self._schema.statement(query)
        return await self._rows(statement.text, statement.bind(params))

    async def read(self, stream: int, after: int = 0, tenant: str = "default") -> list[Recorded]:
        """The events of one stream, in order."""
        rows = await self.fetch("journal_read", stream=stream, after=after, tenant=tenant)
        return [self._recorded(tuple(row.values())) for row in rows]

    async def tail(self, after: int = 0, limit: int = PAGE) -> AsyncIterator[Recorded]:
        """Every event after a position, in the order in which they were committed."""
        while rows := await self.fetch("journal_tail", after=after, limit=limit):
            for row in rows:
                yield self._recorded(tuple(row.values()))
            after = rows[-1]["position"]

    async def changed(self) -> bool:
        """Whether another process has committed since the last time this was asked."""
        moved: bool = await self._writer.ask(Look())
        return moved

    def head(self) -> int:
        """The last position that this process has seen."""
        return self._writer.head

    async def _rows(self, text: str, values: tuple[Param, ...]) -> list[Row]:
        try:
            async with self._reader.execute(text, values) as cursor:
                names = [column[0] for column in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
        except (sqlite3.Error, ValueError) as error:
            if isinstance(error, ValueError):  # aiosqlite's word for a closed connection
                raise trouble("database_closed") from None
            raise judged(error) from error

    def _recorded(self, row: tuple[Any, ...]) -> Recorded:
        position, tenant, stream, version, kind, schema, at, actor, body = row[:_COLUMNS]
        event = self._schema.codec.load(kind, schema, body)
        return Recorded(position, tenant, stream, version, at, actor, event)

    # -- the whole journal ----------------------------------------------------------------------

    async def rebuild(self) -> int:
        """Throw every projection away and draw it again; returns the number of events."""
        events: int = await self._writer.ask(self._redraw)
        return events

    def _redraw(self, db: sqlite3.Connection) -> int:
        bulk, count = Bulk(), 0
        for feature in self._schema.features:
            for table in feature.tables:
                db.execute(f"delete from {table}")  # noqa: S608 - names of our own tables
        for page in self._pages(db, "journal_tail"):
            for row in page:
                for write in self._projected(row):
                    bulk.add(self._schema.statement(write.query), write)
            bulk.carry_out(db.executemany)
            count += len(page)
        return count

    def _projected(self, row: tuple[Any, ...]) -> Iterator[Write]:
        recorded = self._recorded(row)
        for feature in self._schema.features:
            yield from feature.project(recorded)

    def _pages(self, db: sqlite3.Connection, query: str) -> Iterator[list[tuple[Any, ...]]]:
        statement, after = self._schema.statement(query), 0
        while page := db.execute(
            statement.text, statement.bind({"after": after, "limit": PAGE})
        ).fetchall():
            yield page
            after = page[-1][0]

    async def verify(self) -> Verification:
        """Walk the hash chain from its beginning."""
        return await asyncio.to_thread(self._walk)

    def _walk(self) -> Verification:
        walk, db = Walk(), sqlite3.connect(self.path, PATIENCE)
        try:
            for page in self._pages(db, "journal_lines"):
                walk.step(
                    (*row[:8], None if row[8] is None else row[8].encode(), *row[9:])
                    for row in page
                )
        except sqlite3.Error as error:
            raise judged(error) from error
        finally:
            db.close()
        return walk.result()


@asynccontextmanager
async def open_sqlite(
    path: Path,
    features: Sequence[Feature],
    chance: Callable[[int], bytes],
    now: int = 0,
    patience: float = PATIENCE,
) -> AsyncGenerator[Store]:
    """Open a database, made or brought up to date if need be, and close it after the block.

    `chance` gives unpredictable bytes for salts, `now` is noted where the schema changes.
    Raises StoreError when the file cannot be opened or is not ours to open.
    """
    codec = Codec(kind for feature in features for kind in feature.kinds)
    schema = Schema(codec, features, statements(SQLITE), chance)
    try:
        db, turn = await asyncio.to_thread(_prepared, path, now, patience)
    except (sqlite3.Error, OSError) as error:
        raise judged(error) from error
    writer = Writer(db, path, schema, turn)
    try:
        async with aiosqlite.connect(path, timeout=patience, isolation_level=None) as reader:
            for pragma in (*PRAGMAS, "pragma query_only = on"):
                await reader.execute(pragma)
            yield Store(path, schema, writer, reader)
    finally:
        await writer.close()
        db.close()
        turn.close()


def _prepared(path: Path, now: int, patience: float) -> tuple[sqlite3.Connection, Turn]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    turn = Turn(path.with_name(path.name + ".lock"), patience)
    try:
        with turn.held():
            db = connect(path, patience)
            try:
                migrate(db, path, now)
            except BaseException:
                db.close()
                raise
    except BaseException:
        turn.close()
        raise
    return db, turn

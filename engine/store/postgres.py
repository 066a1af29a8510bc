"""A journal in a PostgreSQL database: one thread that writes, a few connections that read.

Any number of processes on any number of machines may work on one database. What others commit is
heard by LISTEN; a slow sweep is the net below.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import groupby
from typing import Any

import psycopg

from engine.core.log import Feature, Row
from engine.store.batch import Line, Schema
from engine.store.dialect import POSTGRES, Statement, migrations, statements
from engine.store.errors import StoreError, trouble
from engine.store.migrate import lacking
from engine.store.postgres_link import Link, judged
from engine.store.postgres_session import CHANNEL, TURN, PostgresSession
from engine.store.store import PAGE, About, Claimed, Params, Store
from engine.store.whole import whole
from engine.store.writer import Alone, Work, Writer

_LOG = logging.getLogger("handrail.store")

PATIENCE = 5.0
"""Seconds to wait for another process's transaction, or for a server that is away."""

GLANCE = 0.1
"""Seconds between two times that others are said to have committed."""

SWEEP = 60.0
"""Seconds after which something may have been missed although nothing was heard."""

READERS = 2
"""Connections that read beside each other."""

_NEWS = re.compile(r"(-|[0-9]{1,18})(?: ([0-9]{1,18}) ([0-9a-f]{64}))?")
"""What a commit says: when something is due, and where the journal ends."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 4.0


class PostgresReader:
    """Reads over a few connections that are opened when they are first needed."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._idle: list[psycopg.AsyncConnection[Any]] = []
        self._places = asyncio.Semaphore(READERS)

    async def fetch(self, statement: Statement, params: Params) -> list[Row]:
        """The rows of a read, by column name."""
        names, rows = await self._read(statement, params)
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def lines(self, statement: Statement, params: Params) -> Sequence[Sequence[Any]]:
        """The rows of a read, in the order of their columns."""
        return (await self._read(statement, params))[1]

    async def _read(self, statement: Statement, params: Params) -> tuple[list[str], list[Any]]:
        values = statement.bind(params)
        async with self._places:
            try:
                return await self._tried(statement, values)
            except (psycopg.Error, OSError, UnicodeEncodeError, OverflowError) as error:
                raise judged(error) from error

    async def _tried(
        self, statement: Statement, values: tuple[Any, ...]
    ) -> tuple[list[str], list[Any]]:
        """Read; a connection that broke while nobody used it is exchanged for a new one."""
        while True:
            fresh = not self._idle
            db = await self._opened() if fresh else self._idle.pop()
            try:
                cursor = await db.execute(statement.text, values)
                rows = await cursor.fetchall()
            except psycopg.Error:
                broken = db.closed
                if fresh or not broken:
                    raise
                continue
            finally:
                await self._keep(db)
            return [column.name for column in cursor.description or ()], rows

    async def _opened(self) -> psycopg.AsyncConnection[Any]:
        for pause in self._link.pauses():
            try:
                return await self._link.open_async()
            except StoreError:
                await asyncio.sleep(pause)  # it may be starting again
        return await self._link.open_async()

    async def _keep(self, db: psycopg.AsyncConnection[Any]) -> None:
        # One that was left in the middle of a read has an answer on its way that is another's.
        if db.closed or db.info.transaction_status != 0:
            await db.close()
        else:
            self._idle.append(db)

    def scan(self, statement: Statement, after: int = 0) -> Iterator[Sequence[Line]]:
        """The journal page by page, over a connection of its own."""
        return _scanned(self._link, statement, after)

    def elsewhere(self, query: str) -> Callable[[int], Iterator[Sequence[Line]]]:
        """The same, for another process."""
        return partial(scan_link, self._link, query)

    async def close(self) -> None:
        """Close what is open."""
        while self._idle:
            await self._idle.pop().close()


def scan_link(link: Link, query: str, after: int) -> Iterator[Sequence[Line]]:
    """The journal page by page, by a named read; raises StoreError."""
    return _scanned(link, statements(POSTGRES)[query], after)


def _scanned(link: Link, statement: Statement, after: int) -> Iterator[Sequence[Line]]:
    try:
        with link.open(writes=False) as db:
            while page := db.execute(
                statement.text, statement.bind({"after": after, "limit": PAGE})
            ).fetchall():
                yield page
                after = page[-1][0]
    except psycopg.Error as error:
        raise judged(error) from error


class Listener:
    """Hears what others than `session` commit. `back` is called when the server was away and has
    come back."""

    def __init__(
        self,
        link: Link,
        session: PostgresSession,
        back: Callable[[], None],
        chance: Callable[[int], bytes],
    ) -> None:
        self._link, self._session, self._back, self._chance = link, session, back, chance
        self._heard = asyncio.Event()
        self._due: int | None = None
        self._told = 0.0
        self._task = asyncio.create_task(self._listen())

    async def stirred(self) -> int | None:
        """Return when somebody else has committed, at most ten times a second.

        The answer is when the first run is due that the others told of, if they did.
        """
        await self._heard.wait()
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._told + GLANCE - loop.time()))
        self._heard.clear()
        self._told = loop.time()
        due, self._due = self._due, None
        return due

    async def _listen(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._heard.set()  # nobody listened until now
            try:
                async with await self._link.open_async() as db:
                    await db.execute(f"listen {CHANNEL}")
                    self._heard.set()
                    pause = _FIRST_PAUSE
                    await self._hear(db)
            except (psycopg.Error, StoreError, OSError) as error:
                _LOG.info("not listening for %s s: %s", pause, type(error).__name__)
            await asyncio.sleep(pause * (0.5 + self._chance(1)[0] / 512))
            pause = min(pause * 2, _LONGEST_PAUSE)
            self._back()

    async def _hear(self, db: psycopg.AsyncConnection[Any]) -> None:
        while True:
            async for notify in db.notifies(timeout=SWEEP):
                if notify.pid != self._session.pid:
                    self._hear_of(notify.payload)
            self._heard.set()

    def _hear_of(self, payload: str) -> None:
        # Whoever may notify may say anything.
        if found := _NEWS.fullmatch(payload):
            due, position, hash_ = found.groups()
            if due != "-":
                self._due = int(due) if self._due is None else min(self._due, int(due))
            if position:
                self._session.hear(int(position), bytes.fromhex(hash_))
        self._heard.set()

    async def close(self) -> None:
        """Listen no more."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


class PostgresLife:
    """The lock of a worker's life, which the writing connection has."""

    def __init__(self, writer: Writer, worker: int) -> None:
        self._writer, self._worker = writer, worker

    def release(self, *, remove: bool = False) -> None:
        """Let go, as soon as the writing thread comes to it; nothing remains of it anyway."""
        aside(self._writer, lambda session: session.let_go(self._worker))


def _claimed(rows: Iterable[Sequence[Any]]) -> Iterator[Claimed]:
    """Rows of `due_claim_read`; a run without a history has one row that shows none."""
    for (run, tenant, lane), found in groupby(rows, key=lambda row: tuple(row[:3])):
        yield Claimed(run, tenant, lane, [row[3:] for row in found if row[3] is not None])


def aside(writer: Writer, work: Work) -> None:
    """Have something done when the writing thread comes to it; nobody waits for how it ends."""
    writer.ask(work).add_done_callback(lambda done: done.cancelled() or done.exception())


class PostgresStore(Store):
    """A `Store` over a database of a PostgreSQL server."""

    free_looks = False

    def __init__(
        self, link: Link, schema: Schema, writer: Writer, reader: PostgresReader, listener: Listener
    ) -> None:
        super().__init__(link.place, schema, writer, reader)
        self._link, self._listener = link, listener

    async def stirred(self) -> int | None:
        """Wait until others are heard."""
        self._check_open()
        return await self._listener.stirred()

    async def claim(self, owner: int, now: int, limit: int) -> list[Claimed]:
        """Leases and histories in one journey; where its answer is lost nothing is asked again."""
        self._check_open()
        claim: Params = {"owner": owner, "now": now, "limit": limit}
        statement = self._schema.statements["due_claim_read"]
        asked = self._writer.ask(Alone(lambda session: session.whole(statement, claim)))
        return list(_claimed(await asked))

    async def hold(self, worker: int) -> PostgresLife | None:
        """The lock of a worker's life."""
        return await self._held(worker, lambda session: session.hold(worker))

    async def dead(self, worker: int, host: str) -> PostgresLife | None:
        """The lock of a worker that died, on whichever host."""
        return await self._held(worker, lambda session: session.hold_of(worker))

    async def _held(self, worker: int, work: Work) -> PostgresLife | None:
        return PostgresLife(self._writer, worker) if await self._writer.ask(work) else None

    async def about(self) -> About:
        """The server's version, and the size of the database."""
        try:
            async with await self._link.open_async() as db:
                cursor = await db.execute(
                    "select current_setting('server_version'), pg_database_size(current_database())"
                )
                row = await cursor.fetchone()
        except psycopg.Error as error:
            raise judged(error) from error
        assert row is not None
        return About("postgresql", str(row[0]), int(row[1]))


@asynccontextmanager
async def open_postgres(
    url: str,
    features: Sequence[Feature],
    chance: Callable[[int], bytes],
    now: int = 0,
    patience: float = PATIENCE,
) -> AsyncGenerator[PostgresStore]:
    """Open a database, its tables made or brought up to date if need be; close it after the block.

    `chance` gives unpredictable bytes for salts, `now` is noted where the schema changes,
    `patience` is how long another process or a server that is away is waited for, in seconds.
    Raises StoreError when the server cannot be reached or the database is not ours to open.
    """
    link, schema = Link(url, patience), Schema(features, statements(POSTGRES), chance)
    try:
        db = await whole(partial(_prepared, link, now), psycopg.Connection.close)
    except psycopg.Error as error:
        raise judged(error) from error
    session = PostgresSession(link, db, schema.statements["journal_head"])
    writer = Writer(session, schema)
    reader = PostgresReader(link)
    # Whoever writes nothing for a while shall have its locks back as soon as the server is.
    listener = Listener(link, session, lambda: aside(writer, lambda session: None), chance)
    try:
        store = PostgresStore(link, schema, writer, reader, listener)
        try:
            yield store
        finally:
            store.closed = True
    finally:
        await listener.close()
        await writer.close()
        await reader.close()


# -- the schema -----------------------------------------------------------------------------

_THERE = """select table_name from information_schema.tables
where table_schema = any(current_schemas(false))
  and table_name in ('schema_migrations', 'journal')"""
_MAKE = """create table schema_migrations (
  number integer primary key, name text not null, digest text not null, applied_at bigint not null
)"""
_KNOWN = "select number, digest from schema_migrations order by number"
_NOTE = "insert into schema_migrations values ($1, $2, $3, $4)"


def _prepared(link: Link, now: int) -> psycopg.Connection[Any]:
    db = link.open(writes=True)
    try:
        with db.transaction():
            db.execute("select pg_advisory_xact_lock($1)", (TURN,))
            _migrate(db, now)
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: psycopg.Connection[Any], now: int) -> None:
    """Apply the steps that a database lacks; raises StoreError for one that is not ours."""
    there = {name for (name,) in db.execute(_THERE).fetchall()}
    ours = "schema_migrations" in there
    if there and not ours:
        raise trouble("database_foreign")
    if not ours:
        db.execute(_MAKE)
    for step in lacking(dict(db.execute(_KNOWN).fetchall()), migrations(POSTGRES)):
        for text in step.statements:
            db.execute(text.encode())
        db.execute(_NOTE, (step.number, step.name, step.digest, now))

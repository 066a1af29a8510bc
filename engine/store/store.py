"""What the engine knows of a database, whichever it is: append, write, fetch, read, tail, and
more of the kind.

A `Store` is put together by a driver from three parts: a writer (`writer.py`) over the driver's
`Session`, a `Reader`, and what only the driver can know (who else lives, who else has committed).
Nothing exclusive is held between transactions, so any number of processes may work on one
database.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from json import dumps
from typing import Any, NamedTuple, Protocol

from engine.core.chain import Verification, Walk
from engine.core.log import Append, Appended, Param, Recorded, Row, Write
from engine.store.batch import Line, Schema
from engine.store.bulk import Bulk
from engine.store.dialect import Statement
from engine.store.errors import trouble
from engine.store.writer import Session, Writer

PAGE = 1_000
"""Events read at a time where the whole journal is read."""

Params = Mapping[str, Param]


class Claimed(NamedTuple):
    """A run on which a lease was given, and its history as it lies in the journal."""

    run: int
    tenant: str
    lane: int
    lines: Sequence[Sequence[Any]]


class Life(Protocol):
    """A lock that a worker holds for as long as it lives."""

    def release(self, *, remove: bool = False) -> None:
        """Let go; `remove` leaves no trace of the worker."""
        ...


class About(NamedTuple):
    """What `doctor` says of a database. `caution` is empty when there is nothing to know."""

    software: str
    version: str
    size: int
    caution: str = ""
    hint: str = ""


class Reader(Protocol):
    """Reads beside the writer, on connections of its own. Every error is a StoreError."""

    async def fetch(self, statement: Statement, params: Params) -> list[Row]:
        """The rows of a read, by column name."""
        ...

    async def lines(self, statement: Statement, params: Params) -> Sequence[Sequence[Any]]:
        """The rows of a read, in the order of their columns."""
        ...

    def scan(self, statement: Statement, after: int = 0) -> Iterator[Sequence[Line]]:
        """The journal page by page, for a thread of its own; `statement` takes `after`, `limit`."""
        ...

    def elsewhere(self, query: str) -> Callable[[int], Iterator[Sequence[Line]]]:
        """The same of a named read, in a form that another process can be given."""
        ...


class Store(ABC):
    """A journal with its projections, and the tables that are not history.

    `place` names the database for people, without any password. `free_looks` says that looking
    whether a worker is dead asks nothing of the database.
    """

    free_looks = True

    def __init__(self, place: str, schema: Schema, writer: Writer, reader: Reader) -> None:
        self.place = place
        self.closed = False
        self._schema, self._writer, self._reader = schema, writer, reader

    # -- what only the driver knows --------------------------------------------------------

    @abstractmethod
    async def stirred(self) -> int | None:
        """Return when somebody else has committed since this last returned.

        The answer is the time at which a run that is nobody's is due, in microseconds since the
        epoch, where the commit itself told of one. None says nothing.

        The first time it returns at once: what was committed before is not known to have been
        seen. It may return once too often, and never once too seldom.
        """

    @abstractmethod
    async def hold(self, worker: int) -> Life | None:
        """The lock of a worker's life; None when somebody holds it."""

    @abstractmethod
    async def dead(self, worker: int, host: str) -> Life | None:
        """The lock of a worker that died on `host`; None when it lives or cannot be looked at."""

    @abstractmethod
    async def about(self) -> About:
        """The software below, and how large the database is in bytes."""

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

    async def claim(self, owner: int, now: int, limit: int) -> list[Claimed]:
        """Leases for `owner` on what is due by `now` and nobody's, the oldest first.

        Where the database fails, leases may have been given all the same.
        """
        claim: Params = {"owner": owner, "now": now, "limit": limit}
        (rows,) = await self.write(Write("due_claim", claim))
        return await self.with_histories(rows)

    async def rest(self) -> None:
        """Let go of what is kept in memory for writing: a great deal of it is over."""
        await self._writer.rest()

    # -- reading -----------------------------------------------------------------------------

    async def fetch(self, query: str, **params: Param) -> list[Row]:
        """The rows of a named read; raises StoreError when the database fails."""
        self._check_open()
        return await self._reader.fetch(self._schema.statements[query], params)

    async def read(self, stream: int, after: int = 0, tenant: str = "default") -> list[Recorded]:
        """The events of one stream, in order."""
        place: dict[str, Param] = {"stream": stream, "after": after, "tenant": tenant}
        return self.decoded(await self._lines("journal_read", place))

    async def histories(
        self, streams: Iterable[int], tenant: str = "default"
    ) -> dict[int, list[Sequence[Any]]]:
        """The events of many streams as they lie in the journal; see `decoded`."""
        found: dict[int, list[Sequence[Any]]] = {stream: [] for stream in streams}
        listed: dict[str, Param] = {"streams": dumps(list(found)), "tenant": tenant}
        for row in await self._lines("journal_histories", listed) if found else ():
            found[row[2]].append(row)
        return found

    async def with_histories(self, rows: Sequence[Row]) -> list[Claimed]:
        """Runs that were claimed, with their histories."""
        found: dict[int, list[Sequence[Any]]] = {}
        for tenant in {row["tenant"] for row in rows}:
            streams = [row["run"] for row in rows if row["tenant"] == tenant]
            found |= await self.histories(streams, tenant)
        return [Claimed(r["run"], r["tenant"], r["lane"], found[r["run"]]) for r in rows]

    def decoded(self, rows: Iterable[Sequence[Any]]) -> list[Recorded]:
        """What the rows of a history say; raises CodecError where this process cannot read them."""
        return [self._recorded(row) for row in rows]

    async def tail(self, after: int = 0, limit: int = PAGE) -> AsyncIterator[Recorded]:
        """Every event after a position, in the order in which they were committed."""
        while rows := await self._lines("journal_tail", {"after": after, "limit": limit}):
            for row in rows:
                yield self._recorded(row)
            after = rows[-1][0]

    def head(self) -> int:
        """The last position that this process has seen."""
        return self._writer.head

    async def _lines(self, query: str, params: Params) -> Sequence[Sequence[Any]]:
        self._check_open()
        return await self._reader.lines(self._schema.statements[query], params)

    def _check_open(self) -> None:
        if self.closed:
            raise trouble("database_closed")

    def _recorded(self, row: Iterable[Any]) -> Recorded:
        position, tenant, stream, version, kind, schema, at, actor, body = row
        event = self._schema.codec.load(kind, schema, body)
        return Recorded(position, tenant, stream, version, at, actor, event)

    # -- the whole journal ----------------------------------------------------------------------

    async def rebuild(self) -> int:
        """Throw every projection away and draw it again; returns the number of events."""
        events: int = await self._writer.ask(self._redraw)
        return events

    def _redraw(self, session: Session) -> int:
        bulk, events, after = Bulk(), 0, 0
        tail = self._schema.statements["journal_tail"]
        for table in self._schema.tables:
            session.empty(table)
        while page := session.lines(tail, {"after": after, "limit": PAGE}):
            for row in page:
                if row[4] not in self._schema.undrawn:
                    for bound in self._schema.drawing(self._recorded(row)):
                        bulk.add(bound)
            bulk.carry_out(session.execute_many)
            events, after = events + len(page), page[-1][0]
        return events

    async def verify(self) -> Verification:
        """Walk the hash chain from its beginning; raises StoreError when it cannot be read."""
        self._check_open()
        return await asyncio.to_thread(self._walk)

    def _walk(self) -> Verification:
        walk = Walk()
        for page in self.scan("journal_lines"):
            walk.step(page)
        return walk.result()

    def scan(self, query: str, after: int = 0) -> Iterator[Sequence[Line]]:
        """The journal behind a position page by page, for a thread of its own.

        `query` names a read that takes `after` and `limit` and gives positions first. Raises
        StoreError when the database fails.
        """
        self._check_open()
        return self._reader.scan(self._schema.statements[query], after)

    def elsewhere(self, query: str) -> Callable[[int], Iterator[Sequence[Line]]]:
        """`scan` in a form that another process can be given: it opens the database by itself.

        On PostgreSQL it holds the password, so it goes nowhere but into a process of our own.
        """
        self._check_open()
        return self._reader.elsewhere(query)

"""Group commit: one thread that writes, one fsync for everybody who was waiting.

The thread takes what has arrived, waits for the database's turn, carries everything out in one
transaction with full sync, and only then answers all. There is no artificial delay: a batch is
what arrived while the last one was being synced. What fails for the database's reasons fails the
whole batch with a typed error. What fails for a request's own reasons fails that request alone: a
batch that cannot be carried out is undone and tried again in halves, so that the one at fault is
soon by itself. Either way the thread goes on serving.

Which database it is, is the business of the driver's `Session`, which belongs to the thread from
its first statement to its last.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, Protocol

from engine.core.codec import CodecError
from engine.core.errors import Stale
from engine.core.log import Append, Row, Taken, Write
from engine.store.batch import Batch, Heads, Schema
from engine.store.dialect import Statement
from engine.store.errors import trouble

MOST = 2_048
"""How many requests share a commit at most."""


class Need(Enum):
    """What a transaction needs to know of the journal's head."""

    NOTHING = "it writes leases only"
    EVENTS = "it writes events, which fail where their positions are taken"
    HEAD = "it could succeed although what is believed of the head is wrong"


class Session(Protocol):
    """The connection that writes: one transaction at a time, from one thread."""

    def turn(self) -> AbstractContextManager[None]:
        """The right to write, waited for with a time limit; nobody else writes meanwhile."""
        ...

    def begin(self, *, known: bool, need: Need) -> list[Row] | None:
        """Begin a transaction, whatever became of the last one.

        Returns the row of `journal_head` (or none), or None when the caller's head is `known`
        and nobody else has committed since. Unless the head is what is needed, a session may
        trust that nobody has; where that was wrong the transaction fails, and it has `doubts`.
        """
        ...

    def doubts(self, error: BaseException) -> bool:
        """Whether the transaction failed only because of what was trusted; asked before `undo`."""
        ...

    def query(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """Carry out one statement now; its rows, by column name."""
        ...

    def lines(self, statement: Statement, params: Mapping[str, Any]) -> list[Any]:
        """Carry out one statement now; its rows, in the order of their columns."""
        ...

    def execute_many(self, statement: Statement, rows: list[tuple[Any, ...]]) -> None:
        """Carry out one statement for many rows of parameters."""
        ...

    def empty(self, table: str) -> None:
        """Delete every row of one of our own tables."""
        ...

    def commit(self, heads: Heads) -> None:
        """Make the transaction durable; `heads` is where the journal then ends."""
        ...

    def undo(self) -> None:
        """End a transaction that failed, if one is open; never raises."""
        ...

    def tidy(self) -> None:
        """What is to be done between two batches; never raises."""
        ...

    def rest(self) -> None:
        """Let go of what was kept in memory for a great deal of writing."""
        ...

    def outside(self, error: BaseException) -> bool:
        """Whether the database itself is in trouble, so that every request would meet it too."""
        ...

    def judged(self, error: BaseException) -> BaseException:
        """The typed error for what was raised; a new one each time."""
        ...

    def close(self) -> None:
        """Give back everything."""
        ...


Work = Callable[[Any], Any]
"""Something else to be done with the driver's session inside a transaction; an error undoes it."""


@dataclass(frozen=True, slots=True)
class Alone:
    """Work that shares no transaction: it needs none, or makes its own. Done before its batch."""

    work: Work


Request = Append | list[Write] | Alone | Work
Asked = tuple[Request, asyncio.Future[Any]]
Result = tuple[asyncio.Future[Any], Any, BaseException | None]


class _Overtaken(Exception):
    """Somebody else has committed, although it was trusted that nobody had."""


class Writer:
    """The writing thread of a process. It closes its session when it ends."""

    def __init__(self, session: Session, schema: Schema) -> None:
        self._session, self._schema = session, schema
        self._heads = Heads()
        self._head = 0
        self._queue: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._closed = self._deserted = False
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

    def rest(self) -> asyncio.Future[Any]:
        """Let go of what is kept of the last requests; the next ones read it again."""
        return self.ask(Alone(self._rest))

    async def close(self) -> None:
        """Take nothing more, finish what was asked for, and stop."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._deserted and (batch := self._arrived()):
                self._serve(batch)
                self._session.tidy()
        finally:
            self._session.close()

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

    def _tell(self, results: list[Result]) -> None:
        """Answer everybody, unless the loop is gone and with it all who asked."""
        try:
            self._loop.call_soon_threadsafe(_answer, results)
        except RuntimeError:
            self._deserted = True

    def _serve(self, batch: list[Asked]) -> None:
        rest: list[Asked] = []
        for asked in batch:
            request, future = asked
            if isinstance(request, Alone):
                self._tell([self._alone(request.work, future)])
            else:
                rest.append(asked)
        if rest:
            self._try(rest)

    def _rest(self, session: Session) -> None:
        self._heads.forget()
        session.rest()

    def _alone(self, work: Work, future: asyncio.Future[Any]) -> Result:
        try:
            return future, work(self._session), None
        except Exception as error:
            return future, None, self._session.judged(error)

    def _try(self, batch: list[Asked]) -> None:
        try:
            self._together(batch)
            return
        except _Overtaken:
            self._try(batch)  # the head is not known any more, so nothing is trusted
            return
        except Exception as error:
            if len(batch) == 1 or self._session.outside(error):
                self._tell([(future, None, self._session.judged(error)) for _, future in batch])
                return
        half = len(batch) // 2
        self._try(batch[:half])
        self._try(batch[half:])

    def _together(self, batch: list[Asked]) -> None:
        session, heads = self._session, self._heads
        with session.turn():
            try:
                need = _need([request for request, _ in batch])
                self._catch_up(session.begin(known=heads.known, need=need))
                appends = (request for request, _ in batch if isinstance(request, Append))
                query, execute = session.query, session.execute_many
                work = Batch(self._schema, heads, query, execute, appends)
                results = [self._one(work, request, future) for request, future in batch]
                self._check_trust(results)
                work.finish()
                session.commit(heads)
            except BaseException as error:
                heads.forget()
                overtaken = session.doubts(error)
                session.undo()
                if overtaken:
                    raise _Overtaken from error
                raise
            self._head = heads.position
            self._tell(results)  # at once: to give the turn back takes a moment

    def _check_trust(self, results: list[Result]) -> None:
        """Nobody is told that he is stale because of versions that are themselves out of date."""
        for _, _, error in results:
            if isinstance(error, Stale) and self._session.doubts(error):
                raise error

    def _catch_up(self, rows: list[Row] | None) -> None:
        if rows is not None:
            self._heads.forget()
            self._heads.learn(rows)
        self._heads.trim()

    def _one(self, work: Batch, request: Request, future: asyncio.Future[Any]) -> Result:
        if isinstance(request, Append):
            return self._append(work, request, future)
        if isinstance(request, list):
            return future, work.write(request), None
        assert not isinstance(request, Alone)
        work.finish()
        return future, request(self._session), None

    @staticmethod
    def _append(work: Batch, request: Append, future: asyncio.Future[Any]) -> Result:
        try:
            return future, work.append(request), None
        except (Stale, Taken, CodecError) as error:
            return future, None, error


_EVENTS = attrgetter("events")


def _need(requests: list[Request]) -> Need:
    if all(isinstance(request, list) for request in requests):
        return Need.NOTHING
    return Need.EVENTS if all(map(_fenced, requests)) else Need.HEAD


def _fenced(request: Request) -> bool:
    """Whether it fails by itself where the head is not what is believed."""
    if isinstance(request, Append):
        return all(map(_EVENTS, request.entries))
    return isinstance(request, list)


def _answer(results: list[Result]) -> None:
    for future, value, error in results:
        if future.done():
            continue  # who asked has gone
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

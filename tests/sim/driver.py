"""A third driver of the store: one SQLite in memory, which simulated processes ask by messages.

The parts that decide anything are the real ones: statements, `Batch`, `Bulk`, `Schema`, and the
writer's way of making one transaction of what has arrived, and of dividing it when it fails. Only
the thread is gone: a request travels to the database for a while, is carried out in one go, and
its answer travels back, if nothing happens to either (`faults.py`). The database itself
is never lost: power cuts are another test's business.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from copy import copy
from functools import partial
from typing import Any

from engine.core.log import Feature, Row
from engine.store.batch import Heads, Line, Schema, _salts
from engine.store.connection import judged, outside, rows_of
from engine.store.dialect import SQLITE, Statement, statements
from engine.store.errors import trouble
from engine.store.store import PAGE, About, Params, Store
from engine.store.writer import Alone, Asked, Need, Request, Result, Writer, _answer
from tests.sim.database import Database, Host
from tests.sim.faults import Faults


class SimSession:
    """The connection that writes, of one process."""

    def __init__(self, database: Database, host: Host, head: Statement) -> None:
        self.database, self.host, self._head = database, host, head
        self._db = database.db
        self.own = 0
        self.late = False
        self._seen = self._looked = -1
        self._before = 0
        self._trusting = False

    def turn(self) -> Any:
        """Nothing to wait for: a transaction is carried out in one go."""
        return nullcontext()

    def begin(self, *, known: bool, need: Need) -> list[Row] | None:
        """Begin; the head of the journal unless nobody else has moved it, which is trusted where
        it may be."""
        self.database.clear()
        self._db.execute("begin")
        self._before = self._db.total_changes
        self._trusting = known and need is not Need.HEAD
        if self._trusting:
            return None
        change = self.change()
        if known and change == self._seen:
            return None
        self._seen = change
        return self.query(self._head, {})

    def doubts(self, error: BaseException) -> bool:
        """Whether it may have failed because of what was trusted."""
        return self._trusting and not outside(error)

    def change(self) -> int:
        """A number that moves when another process commits."""
        return self.database.commits - self.own

    def query(self, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
        """The rows of one statement, by column name."""
        self._tell(statement)
        return rows_of(self._db.execute(statement.text, statement.bind(params)))

    def lines(self, statement: Statement, params: Mapping[str, Any]) -> list[Any]:
        """The rows of one statement, in the order of their columns."""
        self._tell(statement)
        return self._db.execute(statement.text, statement.bind(params)).fetchall()

    def execute_many(self, statement: Statement, rows: list[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        self._tell(statement)
        self._db.executemany(statement.text, rows)
        if statement.name == "journal_insert":
            self.database.lines += rows

    def _tell(self, statement: Statement) -> None:
        if self.database.watcher is not None:
            self.database.watcher.asked(self.host, statement.name)

    def empty(self, table: str) -> None:
        """Delete every row of a table."""
        self._db.execute(f"delete from {table}")

    def commit(self, heads: Heads) -> None:
        """Commit, and let it be known if anything has changed."""
        self._db.execute("commit")
        if self._db.total_changes != self._before:
            self.own += 1
            self.database.committed(self.host, self.late)

    def undo(self) -> None:
        """Roll back what is open."""
        if self._db.in_transaction:
            self._db.execute("rollback")

    def moved(self) -> bool:
        """Whether another process has committed since this was last asked."""
        change = self.change()
        moved, self._looked = change != self._looked, change
        return moved

    def tidy(self) -> None:
        """There is nothing to tidy."""

    def rest(self) -> None:
        """There is nothing to let go of."""

    def outside(self, error: BaseException) -> bool:
        """Whether it is not the request's fault."""
        return outside(error)

    def judged(self, error: BaseException) -> BaseException:
        """The typed error for what was raised."""
        return judged(error)

    def close(self) -> None:
        """Others still use the connection."""


class SimWriter(Writer):
    """The writer without its thread: one batch is under way at a time, and the next one waits."""

    def __init__(self, session: SimSession, schema: Schema, faults: Faults) -> None:
        self._session, self._schema, self._faults = session, schema, faults
        self._sim, self._heads, self._head = session, Heads(), 0
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Asked] = []
        self._closed = self._busy = False
        self._ended: asyncio.Future[None] | None = None

    def ask(self, request: Request) -> asyncio.Future[Any]:
        """Have a request carried out."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closed:
            future.set_exception(trouble("database_closed"))
            return future
        self._waiting.append((request, future))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._send, context=self._sim.host.context)
        return future

    async def close(self) -> None:
        """Take nothing more and finish what was asked for."""
        self._closed = True
        while self._busy:
            if self._ended is None:
                self._ended = self._loop.create_future()
            await asyncio.shield(self._ended)

    def _send(self) -> None:
        batch, self._waiting = self._waiting, []
        fate, leg, patience = self._faults.fate(), self._faults.leg(), self._faults.patience()
        if fate == "refused":
            self._later(leg, self._lost, batch, "database_locked")
        elif fate != "ok":
            self._later(patience, self._lost, batch, "database_io")
        if fate == "late":
            # Carried out for nobody: who asked has given up, and asks for other things by now.
            leg = patience + self._faults.chance.random() * 6
        if fate in ("ok", "lost_reply", "late"):
            act = self._carry_out if fate != "late" else self._carry_out_late
            self._loop.call_later(leg, act, batch, fate == "ok", context=self._sim.database.world)

    def _served(self, batch: list[Asked]) -> list[Result]:
        self._told: list[Result] = []
        self._serve(batch)
        return self._told

    def _tell(self, results: list[Result]) -> None:
        self._told += results

    def _later(self, delay: float, act: Any, *args: Any) -> None:
        self._loop.call_later(delay, act, *args, context=self._sim.host.context)

    def _carry_out(self, batch: list[Asked], answered: bool) -> None:
        held = self._sim.database.held
        if held is not None:
            held.append(lambda: self._carry_out(batch, answered))
            return
        results = self._served(batch)
        if answered:
            self._later(self._faults.leg(), self._reply, results)

    def _carry_out_late(self, batch: list[Asked], answered: bool) -> None:
        # The connection that carries it out is not the one that serves the process by now.
        heads, self._heads = self._heads, Heads()
        self._sim.late = True
        try:
            self._served([(request, self._loop.create_future()) for request, _ in batch])
        finally:
            self._heads, self._sim.late = heads, False
            self._heads.forget()

    def _lost(self, batch: list[Asked], code: str) -> None:
        self._reply([(future, None, trouble(code, "simulated")) for _, future in batch])

    def _reply(self, results: list[Result]) -> None:
        _answer(results)
        if self._waiting:
            self._send()
            return
        self._busy = False
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)


class SimReader:
    """Reads of one process; each sees the database as it is at one moment of its journey."""

    def __init__(self, session: SimSession, faults: Faults) -> None:
        self._session, self._faults = session, faults
        self._loop = asyncio.get_running_loop()

    async def fetch(self, statement: Statement, params: Params) -> list[Row]:
        """The rows of a read, by column name."""
        rows: list[Row] = await self._asked(self._session.query, statement, params)
        return rows

    async def lines(self, statement: Statement, params: Params) -> list[Any]:
        """The rows of a read, in the order of their columns."""
        rows: list[Any] = await self._asked(self._session.lines, statement, params)
        return rows

    async def _asked(self, read: Any, statement: Statement, params: Params) -> Any:
        statement.bind(params)  # a bug of the caller's is the caller's at once
        faults, future = self._faults, self._loop.create_future()
        if faults.read_fails():
            self._answer(faults.patience(), future, None, trouble("database_io", "simulated"))
        elif faults.chance.random() < 0.6:
            self._look(read, statement, params, future)
        else:
            place = self._session.database.world
            self._loop.call_later(
                faults.leg(), self._look, read, statement, params, future, context=place
            )
        return await future

    def _look(self, read: Any, statement: Statement, params: Params, future: Any) -> None:
        try:
            rows, error = read(statement, params), None
        except (sqlite3.Error, UnicodeEncodeError, OverflowError) as caught:
            rows, error = None, judged(caught)
        self._answer(self._faults.leg(), future, rows, error)

    def _answer(self, delay: float, future: Any, rows: Any, error: BaseException | None) -> None:
        place = self._session.host.context
        self._loop.call_later(delay, _answer, [(future, rows, error)], context=place)

    def scan(self, statement: Statement, after: int = 0) -> Iterator[Sequence[Line]]:
        """The journal page by page."""
        while page := self._session.lines(statement, {"after": after, "limit": PAGE}):
            yield page
            after = page[-1][0]

    def elsewhere(self, query: str) -> Callable[[int], Iterator[Sequence[Line]]]:
        """The same; there is one process here."""
        return partial(self.scan, statements(SQLITE)[query])


class SimLife:
    """The lock of a worker's life."""

    def __init__(self, database: Database, number: int) -> None:
        self._database, self._number = database, number

    def release(self, *, remove: bool = False) -> None:
        """Let go."""
        self._database.lives.pop(self._number, None)


_SCHEMAS: dict[tuple[int, ...], tuple[Sequence[Feature], Schema]] = {}


def _schema(features: Sequence[Feature], chance: Callable[[int], bytes]) -> Schema:
    """A schema of a store's own; its codec, which takes longest to make, is made once."""
    key = tuple(map(id, features))
    if key not in _SCHEMAS:
        _SCHEMAS[key] = (features, Schema(features, {}, chance))
    schema = copy(_SCHEMAS[key][1])
    schema.statements, schema.salts = dict(statements(SQLITE)), _salts(chance)
    return schema


class SimStore(Store):
    """One process's store."""

    def __init__(
        self, database: Database, host: Host, features: Sequence[Feature],
        chance: Callable[[int], bytes], faults: Faults,
    ) -> None:  # fmt: skip
        schema = _schema(features, chance)
        self.session = SimSession(database, host, schema.statements["journal_head"])
        self.writer = SimWriter(self.session, schema, faults)
        super().__init__("memory", schema, self.writer, SimReader(self.session, faults))
        self.host, self._database, self._faults = host, database, faults
        self._bell: asyncio.Future[None] | None = None
        self._rung = False
        database.stores.append(self)

    async def changed(self) -> bool:
        """Whether another process has committed since this was last asked."""
        moved: bool = await self._writer.ask(Alone(lambda session: session.moved()))
        return moved

    async def stirred(self) -> int | None:
        """Wait for a notification, if nothing has changed yet; each says that something is due."""
        while not self.session.moved():
            self._bell, self._rung = asyncio.get_running_loop().create_future(), False
            await self._bell
            if self._faults.stutters():
                break
        return 1

    def notify(self) -> None:
        """Somebody else has committed."""
        if self._bell is None or self._rung or self._bell.done():
            return
        self._rung = True
        loop = self._bell.get_loop()
        loop.call_later(self._faults.notice(), _ring, self._bell, context=self.host.context)

    async def hold(self, worker: int) -> SimLife | None:
        """The lock of a worker's life."""
        if worker in self._database.lives:
            return None
        self._database.lives[worker] = self.host
        self._database.hosts.setdefault(worker, self.host)
        return SimLife(self._database, worker)

    async def dead(self, worker: int, host: str) -> SimLife | None:
        """The same, where locks can be seen."""
        return None if self._faults.blind else await self.hold(worker)

    async def about(self) -> About:
        """Nothing to be known."""
        return About("simulation", "", 0)


def _ring(bell: asyncio.Future[None]) -> None:
    if not bell.done():
        bell.set_result(None)


@asynccontextmanager
async def open_sim(
    database: Database, host: Host, features: Sequence[Feature],
    chance: Callable[[int], bytes], faults: Faults,
) -> AsyncGenerator[SimStore]:  # fmt: skip
    """A store for as long as a block lasts."""
    store = SimStore(database, host, features, chance, faults)
    try:
        yield store
    finally:
        store.closed = True
        await store.writer.close()

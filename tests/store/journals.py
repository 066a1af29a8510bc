"""Events, requests and looks into the file: the vocabulary of the store's tests."""

import itertools
import random
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    closing,
    contextmanager,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from engine.core import events as ev
from engine.core.chain import Line, commit, header
from engine.core.log import NEW, Append, Entry, Feature, Recorded, Unless, Write
from engine.features import approvals, outcomes, runs, versions
from engine.store import Store, open_sqlite
from engine.store.lock import Turn
from engine.store.postgres import open_postgres
from engine.store.postgres_session import TURN
from engine.store.sqlite import SqliteStore

FEATURES: tuple[Feature, ...] = (
    runs.FEATURE,
    versions.FEATURE,
    approvals.FEATURE,
    outcomes.FEATURE,
)
ERASED = "commitment = commitment(salt, body), body = null, salt = null"
AT = 1_000_000_000_000_000
_numbers = itertools.count(1)


def started(uid: str = "", **more: Any) -> ev.RunStarted:
    """The first event of a run; its public id is a new one unless it is given."""
    fields: dict[str, Any] = {"input": {}, "held": True, "key": "", **more}
    uid = uid or f"run-{next(_numbers)}"
    return ev.RunStarted(uid, "default", "w", "1.0.0", "d", "workflow", **fields)


def done(path: str = "a", output: Any = None) -> ev.StepSucceeded:
    """A step that returned."""
    return ev.StepSucceeded(path, output, 1, "default/t", AT)


def first(*events: Any, also: tuple[Write, ...] = (), **more: Any) -> Append:
    """A request for a new stream."""
    entry = Entry(NEW, 0, events or (started(),), also)
    return Append((entry,), AT, "ann", **more)


def after(stream: int, expected: int, *events: Any, **more: Any) -> Append:
    """A request for more events of a stream."""
    return Append((Entry(stream, expected, events or (done(),)),), AT, "ann", **more)


def keyed(key: str, uid: str = "") -> Append:
    """A run that is started under a key, unless another was."""
    place = {"tenant": "default", "namespace": "default", "workflow": "w", "key": key}
    return first(started(uid, key=key), unless=Unless("start_key_find", place))


def put_due(owner: int = 0, **more: Any) -> Write:
    """A lease on the stream that the same request begins, or on the one that is named."""
    return Write("due_put", {"tenant": "default", "lane": 0, "at": AT, "owner": owner, **more})


async def journal(store: Store) -> list[Recorded]:
    """Everything that was ever appended."""
    return [recorded async for recorded in store.tail(limit=7)]


def lined(row: Sequence[Any]) -> Line:
    """A row of the journal as it is read for the chain."""
    body = row[8].encode() if row[8] is not None else None
    return row[0], header(*row[:8]).encode(), row[9], body, row[10], row[11]


def chances(seed: int = 7) -> Callable[[int], bytes]:
    """Bytes that a seed fixes."""
    return random.Random(seed).randbytes


class Driver(Protocol):
    """What the tests of every driver need of one."""

    def open(self, **more: Any) -> AbstractAsyncContextManager[Store]:
        """Open the database, as a process would; `more` is for the driver, or other features."""
        ...

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of a table, read by somebody else."""
        ...

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every table that features fill."""
        ...

    def busy(self) -> AbstractContextManager[None]:
        """Nobody gets a turn meanwhile, so what is asked for in it comes in few batches."""
        ...


@dataclass(frozen=True, slots=True)
class Postgres:
    """A database of a server."""

    url: str

    @asynccontextmanager
    async def open(self, **more: Any) -> AsyncGenerator[Store]:
        """Open it, as a process would."""
        features = more.pop("features", FEATURES)
        async with open_postgres(self.url, features, chances(), AT, **more) as store:
            yield store

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of a table, read by somebody else."""
        with psycopg.connect(self.url) as db:
            return sorted(db.execute(f"select * from {table}".encode()).fetchall(), key=repr)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every table that features fill."""
        return {table: self.rows(table) for feature in FEATURES for table in feature.tables}

    @contextmanager
    def busy(self) -> Generator[None]:
        """Nobody gets a turn meanwhile."""
        with psycopg.connect(self.url) as db:
            db.execute("select pg_advisory_xact_lock(%s)", (TURN,))
            yield


@dataclass(frozen=True, slots=True)
class Sqlite:
    """A database in a file."""

    path: Path

    @asynccontextmanager
    async def open(self, **more: Any) -> AsyncGenerator[SqliteStore]:
        """Open it, as a process would."""
        features = more.pop("features", FEATURES)
        async with open_sqlite(self.path, features, chances(), AT, **more) as store:
            yield store

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of a table, read by somebody else."""
        with closing(sqlite3.connect(self.path)) as db:
            return sorted(db.execute(f"select * from {table}").fetchall(), key=repr)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every table that features fill."""
        return {table: self.rows(table) for feature in FEATURES for table in feature.tables}

    @contextmanager
    def busy(self) -> Generator[None]:
        """Nobody gets a turn meanwhile, so what is asked for in it comes in few batches."""
        with closing(Turn(Path(f"{self.path}.lock"), 5.0)) as turn, turn.held():
            yield

    def erase(self, where: str) -> None:
        """Erase bodies as it is allowed, guards and all."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            db.create_function("commitment", 2, lambda salt, body: commit(salt, body.encode()))
            db.execute(f"update journal set {ERASED} where {where}")

    @contextmanager
    def tampered(self) -> Generator[sqlite3.Connection]:
        """The file in the hands of somebody who knows how to get rid of its guards."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            guards = db.execute("select name from sqlite_master where type = 'trigger'")
            for (guard,) in guards.fetchall():
                db.execute(f"drop trigger {guard}")
            yield db


class Shown(sqlite3.Connection):
    """A connection that can be got at: the last one that was made."""

    last: "Shown"

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        Shown.last = self

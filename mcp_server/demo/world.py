"""The demo world's memory: one small SQLite file beside the main database.

It is not the engine's database and shares nothing with it, so the rule of one door to SQL does
not reach here: to the engine this world is a system outside. Whichever process serves the world
opens this file; it is seeded once, when it is made. Things are JSON documents by kind and id,
counters are numbers by name, and the port that was agreed on is kept so that addresses last.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp_server.demo.seed import documents

_BUSY_SECONDS = 5.0
_TRIES = 250
_SCHEMA = """
create table if not exists world (
    one integer primary key check (one = 1), id text not null, port integer not null
) strict;
create table if not exists thing (
    kind text not null, id text not null, body text not null, primary key (kind, id)
) strict;
create table if not exists counter (name text primary key, value integer not null) strict;
"""

Thing = dict[str, Any]


class World:
    """The state of the demo. Safe to use from several threads; `close` when done.

    `port` and `name` are for a world that is born now; an older one has its own. Whatever is
    asked of it raises sqlite3.Error when the file cannot be used.
    """

    def __init__(self, file: Path, port: int, name: str) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._begin(port, name)
        except sqlite3.Error:
            self._connection.close()
            raise

    def _begin(self, port: int, name: str) -> None:
        _use_wal(self._connection)
        self._connection.execute("pragma synchronous = off")  # it may forget its last second
        with self.change():
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            born = self._connection.execute(
                "insert into world (one, id, port) values (1, ?, ?) on conflict do nothing",
                (name, port),
            )
            if born.rowcount:
                for kind, thing in documents():
                    self.put(kind, thing)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @property
    def id(self) -> str:
        """What tells this world from every other."""
        return str(self._one("select id from world")[0])

    @property
    def port(self) -> int:
        """The port that was agreed on; 0 if none was."""
        return int(self._one("select port from world")[0])

    def agree_on(self, port: int, instead_of: int) -> bool:
        """Remember `port` unless somebody else has changed it meanwhile."""
        with self._lock:
            changed = self._connection.execute(
                "update world set port = ? where port = ?", (port, instead_of)
            )
            return changed.rowcount == 1

    @contextmanager
    def change(self) -> Iterator[None]:
        """Everything inside happens or nothing does."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def get(self, kind: str, key: str) -> Thing | None:
        """One thing, or None."""
        row = self._row("select body from thing where kind = ? and id = ?", kind, key)
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, thing: Mapping[str, Any]) -> None:
        """Write a thing under its own id."""
        with self._lock:
            self._connection.execute(
                "insert into thing (kind, id, body) values (?, ?, ?)"
                " on conflict (kind, id) do update set body = excluded.body",
                (kind, thing["id"], json.dumps(thing)),
            )

    def all(self, kind: str, **like: str | None) -> list[Thing]:
        """Things of a kind in order of id, those whose fields have the values asked for."""
        with self._lock:
            rows = self._connection.execute(
                "select body from thing where kind = ? order by length(id), id", (kind,)
            ).fetchall()
        found = (json.loads(row[0]) for row in rows)
        wanted = [(name, value) for name, value in like.items() if value is not None]
        return [thing for thing in found if all(thing.get(n) == v for n, v in wanted)]

    def count(self, name: str) -> int:
        """One more of `name`; how many that makes."""
        row = self._row(
            "insert into counter (name, value) values (?, 1)"
            " on conflict (name) do update set value = value + 1 returning value",
            name,
        )
        assert row is not None
        return int(row[0])

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self._row(query)
        assert row is not None
        return row

    def _row(self, query: str, *values: str) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(query, values).fetchone()
            return row


def _use_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for others here as it does elsewhere: a second newcomer is told
    # "busy" at once, although the first will be done in a moment.
    for _ in range(_TRIES):
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_BUSY_SECONDS / _TRIES)
    raise sqlite3.OperationalError("busy")

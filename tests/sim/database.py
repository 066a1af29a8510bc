"""The database of the simulation: one SQLite in memory, and those who are told of its commits.

Whoever watches is told of every transaction at the moment of its commit: the new lines of the
journal, and which leases and workers' rows it changed, by triggers of our own. The other stores
are told that somebody has committed. Here is also what an operating system or a server would
keep: whose life locks are held.
"""

import contextvars
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from engine.store.batch import Line
from engine.store.migrate import migrate, missing, steps_of_today

Move = tuple[int, int, int, int]
"""Run, owner before, owner after, lane."""

_SPIES = (
    "create temp trigger spy_put after insert on main.due begin "
    "select spy_lease(new.run, 0, new.owner, new.lane); end",
    "create temp trigger spy_set after update on main.due when old.owner <> new.owner begin "
    "select spy_lease(new.run, old.owner, new.owner, new.lane); end",
    "create temp trigger spy_drop after delete on main.due when old.owner <> 0 begin "
    "select spy_lease(old.run, old.owner, 0, old.lane); end",
    "create temp trigger spy_come after insert on main.workers begin "
    "select spy_worker(new.id, 0); end",
    "create temp trigger spy_gone after delete on main.workers begin "
    "select spy_worker(old.id, 1); end",
    "create temp trigger spy_beat after update on main.workers begin "
    "select spy_worker(old.id, 0); end",
)


class Host(Protocol):
    """The process that a store belongs to."""

    name: str
    context: contextvars.Context


class Watcher(Protocol):
    """Who is told what each transaction changed, at the moment of its commit."""

    def committed(
        self, host: Host, lines: Sequence[Line], moves: Sequence[Move], late: bool
    ) -> None:
        """New lines of the journal, and leases that changed hands."""
        ...

    def worker(self, host: Host, number: int, *, gone: bool) -> None:
        """A worker's row was renewed or deleted."""
        ...

    def asked(self, host: Host, statement: str) -> None:
        """A statement is carried out for a process."""
        ...


class Listener(Protocol):
    """Whoever wants to know that others have committed."""

    host: Host

    def notify(self) -> None:
        """Somebody else has committed."""
        ...


@cache
def _empty() -> bytes:
    with sqlite3.connect(":memory:", isolation_level=None) as db:
        migrate(db, Path(":memory:"), 0, missing(db, steps_of_today()))
        return db.serialize()


class Database:
    """What all processes share: the tables, the life locks, and who has to be told of a commit."""

    def __init__(self, watcher: Watcher | None = None, world: Any = None) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.db.deserialize(_empty())
        self.watcher = watcher
        self.world = world or contextvars.copy_context()
        self.commits = 0
        self.lives: dict[int, Host] = {}
        self.hosts: dict[int, Host] = {}
        self.stores: list[Listener] = []
        self.held: list[Callable[[], None]] | None = None
        self.lines: list[Line] = []
        self.moves: list[Move] = []
        self.workers: list[tuple[int, int]] = []
        if watcher is not None:
            self.db.create_function("spy_lease", 4, lambda *move: self.moves.append(move))
            self.db.create_function("spy_worker", 2, lambda *seen: self.workers.append(seen))
            for spy in _SPIES:
                self.db.execute(spy)

    def committed(self, host: Host, late: bool) -> None:
        """Tell the watcher what has changed, and the other processes that something has."""
        self.commits += 1
        if self.watcher is not None:
            self.watcher.committed(host, self.lines, self.moves, late)
            for number, gone in self.workers:
                self.watcher.worker(host, number, gone=bool(gone))
        for store in self.stores:
            if store.host is not host:
                store.notify()

    def clear(self) -> None:
        """Forget what a transaction did."""
        self.lines.clear()
        self.moves.clear()
        self.workers.clear()

    def bury(self, host: Host) -> None:
        """What the system does when a process dies: its locks are free."""
        for number in [number for number, owner in self.lives.items() if owner is host]:
            del self.lives[number]
        self.stores = [store for store in self.stores if store.host is not host]

    @contextmanager
    def busy(self) -> Generator[None]:
        """Nobody gets a turn meanwhile."""
        self.held = []
        try:
            yield
        finally:
            waiting, self.held = self.held, None
            for act in waiting:
                act()

"""Power cuts: the store writes to a disk in memory whose power fails at a place that dice choose.

The same code as in life opens the file, migrates it, batches, commits, folds the log and closes;
only SQLite's file system is ours. What is asked for arrives while the batch before it is being
committed, as it does in life, and always at the same place, so a seed repeats a case.
"""

import asyncio
import logging
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import apsw

from engine.core.errors import Stale
from engine.core.log import NEW, Append, Entry
from engine.store import Store, StoreError, open_sqlite
from engine.store.sqlite_log import ROOM
from engine.store.sqlite_session import LONG_LOG
from tests.chaos.bridge import Bridge
from tests.chaos.disk import Disk, FileSystem
from tests.chaos.ledger import Asked, Broken, Ledger, require, tables
from tests.store.journals import AT, FEATURES, chances, done, put_due, started

_LOG = logging.getLogger("handrail.chaos")

Figures = Counter[str]

LIVES = 3
"""Power cuts of one disk, one after the other."""

ROUNDS = 5
"""Batches of a life."""

WORKING = {
    "begin immediate": "working",
    "commit": "committing",
    "pragma wal_checkpoint(passive)": "folding",
    "rollback": "making room",
    "close": "closing",
}
"""What a statement means in words."""

NEW_DISK, OLD_DISK = 90, 240
"""About as many changes as a life makes on a disk: one in which it opens a new file, or goes on."""


@cache
def file_system() -> FileSystem:
    """The one file system; its disk is exchanged."""
    return FileSystem("handrail-chaos")


@dataclass(slots=True)
class Gate:
    """Stops the writing thread at each commit until what comes next has been asked for."""

    disk: Disk
    synchronous: str = "full"
    on: bool = False
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _parked: asyncio.Event = field(default_factory=asyncio.Event)
    _go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def before(self, text: str) -> str:
        """Called by the connection before every statement."""
        if self.disk.doing in WORKING.values():
            self.disk.doing = WORKING.get(text, self.disk.doing)
            if text == "rollback":
                self._lengthen()
        if self.on and text == "commit":
            self._loop.call_soon_threadsafe(self._parked.set)
            self._go.acquire(timeout=30)
        if text == "pragma synchronous = full":
            return f"pragma synchronous = {self.synchronous}"
        return text

    def _lengthen(self) -> None:
        """The writer has made room in the file that it takes for the log: do so in the log."""
        with suppress(apsw.Error):  # the power may fail meanwhile
            self.disk.lengthen("h.db-wal", 64 * 1024)

    async def parked(self, answers: list[asyncio.Future[Any]]) -> bool:
        """Whether a commit has begun; False when everything was answered without one."""
        parked = asyncio.ensure_future(self._parked.wait())
        answered = asyncio.gather(*answers, return_exceptions=True)
        await asyncio.wait((parked, answered), return_when=asyncio.FIRST_COMPLETED)
        there = parked.done()
        parked.cancel()
        self._parked.clear()
        return there

    def go(self) -> None:
        """Let it commit."""
        self._go.release()

    def open(self) -> None:
        """Stop it no more."""
        self.on = False
        self._go.release(2)


@dataclass(slots=True)
class Asking:
    """Asks a store for things that dice choose."""

    store: Store
    ledger: Ledger
    dice: random.Random
    log: Path
    versions: dict[int, int] = field(default_factory=dict)

    def lengthen(self, chance: float = 0.25) -> None:
        """The log is long, young or neither, as the writer sees it: zeros look like frames."""
        long = 2 * LONG_LOG if self.dice.random() < 0.8 else ROOM + 64
        with self.log.open("wb") as log:
            log.truncate(long if self.dice.random() < chance else 0)

    async def some(self, most: int = 5) -> list[tuple[Asked | None, asyncio.Future[Any]]]:
        """A few requests at once."""
        asked = [self._one() for _ in range(min(most, self.dice.choice((1, 1, 2, 3, 5))))]
        await asyncio.sleep(0)  # a coroutine asks when it begins to run
        return asked

    def _one(self) -> tuple[Asked | None, asyncio.Future[Any]]:
        kind = self.dice.choice(("new", "new", "more", "more", "both", "stale", "leases"))
        if kind == "leases":
            writes = (
                put_due(stream=stream, owner=self.dice.randrange(9)) for stream in self._old(3)
            )
            return None, asyncio.ensure_future(self.store.write(*writes))
        request = self._append(kind)
        asked = self.ledger.note(request)
        return asked, self.store.append_soon(request)

    def _append(self, kind: str) -> Append:
        entries = [self._more(stream) for stream in self._old(1)] if kind != "new" else []
        if kind == "stale" and entries:
            entries = [entries[0]._replace(expected=entries[0].expected + 9)]
        if kind in ("new", "both") or not entries:
            events = (started(f"r{self._number()}"), *self._results())
            entries.append(Entry(NEW, 0, events, (put_due(),)))
        return Append(tuple(entries), AT, "ann")

    def _more(self, stream: int) -> Entry:
        version = self.versions.pop(stream)  # nobody else asks for it meanwhile
        return Entry(stream, version, (done(f"s{self._number()}"), *self._results()))

    def _results(self) -> list[Any]:
        sizes = self.dice.choices((10, 300, 3_000, 12_000), (4, 4, 2, 1), k=self.dice.randrange(3))
        return [done(f"s{self._number()}", "x" * size) for size in sizes]

    def _number(self) -> str:
        return f"{self.dice.getrandbits(48):x}"

    def _old(self, most: int) -> list[int]:
        return self.dice.sample(sorted(self.versions), min(most, len(self.versions)))

    def learn(self, asked: Asked | None, answer: asyncio.Future[Any]) -> bool:
        """Note how a request was answered; False when the database failed."""
        error = answer.exception()
        if asked is None or error is not None:
            if asked is not None and isinstance(error, Stale):
                asked.refused = True
            require(error is None or isinstance(error, Stale | StoreError), f"untyped: {error!r}")
            return not isinstance(error, StoreError)
        asked.answered, asked.stream = True, answer.result().streams[-1]
        self.versions |= zip(answer.result().streams, answer.result().versions, strict=True)
        return True


@dataclass(slots=True)
class Case:
    """One disk and what happens to it."""

    folder: Path
    seed: int
    synchronous: str = "full"
    lies: bool = False
    cuts: Counter[str] = field(default_factory=Counter)
    ledger: Ledger = field(default_factory=Ledger)

    async def play(self, disk: Disk | None = None) -> None:
        """Several lives, each ended by a power cut, and one that is not; raises Broken."""
        dice = random.Random(self.seed)
        old = disk is not None and dice.random() < 0.7
        disk = disk.copy(dice) if disk is not None and old else Disk(dice)
        disk.lies = self.lies
        for life in range(LIVES):
            disk.cut_after = dice.randrange(OLD_DISK if old or life else NEW_DISK)
            try:
                await self._life(disk, dice)
            except (StoreError, sqlite3.Error) as error:
                require(disk.dead, f"it does not open: {error}")
            self.cuts[disk.died_in or "idle"] += 1
            disk.restore()
        await self._life(disk, dice)

    async def _life(self, disk: Disk, dice: random.Random) -> None:
        gate = Gate(disk, self.synchronous)
        disk.doing = "opening"
        async with opened(self.folder, disk, gate, dice.randrange(1 << 30)) as (store, db):
            disk.doing = "working"
            asking = Asking(store, self.ledger, dice, self.folder / "h.db-wal")
            asking.lengthen(0)
            self.ledger.compare(db)
            drawn = tables(db)
            await store.rebuild()
            require(drawn == tables(db), "the tables are not what the journal draws")
            asking.versions |= {line[2]: line[3] for line in self.ledger.known}
            await ask(asking, gate)


async def ask(asking: Asking, gate: Gate) -> None:
    """Some batches, until they are enough or the database fails."""
    gate.on = True
    under_way = await asking.some(1)  # the idle thread takes the first one alone
    for _ in range(ROUNDS):
        if not await gate.parked([answer for _, answer in under_way]):
            break
        asking.lengthen()
        arrived = await asking.some()
        gate.go()
        await asyncio.wait([answer for _, answer in under_way])
        told = [asking.learn(*one) for one in under_way]
        under_way = arrived
        if not all(told):
            break
    gate.open()
    await asyncio.wait([answer for _, answer in under_way])
    for one in under_way:
        asking.learn(*one)


@asynccontextmanager
async def opened(
    folder: Path, disk: Disk, gate: Gate, seed: int
) -> AsyncGenerator[tuple[Store, Bridge]]:
    """A store whose file is on a disk in memory, and the connection that it writes with."""
    vfs, made = file_system(), list[Bridge]()
    vfs.disk = disk

    def factory(*_: Any, **__: Any) -> Bridge:
        made.append(Bridge("h.db", "handrail-chaos", gate.before))
        return made[-1]

    path = folder / "h.db"
    async with open_sqlite(path, FEATURES, chances(seed), AT, factory=factory) as store:  # type: ignore[arg-type]
        store._writer._session.every = 1  # type: ignore[attr-defined]  # a life is short
        try:
            yield store, made[-1]
        finally:
            gate.open()


async def a_disk(folder: Path) -> Disk:
    """A disk with a journal that was closed in good order."""
    disk = Disk(random.Random(0))
    async with opened(folder, disk, Gate(disk), 0) as (store, _):
        await store.append(Append((Entry(NEW, 0, (started("first"),), (put_due(),)),), AT, "ann"))
    return disk


async def cut(
    folder: Path, seeds: range, *, lies: bool = False, synchronous: str = "full"
) -> Figures:
    """Play a case for each seed; figures. `broken` are those whose file tells something else."""
    figures: Figures = Counter(cuts=0, acknowledged=0, lost=0, broken=0)
    disk = await a_disk(folder)
    for seed in seeds:
        case = Case(folder, seed, synchronous, lies)
        try:
            await case.play(disk)
        except (Broken, StoreError, sqlite3.Error) as broken:
            _LOG.error("power cut, seed %s: %s", seed, broken)
            figures["broken"] += 1
        if case.ledger.lost:
            _LOG.error("power cut, seed %s: %s facts are lost", seed, case.ledger.lost)
        figures["cuts"] += case.cuts.total()
        figures.update({f"cut while {doing}": count for doing, count in case.cuts.items()})
        figures["acknowledged"] += sum(asked.answered for asked in case.ledger.asked)
        figures["lost"] += case.ledger.lost
    return figures

"""A disk without room: at the n-th write of SQLite's on a disk in memory, and on a real one."""

import os
import random
import subprocess
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from engine.core.log import NEW, Append, Entry
from engine.store import Store, StoreError
from tests.chaos.bridge import Bridge
from tests.chaos.disk import Disk
from tests.chaos.ledger import Ledger, require, tables
from tests.chaos.power import Gate, a_disk, opened
from tests.store.journals import AT, Sqlite, done, first, put_due, started

Figures = Counter[str]

APPENDS = 8
"""Appends of a case."""

MOST_WRITES = 90
"""About as many writes as SQLite makes in a case."""


@dataclass(slots=True)
class Full:
    """There is no room for `lasts` writes from the one with the number `at` on."""

    at: int
    lasts: int
    seen: int = 0
    met: bool = False

    def __call__(self) -> bool:
        """Whether there is no room for this write."""
        self.seen += 1
        now = self.at <= self.seen < self.at + self.lasts
        self.met = self.met or now
        return now


async def full(folder: Path, seeds: range) -> Figures:
    """For each seed there is no room for some writes; raises Broken with the seed."""
    figures, disk = Figures(), await a_disk(folder)
    for seed in seeds:
        dice = random.Random(seed)
        trouble = Full(1 + seed % MOST_WRITES, dice.choice((1, 2, 5, 40)))
        copy = disk.copy(dice) if seed % 3 else Disk(dice)
        copy.full = trouble
        ledger = Ledger()
        try:
            await _life(folder, copy, dice, ledger, figures)
        except StoreError as error:
            require(error.code == "database_full", f"seed {seed}: {error.code} while opening")
            figures["refused while opening"] += 1
        copy.full = bool
        await _life(folder, copy, dice, ledger, figures)
        require(ledger.lost == 0, f"seed {seed}: {ledger.lost} facts are lost")
        figures["cases"] += trouble.met
    return figures


async def _life(
    folder: Path, disk: Disk, dice: random.Random, ledger: Ledger, figures: Figures
) -> None:
    async with opened(folder, disk, Gate(disk), dice.randrange(1 << 30)) as (store, db):
        ledger.compare(db)
        for number in range(APPENDS):
            size = dice.choice((10, 3_000, 30_000))
            events = (started(f"r{dice.getrandbits(48):x}"), done(f"s{number}", "x" * size))
            request = Append((Entry(NEW, 0, events, (put_due(),)),), AT, "ann")
            await _insist(store, db, ledger, request, figures)
        drawn = tables(db)
        if disk.full is bool:
            await store.rebuild()
            require(drawn == tables(db), "the tables are not what the journal draws")


async def _insist(
    store: Store, db: Bridge, ledger: Ledger, request: Append, figures: Figures
) -> None:
    """Ask until there is room; a refusal has its type and leaves nothing behind."""
    while True:
        asked = ledger.note(request)
        try:
            answer = await store.append(request)
        except StoreError as error:
            require(error.code == "database_full", f"it is {error.code}")
            asked.refused = True
            ledger.compare(db)
            ledger.asked.remove(asked)
            figures["refused"] += 1
        else:
            asked.answered, asked.stream = True, answer.streams[-1]
            figures["acknowledged"] += 1
            return


# -- a real file system ---------------------------------------------------------------------------


@contextmanager
def small(folder: Path, megabytes: int) -> Generator[bool]:
    """A small file system in memory on `folder`; False where this machine lets nobody make one."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        made = not subprocess.run(command, check=False, capture_output=True).returncode
    except OSError:
        made = False
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", "-l", str(folder)], check=True)


async def really_full(folder: Path, rounds: int) -> Figures:
    """Fill the file system up and make room again, with a store at work on it."""
    figures, driver = Figures(), Sqlite(folder / "h.db")
    with small(folder, 6) as made:
        if not made:
            return figures
        async with driver.open() as store:
            for _ in range(rounds):
                await _crowd(driver, store, folder / "ballast", figures)
            require((await store.verify()).intact == store.head(), "the chain is broken")
            drawn = driver.tables()
            await store.rebuild()
            require(driver.tables() == drawn, "the tables are not what the journal draws")
            require(len(drawn["runs"]) == figures["acknowledged"], "a fact is lost or was refused")
    return figures


async def _crowd(driver: Sqlite, store: Store, ballast: Path, figures: Figures) -> None:
    with ballast.open("wb") as file, suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(65_536))
    for _ in range(1_000):
        try:
            await store.append(first(started(), done(output="x" * 5_000)))
        except StoreError as error:
            require(error.code == "database_full", f"it is {error.code}")
            figures["refused"] += 1
            break
        figures["acknowledged"] += 1
    else:
        require(False, "it is never full")
    await _opened_anew(driver, figures)
    os.unlink(ballast)
    await store.append(first())
    figures["acknowledged"] += 1
    figures["times full"] += 1


async def _opened_anew(driver: Sqlite, figures: Figures) -> None:
    """Open the file, and another one, while there is no room."""
    for other in (driver, Sqlite(driver.path.with_name("other.db"))):
        try:
            async with other.open() as store:
                await store.append(first(started(), done(output="x" * 50_000)))
        except StoreError as error:
            require(error.code == "database_full", f"it is {error.code}")
            figures["refused while opening"] += 1
        else:
            require(False, "there was room")

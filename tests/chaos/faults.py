"""The list of faults: their names, the databases that they can befall, and how they are played."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.chaos import clocks, power, processes, room, servers
from tests.chaos.ledger import require
from tests.crash import test_kill
from tests.postgres import Server

Figures = Counter[str]


@dataclass(frozen=True, slots=True)
class Place:
    """A sort of database; PostgreSQL's has a server."""

    name: str
    server: Server | None = None

    def database(self) -> str:
        """The address of a new database; empty for a file in the folder of the turn."""
        return self.server.create() if self.server else ""


Play = Callable[[Path, int, float, Place], Coroutine[Any, Any, Figures]]
SQLITE, BOTH, POSTGRES = ("sqlite",), ("sqlite", "postgres"), ("postgres",)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault. `play` takes a folder, a seed, seconds and a place; raises if a promise breaks."""

    name: str
    databases: tuple[str, ...]
    play: Play


async def _power(folder: Path, seed: int, seconds: float, place: Place) -> Figures:
    figures, end = Figures(), time.monotonic() + seconds
    for start in range(seed, seed + 1_000_000, 10):
        found = await power.cut(folder, range(start, start + 10))
        require(not found["lost"] and not found["broken"], f"from seed {start}: {found}")
        figures.update(found)
        if time.monotonic() >= end:
            break
    return figures


async def _room(folder: Path, seed: int, seconds: float, place: Place) -> Figures:
    figures, end = await room.really_full(folder / "small", 3), time.monotonic() + seconds
    for start in range(seed, seed + 1_000_000, 10):
        figures.update(await room.full(folder, range(start, start + 10)))
        if time.monotonic() >= end:
            break
    return figures


def _crew(
    played: Callable[[Path, random.Random, float, str], Coroutine[Any, Any, Figures]],
) -> Play:
    async def play(folder: Path, seed: int, seconds: float, place: Place) -> Figures:
        return await played(folder, random.Random(seed), seconds, place.database())

    return play


def _files(played: Callable[[Path, random.Random, float], Coroutine[Any, Any, Figures]]) -> Play:
    async def play(folder: Path, seed: int, seconds: float, place: Place) -> Figures:
        return await played(folder, random.Random(seed), seconds)

    return play


def _served(
    played: Callable[[Path, random.Random, float, Server], Coroutine[Any, Any, Figures]],
) -> Play:
    async def play(folder: Path, seed: int, seconds: float, place: Place) -> Figures:
        assert place.server is not None
        return await played(folder, random.Random(seed), seconds, place.server)

    return play


async def _kill_and_count(folder: Path, seed: int, seconds: float, place: Place) -> Figures:
    dice, database = random.Random(seed), place.database()
    return await asyncio.to_thread(test_kill.lives, folder, dice, int(1 + seconds), database)


async def _simulation(folder: Path, seed: int, seconds: float, place: Place) -> Figures:
    command = [sys.executable, "-m", "tests.sim", "--first", str(seed)]
    command += ["--seconds", f"{max(1.0, seconds):g}"]
    run = partial(subprocess.run, command, capture_output=True, text=True, check=False)
    done = await asyncio.to_thread(run)
    require(done.returncode == 0, f"the simulation: {done.stdout[-1_500:]}{done.stderr[-500:]}")
    said = json.loads(done.stdout)
    counts = {name: said[name] for name in ("seeds", "runs", "events")}
    return Figures(counts | {name.replace("_", " "): n for name, n in said["faults"].items()})


FAULTS = (
    Fault("power-cut", SQLITE, _power),
    Fault("disk-full", SQLITE, _room),
    Fault("kill", BOTH, _crew(processes.killed)),
    Fault("kill-and-count", BOTH, _kill_and_count),
    Fault("stop-past-the-lease", BOTH, _crew(processes.stopped)),
    Fault("stop-in-its-turn", SQLITE, _files(processes.stopped_in_its_turn)),
    Fault("neighbours", SQLITE, _files(processes.neighbours)),
    Fault("clock-jumps", BOTH, _crew(clocks.jumps)),
    Fault("server-restarts", POSTGRES, _served(servers.restarts)),
    Fault("broken-lines", POSTGRES, _served(servers.broken_lines)),
    Fault("simulation", SQLITE, _simulation),
    Fault("lost-answers", POSTGRES, _served(servers.lost_answers)),
)


@contextmanager
def places(only: str | None) -> Generator[list[Place]]:
    """The databases to play on; each run of `make chaos` has a server of its own."""
    with ExitStack() as stack:
        found = [Place("sqlite")] if only != "postgres" else []
        if only != "sqlite":
            found.append(Place("postgres", stack.enter_context(servers.durable())))
        yield found

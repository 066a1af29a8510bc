"""Killed at any moment: nothing that was promised is lost, nothing that was done is repeated.

A process that works on runs is killed with SIGKILL again and again; what its steps did is
counted outside the database. A step that was under way at a kill may run once more, for it only
reads; one whose result was durable by then may not, in any later life.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from engine import Settings, open_engine
from engine.app.engine import FEATURES
from engine.app.places import database_of
from engine.core import events as ev
from engine.store import open_store
from tests.crash import child

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""On Windows every signal of this sort ends a process at once."""
CYCLES = int(os.environ.get("HANDRAIL_KILL_CYCLES", "50"))


class Lives:
    """One process after the other over a folder."""

    def __init__(self, folder: Path, database: str) -> None:
        pipe = subprocess.PIPE
        self._command = [sys.executable, "-m", "tests.crash.child", str(folder), database]
        self._mother = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)

    def one(self, lines: int) -> Iterator[list[str]]:
        """What it says until it has said `lines` lines and is killed, and then what was left."""
        assert self._mother.stdin is not None
        self._mother.stdin.write("go\n")
        self._mother.stdin.flush()
        word, pid = self._said().split()
        assert word == "P"
        for _ in range(lines):
            line = self._said()
            assert line != ".", "the child ended by itself"
            yield line.split()
        os.kill(int(pid), KILL)
        left = list(iter(self._said, "."))
        yield from (line.split() for line in left[:-1])  # the last one was cut off

    def _said(self) -> str:
        assert self._mother.stdout is not None
        line = self._mother.stdout.readline()
        assert line, "there are no more children"
        return line.removesuffix("\n")

    def close(self) -> None:
        """There will be no more."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        with self._mother:
            self._mother.stdin.close()
            self._mother.stdout.close()


@pytest.mark.requirement("resume-after-crash", "memoised-steps")
@pytest.mark.timeout(300)
def test_killed_again_and_again_it_loses_no_start_and_repeats_no_finished_step(
    tmp_path: Path,
) -> None:
    figures = lives(tmp_path, random.Random(7), CYCLES)
    assert figures["acknowledged"] > CYCLES, "the children did too little to prove anything"


def lives(folder: Path, dice: random.Random, cycles: int, database: str = "") -> Counter[str]:
    """So many lives, each ended by SIGKILL, and what is judged afterwards; figures."""
    settings = child.settings(folder, database)
    started, finished, durable = dict[str, int](), set[str](), Durable(settings, folder)
    with closing(Lives(folder, database)) as several:
        for _ in range(cycles):
            for word, *rest in several.one(dice.randint(1, 120)):
                if word == "S":
                    started[rest[0]] = int(rest[1])
                elif word == "F":
                    finished.add(rest[0])
            asyncio.run(durable.count())
    command = [sys.executable, "-m", "tests.crash.child", str(folder), database, "drain"]
    nowhere = subprocess.DEVNULL
    done = subprocess.run(command, check=False, timeout=120, stdin=nowhere, stdout=nowhere)
    assert done.returncode == 0
    asyncio.run(judge(settings, started, finished))
    marks = outside(folder)
    repeated = [step for step, count in durable.runs.items() if marks[step] != count]
    assert not repeated, "a step whose result was durable ran again"
    assert all(marks[f"{n} {step}"] for n in started.values() for step in "abcde")
    again = sum(count - 1 for count in marks.values() if count > 1)
    counts = {"kills": cycles, "acknowledged": len(started), "ran again, not yet durable": again}
    return Counter(counts | {"steps seen durable": len(durable.runs)})


def outside(folder: Path) -> Counter[str]:
    """How often each step really ran."""
    return Counter((folder / "effects").read_text(encoding="utf-8").splitlines())


class Durable:
    """The steps whose result is durable, with how often they had run when that was seen."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.runs: dict[str, int] = {}
        self._settings, self._folder = settings, folder
        self._inputs: dict[int, int] = {}
        self._seen = 0

    async def count(self) -> None:
        """Look at what has become durable since the last look; nobody works meanwhile."""
        marks = outside(self._folder)
        database, clock = database_of(self._settings.database), self._settings.clock
        async with open_store(database, FEATURES, clock.bytes) as store:
            async for recorded in store.tail(after=self._seen):
                self._seen = recorded.position
                if isinstance(recorded.event, ev.RunStarted):
                    self._inputs[recorded.stream] = recorded.event.input["n"]
                if isinstance(recorded.event, ev.StepSucceeded):
                    step = f"{self._inputs[recorded.stream]} {recorded.event.path}"
                    self.runs.setdefault(step, marks[step])


async def judge(settings: Settings, started: dict[str, int], finished: set[str]) -> None:
    """Every start that was acknowledged has ended well, and the chain is whole."""
    async with open_engine(replace(settings, work=False)) as engine:
        for run_id in started.keys() | finished:
            assert (await engine.run(run_id)).status == "completed"
        assert not (await engine.verify()).problems

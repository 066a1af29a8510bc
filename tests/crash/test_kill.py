"""Killed at any moment: nothing that was promised is lost, nothing that was done is repeated.

A process that works on runs is killed with SIGKILL again and again; what its steps did is
counted outside the database. A step that was under way at a kill may run once more, for it only
reads; one whose result was durable by then may not, in any later life.
"""

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import Settings, open_engine
from engine.core import events as ev
from tests.crash import child

CYCLES = int(os.environ.get("HANDRAIL_KILL_CYCLES", "50"))


def life(folder: Path, lines: int) -> Iterator[list[str]]:
    """What a child says until it has said `lines` lines and is killed, and then what was left."""
    command = [sys.executable, "-m", "tests.crash.child", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines):
            line = process.stdout.readline()
            assert line, "the child ended by itself"
            yield line.split()
        process.kill()
        yield from (line.split() for line in process.stdout if line.endswith("\n"))


@pytest.mark.requirement("resume-after-crash", "memoised-steps")
@pytest.mark.timeout(300)
def test_killed_again_and_again_it_loses_no_start_and_repeats_no_finished_step(
    tmp_path: Path,
) -> None:
    dice = random.Random(7)
    settings = child.settings(tmp_path)
    started, finished, done = dict[str, int](), set[str](), dict[str, int]()
    for _ in range(CYCLES):
        for word, *rest in life(tmp_path, dice.randint(1, 120)):
            if word == "S":
                started[rest[0]] = int(rest[1])
            elif word == "F":
                finished.add(rest[0])
        done = asyncio.run(count_durable(settings, tmp_path, done))
    command = [sys.executable, "-m", "tests.crash.child", str(tmp_path), "drain"]
    assert subprocess.run(command, check=False, timeout=120).returncode == 0
    assert len(started) > CYCLES, "the children did too little to prove anything"
    asyncio.run(judge(settings, started, finished))
    marks = outside(tmp_path)
    repeated = [step for step, count in done.items() if marks[step] != count]
    assert not repeated, "a step whose result was durable ran again"
    assert all(marks[f"{n} {step}"] for n in started.values() for step in "abcde")


def outside(folder: Path) -> Counter[str]:
    """How often each step really ran."""
    return Counter((folder / "effects").read_text(encoding="utf-8").splitlines())


async def count_durable(settings: Settings, folder: Path, known: dict[str, int]) -> dict[str, int]:
    """The steps whose result is durable now, with how often they had run when that was seen."""
    marks, inputs = outside(folder), dict[int, int]()
    async with open_engine(replace(settings, work=False)) as engine:
        async for recorded in engine.store.tail():
            if isinstance(recorded.event, ev.RunStarted):
                inputs[recorded.stream] = recorded.event.input["n"]
            if isinstance(recorded.event, ev.StepSucceeded):
                step = f"{inputs[recorded.stream]} {recorded.event.path}"
                known.setdefault(step, marks[step])
    return known


async def judge(settings: Settings, started: dict[str, int], finished: set[str]) -> None:
    """Every start that was acknowledged has ended well, and the chain is whole."""
    async with open_engine(replace(settings, work=False)) as engine:
        for run_id in started.keys() | finished:
            assert (await engine.run(run_id)).status == "completed"
        assert not (await engine.verify()).problems

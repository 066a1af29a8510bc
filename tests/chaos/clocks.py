"""Clocks that jump by days, forwards and backwards, under processes that work."""

import os
import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from engine import open_engine
from tests.chaos.crew import Crew, crew, judge
from tests.chaos.ledger import require
from tests.chaos.member import settings
from tests.chaos.processes import pause

DAY = 86_400_000_000
"""Microseconds."""


async def jumps(
    folder: Path, dice: random.Random, seconds: float, database: str = ""
) -> Counter[str]:
    """The clock of three processes jumps again and again; at last it is far ahead.

    Half of the runs sleep, so some wait for a time that comes late, or twice. Nobody is taken for
    dead because of a jump.
    """
    figures, end = Counter[str](), time.monotonic() + seconds
    with crew(folder, database, beat=0.2, lease=3.0) as ours:
        _set(folder, 0)
        ours.join(2)
        ours.options = replace(ours.options, workflow="naps")
        ours.join()
        before = await _roll(ours)
        while time.monotonic() < end or not figures["jumps backwards"]:
            pause(dice.uniform(0.1, 0.5))
            jump = dice.choice((-9, -2, -1, 1, 2, 9)) * DAY + dice.randrange(DAY)
            _set(folder, jump)
            figures["jumps backwards" if jump < 0 else "jumps forwards"] += 1
        _set(folder, 30 * DAY)
        for member in ours.members:
            member.more(3)
        require(await _roll(ours) == before, "somebody was taken for dead")
        for member in ours.members:
            member.finish()
        return figures + await judge(ours)


def _set(folder: Path, shift: int) -> None:
    """Shift the clock in one write, so that nobody reads half of it."""
    file = os.open(folder / "clock", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(file, f"{shift:+030}".encode())
    os.close(file)


async def _roll(ours: Crew) -> set[int]:
    """The numbers of the workers."""
    async with open_engine(settings(ours.options, work=False)) as engine:
        return {row["id"] for row in await engine.store.fetch("worker_list")}

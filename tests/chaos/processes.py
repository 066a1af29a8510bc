"""Processes that are killed, stopped and continued while they share a database.

Each function plays one fault for as long as it is told and returns figures; it raises Broken when
something that was promised does not hold. They work on either database.
"""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from engine import Engine, StoreError, open_engine
from engine.store import try_lock
from tests.chaos.crew import LONG, Crew, Member, crew, judge
from tests.chaos.ledger import Broken, require
from tests.chaos.member import settings

Figures = Counter[str]


def pause(seconds: float) -> None:
    """Let the processes work for a moment: what happens to them shall not come in step."""
    threading.Event().wait(seconds)


async def killed(folder: Path, dice: random.Random, seconds: float, database: str = "") -> Figures:
    """Two at a time; one after the other is killed: at work, while it opens, while it drains."""
    figures, end = Figures(), time.monotonic() + seconds
    with crew(folder, database) as ours:
        _kill(ours, dice, "opening")  # there is no database yet
        figures["killed making the database"] += 1
        ours.join(2)
        while time.monotonic() < end:
            how = dice.choice(("at work", "at work", "opening", "draining"))
            figures[f"killed {how}"] += 1
            _kill(ours, dice, how)
        for member in _alive(ours):
            member.finish()
        return figures + await judge(ours)


def _kill(ours: Crew, dice: random.Random, how: str) -> None:
    if how == "opening":
        fresh = Member(ours.options)
        ours.members.append(fresh)
        pause(dice.uniform(0.0, 0.6))
        fresh.kill()
        return
    victim = dice.choice(_alive(ours))
    victim.more(dice.randint(1, 20))
    if how == "draining":
        assert victim.process.stdin is not None
        victim.process.stdin.close()
    pause(dice.uniform(0.0, 0.03))
    victim.kill()
    ours.join()


def _alive(ours: Crew) -> list[Member]:
    return [member for member in ours.members if member.process.poll() is None]


MANY = 50
"""Stops without a single run under way: then something else is wrong."""


async def stopped(folder: Path, dice: random.Random, seconds: float, database: str = "") -> Figures:
    """One is stopped past its lease: another takes its runs over; then it goes on."""
    figures, end = Figures(), time.monotonic() + seconds
    with crew(folder, database, slow=0.05) as ours:
        first, second = ours.join(2)
        while time.monotonic() < end or not figures["taken over"]:
            require(figures["stops past the lease"] < MANY, "nothing was ever under way")
            first.more(dice.randint(1, 10))
            first.stop()
            if not database and holds_turn(ours):
                first.go_on()  # another fault: see `stopped_in_its_turn`
                continue
            figures["taken over"] += await _taken_over(ours, first)
            figures["stops past the lease"] += 1
            first.go_on()
            first.more(5)
            second.more(5)
        first.finish()
        second.finish()
        return figures + await judge(ours)


async def _taken_over(ours: Crew, silent: Member) -> int:
    """How many runs of a member that is stopped were ended by others."""
    under_way = silent.started.keys() - silent.ended.keys()
    end = time.monotonic() + LONG
    async with _insisting(ours, end) as engine:
        for run in sorted(under_way):
            while not (view := await engine.wait(run, 0.2)).ended_at:
                require(time.monotonic() < end, f"{run} was not taken over: {view.status}")
            require(view.status == "completed", f"{run} has ended as {view.status}")
    return len(under_way)


@asynccontextmanager
async def _insisting(ours: Crew, end: float) -> AsyncGenerator[Engine]:
    """An engine that does not work. PostgreSQL ends a transaction that says nothing for ten
    seconds, so one that was stopped in its turn keeps others out for so long.
    """
    async with AsyncExitStack() as stack:
        made: Engine | None = None
        while made is None:
            try:
                opening = open_engine(settings(ours.options, work=False))
                made = await stack.enter_async_context(opening)
            except StoreError as error:
                require(error.code == "database_locked", f"it is {error.code}")
                require(time.monotonic() < end, "it is held for good")
        yield made


def holds_turn(ours: Crew) -> bool:
    """Whether somebody is in the middle of writing to the file."""
    lock = try_lock(f"{ours.options.database}.lock")
    if lock is not None:
        lock.release()
    return lock is None


async def stopped_in_its_turn(folder: Path, dice: random.Random, seconds: float) -> Figures:
    """One is stopped in the middle of writing: others are told so, and go on afterwards."""
    figures, end = Figures(), time.monotonic() + seconds
    with crew(folder) as ours:
        first, second = ours.join(2)
        async with open_engine(settings(ours.options, work=False)) as engine:
            while time.monotonic() < end or not figures["stops in its turn"]:
                _stop_in_its_turn(ours, first, dice)
                figures[await _refused(engine)] += 1
                first.go_on()
                first.more(3)
                second.more(3)
                figures["stops in its turn"] += 1
        first.finish()
        second.finish()
        require(ours.errors.keys() <= {"database_locked"}, f"errors: {ours.errors}")
        return figures + await judge(ours)


async def _refused(engine: Engine) -> str:
    """The code with which a start is refused."""
    try:
        async with asyncio.timeout(LONG):
            await engine.start("marks", {"n": "refused"}, key="refused")
    except StoreError as error:
        require(error.code == "database_locked", f"it is {error.code}")
        return error.code
    raise Broken("a start was acknowledged while another process was writing")


def _stop_in_its_turn(ours: Crew, member: Member, dice: random.Random) -> None:
    """The other one is stopped meanwhile, outside its turn, so that it is this one that has it."""
    other = next(each for each in _alive(ours) if each is not member)
    end = time.monotonic() + LONG
    while not _stopped(ours, other, dice, within=False):
        require(time.monotonic() < end, "it is always in the middle of writing")
    while not _stopped(ours, member, dice, within=True):
        require(time.monotonic() < end, "it is never in the middle of writing")
    other.go_on()


def _stopped(ours: Crew, member: Member, dice: random.Random, *, within: bool) -> bool:
    """Stop one; whether it is stopped in the middle of writing, or outside, as wanted."""
    pause(dice.uniform(0.0, 0.01))
    member.stop()
    pause(0.01)  # a thread that runs on another core hears of it a little later
    # It does not matter that others write: their turns are short, and one look of many is enough.
    if within == all(holds_turn(ours) for _ in range(1 if within else 200)):
        return True
    member.go_on()
    return False


async def neighbours(folder: Path, dice: random.Random, seconds: float) -> Figures:
    """Four on one file; one of them is stopped again and again, and killed at last."""
    figures, end = Figures(), time.monotonic() + seconds
    with crew(folder, lease=30.0) as ours:
        victim, *others = ours.join(4)
        while time.monotonic() < end - 1 or not figures["stops"]:
            victim.more()
            pause(dice.uniform(0.0, 0.2))
            victim.stop()
            figures["stops"] += 1
            pause(min(dice.uniform(0.2, 1.0), end - time.monotonic()))
            victim.go_on()
        victim.stop()
        pause(max(0.0, end - time.monotonic()))
        victim.kill()
        for member in others:
            member.finish()
        shares = [len(member.started) for member in others]
        figures["least share in per cent"] = round(100 * min(shares) / (sum(shares) / len(shares)))
        require(2 * min(shares) * len(shares) >= sum(shares), f"one was starved: {shares}")
        return figures + await judge(ours)

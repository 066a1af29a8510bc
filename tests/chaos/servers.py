"""A PostgreSQL server that goes down and comes back, and a line to it that breaks at a commit."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from engine.core.log import Append, Appended
from engine.store import StoreError
from tests.chaos.crew import crew, judge
from tests.chaos.ledger import Asked, Ledger, require
from tests.chaos.processes import pause
from tests.chaos.proxy import proxy
from tests.postgres import Server, server
from tests.store.journals import Postgres, done, first, put_due, started

_numbers = itertools.count(1)

DURABLE = {"fsync": "on", "full_page_writes": "on"}


@contextmanager
def durable() -> Generator[Server]:
    """A server that syncs, as one in earnest does."""
    with server(**DURABLE) as made:
        yield made


async def restarts(
    folder: Path, dice: random.Random, seconds: float, server: Server
) -> Counter[str]:
    """The server is stopped, crashed or killed under load, and started again."""
    figures, end = Counter[str](), time.monotonic() + seconds
    with crew(folder, server.create(), lease=5.0) as ours:
        members = ours.join(2)
        while time.monotonic() < end or not figures:
            for member in members:
                member.more(dice.randint(1, 10))
            how = dice.choice(("fast", "immediate", "kill"))
            figures[f"restarts ({how})"] += 1
            if how == "kill":
                server.kill()
            else:
                server.stop(how)
            pause(dice.choice((0.0, 0.1, dice.uniform(0.0, min(8.0, seconds)))))
            server.start()
        for member in members:
            member.more(5)
            member.finish()
        figures.update({f"told: {code}": count for code, count in ours.errors.items()})
        return figures + await judge(ours)


async def broken_lines(
    folder: Path, dice: random.Random, seconds: float, server: Server
) -> Counter[str]:
    """The line breaks round commits: what was answered agrees with what is in the database."""
    database = server.create()
    name, end = database.rpartition("/")[2], time.monotonic() + seconds
    with (
        proxy(server.port, dice) as line,
        crew(folder, server.url(name, line.port), lease=5.0) as ours,
    ):
        members = ours.join(2)
        line.odds = 0.05
        while time.monotonic() < end or line.cuts.total() < 5:
            for member in members:
                member.more(dice.randint(1, 5))
        line.odds = 0.0
        for member in members:
            member.more(2)
            member.finish()
        figures = Counter({f"line cut {how}": count for how, count in line.cuts.items()})
        figures.update({f"told: {code}": count for code, count in ours.errors.items()})
        return figures + await judge(ours, database)


async def lost_answers(
    folder: Path, dice: random.Random, seconds: float, server: Server
) -> Counter[str]:
    """The same to a store alone, without keys: each append is there if it was said to be."""
    database, ledger = server.create(), Ledger()
    name, end = database.rpartition("/")[2], time.monotonic() + seconds
    with proxy(server.port, dice) as line:
        async with Postgres(server.url(name, line.port)).open() as store:
            line.odds = 0.2
            while time.monotonic() < end or line.cuts.total() < 20:
                some = [ledger.note(request()) for _ in range(dice.randint(1, 4))]
                asked = [store.append_soon(one.request) for one in some]
                answers = await asyncio.gather(*asked, return_exceptions=True)
                for one, answer in zip(some, answers, strict=True):
                    note(one, answer)
    with psycopg.connect(database) as db:
        ledger.compare(db)
    require(not ledger.lost, f"{ledger.lost} acknowledged appends are lost")
    figures = Counter({f"line cut {how}": count for how, count in line.cuts.items()})
    answered = sum(one.answered for one in ledger.asked)
    return figures + Counter(acknowledged=answered, refused=len(ledger.asked) - answered)


def request() -> Append:
    """A new stream with two events and a lease."""
    return first(started(), done(f"s{next(_numbers)}"), also=(put_due(),))


def note(one: Asked, answer: Appended | BaseException) -> None:
    """Remember how an append was answered."""
    if isinstance(answer, StoreError) and answer.code == "database_unanswered":
        return
    if isinstance(answer, StoreError):
        require(answer.code == "database_unreachable", f"it is {answer.code}")
        one.refused = True
    elif isinstance(answer, BaseException):
        raise answer
    else:
        one.answered, one.stream = True, answer.streams[-1]

"""Bugs put in on purpose. Each is one that a hurried change could make, and a few seeds find it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from engine.core.log import Append, Write
from engine.core.run import Run, fold
from engine.shell import worker as workers
from engine.shell.claims import Claims
from engine.shell.drive import Drive
from engine.shell.roll import Roll
from engine.shell.worker import Worker
from engine.store.batch import Batch
from engine.store.dialect import SQLITE, Dialect, Statement, statements
from tests.sim import driver as drivers
from tests.sim.story import story
from tests.sim.world import World

SEEDS = 150
"""Within so many a planted bug has to be found."""

BEGIN = {
    "a claim takes what others hold": 1,  # 0 tells as well, after half a minute of taking in turns
    "a limit is not counted": 30,
    "a buried worker takes runs up at once": 15,
}
"""Where the search begins when it is not at 0: a little before a seed that has found the bug."""

Plant = tuple[Any, str, Any]


def sql(**changed: tuple[str, str]) -> Plant:
    """Some statements, in which one piece of text stands for another."""

    def planted(dialect: Dialect) -> Mapping[str, Statement]:
        found = dict(statements(SQLITE))
        for name, (before, after) in changed.items():
            assert before in found[name].text, name
            found[name] = replace(found[name], text=found[name].text.replace(before, after))
        return found

    return drivers, "statements", planted


def unfenced() -> Iterator[Plant]:
    append = Batch.append

    def planted(self: Batch, request: Append) -> Any:
        entries = tuple(
            e._replace(expected=self._version(request, e.stream)) if e.stream > 0 else e
            for e in request.entries
        )
        return append(self, request._replace(entries=entries))

    yield Batch, "append", planted


def twice() -> Iterator[Plant]:
    note = Drive._note

    def planted(self: Drive, report: Any, call: Any) -> None:
        note(self, report, call)
        self.pen.note(self.pen._events[-1:])

    yield Drive, "_note", planted


def asleep() -> Iterator[Plant]:
    """Nobody looks when something will be due, and the beat does not say it either."""
    beat = Roll.beat

    async def nothing(self: Claims) -> None:
        return None

    async def planted(self: Roll) -> Any:
        found = await beat(self)
        return found and replace(found, next_at=None, freed=False)

    yield Claims, "next", nothing
    yield Roll, "beat", planted


def far() -> Iterator[Plant]:
    due = Drive._due

    def planted(self: Drive, at: int) -> Write:
        return due(self, at + 10**12)

    yield Drive, "_due", planted


def clinging() -> Iterator[Plant]:

    async def planted(self: Worker) -> None:
        self._unfreed.clear()

    yield Worker, "_free", planted


def bury_the_living() -> Iterator[Plant]:
    yield Roll, "_void", lambda self, others: set(others)


def greedy() -> Iterator[Plant]:
    yield sql(
        due_claim=("where owner = 0 and lane", "where lane"),
        due_claim_within=("where owner = 0 and lane", "where lane"),
    )


def boundless() -> Iterator[Plant]:
    yield sql(due_claim_within=("where owner > 0 and lane", "where owner < 0 and lane"))


def hasty() -> Iterator[Plant]:
    """A run that is taken over has forgotten when its steps may be tried again."""

    def planted(events: Any) -> Run:
        run = fold(events)
        for step in run.steps.values():
            step.again_at = 0
        return run

    yield workers, "fold", planted


def keyless() -> Iterator[Plant]:
    yield Batch, "_check_unless", lambda self, unless: None
    yield sql(start_key_insert=("?)", "?) on conflict do nothing"))


def forgetful() -> Iterator[Plant]:
    """A worker that was buried goes on under its old number."""

    async def planted(self: Worker) -> None:
        return None

    yield Worker, "_come_back", planted


def unasked() -> Iterator[Plant]:
    """A worker that was buried takes runs up before it is on the roll again."""
    adopt = Worker.adopt

    def planted(self: Worker, held: Any, planner: Any, owner: int) -> None:
        away, self._away = self._away, False
        adopt(self, held, planner, self.id)
        self._away = away

    def room(self: Worker) -> int:
        return 0 if self.draining else max(0, self.roll.capacity - self.held)

    yield Worker, "adopt", planted
    yield Worker, "room", property(room)


PLANTS: Mapping[str, Callable[[], Iterator[Plant]]] = {
    "the expected version is not checked": unfenced,
    "a result is recorded twice": twice,
    "nobody looks when something is due": asleep,
    "what rests is due in ten days": far,
    "a lease that was let go of is not freed": clinging,
    "the living are buried": bury_the_living,
    "a claim takes what others hold": greedy,
    "a limit is not counted": boundless,
    "a backoff is lost when a run is taken over": hasty,
    "a key is not looked for in the transaction": keyless,
    "a buried worker takes runs up at once": unasked,
    "a buried worker goes on under its old number": forgetful,
}


@contextmanager
def planted(bug: str) -> Iterator[None]:
    """The bug is in, for as long as a block lasts."""
    with ExitStack() as stack:
        for place, name, instead in PLANTS[bug]():
            stack.enter_context(mock.patch.object(place, name, instead))
        yield


@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_is_found(bug: str) -> None:
    seeds = range(BEGIN.get(bug, 0), SEEDS)
    with planted(bug):
        found = next((seed for seed in seeds if World(seed).play(story).wrong), None)
    assert found is not None, f"{SEEDS} seeds do not notice that {bug}"

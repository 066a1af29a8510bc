"""The simulated driver is a driver: it passes what every store must.

Not asked of it: closing while others wait (its processes die instead), and what tampers with a
file, since it has none.
"""

import random
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager
from contextvars import copy_context
from itertools import count
from typing import Any

import pytest

from engine.store import Store
from tests.sim.database import Database
from tests.sim.driver import SimStore, open_sim
from tests.sim.faults import Faults
from tests.store import test_conformance as every
from tests.store.journals import FEATURES, chances

LEFT_OUT = frozenset(
    {
        "test_others_are_not_kept_waiting_by_a_request_that_failed",
        "test_closing_finishes_what_was_asked_for_and_takes_nothing_more",
        "test_closing_may_be_interrupted_and_is_finished_all_the_same",
    }
)


class Caller:
    """A process of no importance."""

    _numbers = count()

    def __init__(self) -> None:
        self.name = f"caller {next(self._numbers)}"
        self.context = copy_context()


class Simulated:
    """The driver, as the conformance suite wants it."""

    def __init__(self) -> None:
        self.database = Database()
        self._salts = chances()

    @asynccontextmanager
    async def open(self, **more: Any) -> AsyncGenerator[SimStore]:
        """Open it, as a process would."""
        features = more.pop("features", FEATURES)
        faults = Faults(random.Random(7), slow=0.0)
        async with open_sim(self.database, Caller(), features, self._salts, faults) as store:
            yield store

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of a table."""
        return sorted(self.database.db.execute(f"select * from {table}").fetchall(), key=repr)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every table that features fill."""
        return {table: self.rows(table) for feature in FEATURES for table in feature.tables}

    def busy(self) -> AbstractContextManager[None]:
        """Nobody gets a turn meanwhile."""
        return self.database.busy()


@pytest.fixture
def driver() -> Simulated:
    return Simulated()


@pytest.fixture
async def store(driver: Simulated) -> AsyncGenerator[Store]:
    async with driver.open() as store:
        yield store


for name, test in vars(every).items():
    if name.startswith("test_") and name not in LEFT_OUT:
        globals()[name] = test

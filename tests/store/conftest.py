"""One fixture that is the definition of a driver: whatever it gives must pass every test."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from engine.store import Store
from tests.store.journals import Sqlite


@pytest.fixture(params=["sqlite"])
def driver(tmp_path: Path) -> Sqlite:
    return Sqlite(tmp_path / "h.db")


@pytest.fixture
async def store(driver: Sqlite) -> AsyncGenerator[Store]:
    async with driver.open() as store:
        yield store

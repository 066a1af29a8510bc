"""One fixture that is the definition of a driver: whatever it gives must pass every test.

Modules about one database alone have a `driver` of their own.
"""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from engine.store import Store
from tests.postgres import Server
from tests.store.journals import Driver, Postgres, Sqlite


@pytest.fixture(params=["sqlite", "postgres"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Driver]:
    if request.param == "sqlite":
        yield Sqlite(tmp_path / "h.db")
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create()
    yield Postgres(url)
    server.drop(url)


@pytest.fixture
async def store(driver: Driver) -> AsyncGenerator[Store]:
    async with driver.open() as store:
        yield store

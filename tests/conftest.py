"""What every test may rely on.

Async tests run on asyncio through anyio's plugin (`anyio_mode = auto`, no marker needed).
A warning is an error, a test that takes more than a minute is stopped, and every wait inside
a test is bounded by that test.
"""

from collections.abc import Generator

import pytest

from tests.postgres import Server, server


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Generator[Server]:
    """One PostgreSQL server for all who ask; each test makes a database of its own on it."""
    with server() as running:
        yield running

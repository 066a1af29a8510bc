"""Fixtures of the page's tests."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.console import room as rooms


@pytest.fixture
async def room(tmp_path: Path) -> AsyncGenerator[rooms.Room]:
    """An engine that carries nothing out, an approver, and the page."""
    async with rooms.room(tmp_path) as found:
        yield found


@pytest.fixture
async def working(tmp_path: Path) -> AsyncGenerator[rooms.Room]:
    """The same with a worker."""
    async with rooms.room(tmp_path, work=True) as found:
        yield found

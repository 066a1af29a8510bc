"""Fixtures of the attacks."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.attacks.world import World, attacked


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    """A world in which a person has a PIN and has accepted the usual workflows."""
    async with attacked(tmp_path) as made:
        yield made


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncGenerator[World]:
    """A world in which a person has a PIN and has accepted nothing."""
    async with attacked(tmp_path, accept=False) as made:
        yield made

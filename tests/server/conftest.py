"""Fixtures of the server's tests."""

from pathlib import Path

import pytest

from tests.server import world as worlds


@pytest.fixture
def world(tmp_path: Path) -> worlds.World:
    return worlds.world(tmp_path)

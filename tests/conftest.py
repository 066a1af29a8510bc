"""What every test may rely on.

Async tests run on asyncio through anyio's plugin (`anyio_mode = auto`, no marker needed).
A warning is an error, a test that takes more than a minute is stopped, and every wait inside
a test is bounded by that test.
"""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.postgres import Server, server

# Servers that live for a minute sign their journals: not beside the data of whoever runs the tests.
_AUDIT = Path(tempfile.gettempdir()) / f"handrail-audit-{os.getpid()}"
for variable in ("ANTHROPIC_API_KEY", "HANDRAIL_ANTHROPIC_KEY"):
    os.environ.pop(variable, None)  # no test asks a language model on somebody's account
os.environ.setdefault("HANDRAIL_CHECKPOINTS", str(_AUDIT / "checkpoints.txt"))
os.environ.setdefault("HANDRAIL_CHECKPOINT_KEY", str(_AUDIT / "key"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Generator[Server]:
    """One PostgreSQL server for all who ask; each test makes a database of its own on it."""
    with server() as running:
        yield running

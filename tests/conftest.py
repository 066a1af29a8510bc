"""What every test may rely on.

Async tests run on asyncio through anyio's plugin (`anyio_mode = auto`, no marker needed).
A warning is an error, a test that takes more than a minute is stopped, and every wait inside
a test is bounded by that test.

The folders of the everyday tests lie in memory where there is room: no test of theirs cuts the
power of the machine (`chaos/power.py` has a disk of its own for that), a process that is killed
leaves the same bytes in either place, and waiting for a disk took a tenth of the run. What is
measured, and the slow suite, keep the disk, as does whoever names a folder in TMPDIR.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgres import Server, server

MEMORY = Path("/dev/shm")
ENOUGH = 4 * 2**30
"""Bytes that have to be free in memory; a run leaves about 400 MB behind at its worst."""

EVERYDAY = "not slow and not bench"

# Servers that live for a minute sign their journals: not beside the data of whoever runs the tests.
_AUDIT = Path(tempfile.gettempdir()) / f"handrail-audit-{os.getpid()}"
for variable in ("ANTHROPIC_API_KEY", "HANDRAIL_ANTHROPIC_KEY"):
    os.environ.pop(variable, None)  # no test asks a language model on somebody's account
os.environ.setdefault("HANDRAIL_CHECKPOINTS", str(_AUDIT / "checkpoints.txt"))
os.environ.setdefault("HANDRAIL_CHECKPOINT_KEY", str(_AUDIT / "key"))


def _roomy(folder: Path) -> bool:
    """Whether programs may be made and run in a folder, and much fits into it."""
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return False
    locked = os.statvfs(folder).f_flag & os.ST_NOEXEC
    return not locked and shutil.disk_usage(folder).free >= ENOUGH


def pytest_configure(config: pytest.Config) -> None:
    if "TMPDIR" not in os.environ and config.option.markexpr == EVERYDAY and _roomy(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):  # then nothing beside the code, but somewhere
        bytecode = tempfile.mkdtemp(prefix="handrail-bytecode-")
        os.environ["PYTHONPYCACHEPREFIX"] = bytecode  # hundreds of processes compile all of us else
        config.add_cleanup(lambda: shutil.rmtree(bytecode, ignore_errors=True))
    gc.disable()  # reading all tests leaves no garbage, and looking for it takes a third as long


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


settings.register_profile("handrail", deadline=None)  # nothing is judged by the clock on the wall
settings.load_profile("handrail")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Generator[Server]:
    """One PostgreSQL server for all who ask; each test makes a database of its own on it."""
    with server() as running:
        yield running

"""The process that reads a large catalogue for the first time, and the one that waits for it."""

import asyncio
import logging
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from engine import Settings, open_engine
from engine.shell.folders import LARGE
from mcp_server.first_reading import CUT_SHORT, ended, read_apart
from tests.shell.documents import flow, task, write

BOUND = 30
"""Seconds after which something that should end is taken to hang."""

WAITS = "import signal; from mcp_server import first_reading as r; r.go_along(); signal.pause()"


def settings_over(tmp_path: Path, database: str = "") -> Settings:
    """A catalogue that is large because much is said about it."""
    same = task("same", type="transform", transform={"query": "{{ input }}"})
    folder = write(tmp_path / "documents", same, flow("w", [{"id": "a", "taskRef": "same"}]))
    for number in range(4):
        (folder / f"said-{number}.yaml").write_text("# so\n" * (LARGE // 20), encoding="utf-8")
    return Settings(database or str(tmp_path / "h.db"), (folder,), work=False)


def made(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def process() -> Generator[subprocess.Popen[bytes]]:
    """One that never comes to an end by itself."""
    words = [sys.executable, "-c", WAITS]
    with subprocess.Popen(words, bufsize=0, stdin=subprocess.PIPE) as begun:
        yield begun
        begun.kill()


async def test_another_process_reads_and_publishes(tmp_path: Path) -> None:
    settings = settings_over(tmp_path)
    await read_apart(settings)
    assert "h.db" in made(tmp_path)
    async with open_engine(settings) as engine:
        assert [info.name for info in engine.workflows()] == ["w"]
        assert engine.store.head() == 0  # of what this process has written


async def test_what_goes_wrong_there_is_told_and_nothing_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await read_apart(settings_over(tmp_path, "nonsense://here"))
    assert [record.getMessage() for record in caplog.records] == [
        "a process that was to read the documents ended early: 1"
    ]
    assert made(tmp_path) == {"documents"}


async def test_it_goes_along_with_who_is_cancelled(process: subprocess.Popen[bytes]) -> None:
    waiting = asyncio.create_task(ended(process, b""))
    await asyncio.sleep(0)  # it waits in a thread
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert process.wait(BOUND) == -signal.SIGKILL


def test_it_goes_along_with_a_process_that_was_killed(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()  # as the system does for whoever is gone
    assert process.wait(BOUND) == CUT_SHORT

"""Several processes on one file: one journal, one chain, nothing lost, nothing twice."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.store.journals import Sqlite, first, journal, started


@pytest.fixture
def driver(tmp_path: Path) -> Sqlite:
    return Sqlite(tmp_path / "h.db")


PROCESSES, ROUNDS = 2, 25


def side_by_side(driver: Sqlite, shared: list[int]) -> list[list[str]]:
    """What some processes said that appended at the same time."""
    command = [sys.executable, "-m", "tests.store.appender", str(driver.path), str(ROUNDS)]
    command += [str(stream) for stream in shared]
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
            for _ in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=40)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return [line.split() for text in said for line in text.splitlines()]


async def test_processes_that_append_at_the_same_time_share_one_journal(driver: Sqlite) -> None:
    async with driver.open() as store:
        shared = [(await store.append(first(started(f"s{n}")))).streams[0] for n in range(2)]
        lines = side_by_side(driver, shared)
        found = await journal(store)
        assert (await store.verify()).intact == len(found)
        live = driver.tables()
        await store.rebuild()
        assert driver.tables() == live
    assert [entry.position for entry in found] == list(range(1, len(found) + 1))
    own = [int(stream) for word, stream, *_ in lines if word == "OWN"]
    assert len(set(own)) == len(own) == PROCESSES * 4 * ROUNDS
    streams = {entry.stream: entry.version for entry in found}
    assert {streams[stream] for stream in own} == {2}
    places = {
        (entry.stream, entry.version): entry.event.path
        for entry in found
        if entry.stream in shared and entry.version > 1
    }
    told = {(int(line[1]), int(line[2])): line[3] for line in lines if line[0] == "SHARED"}
    assert places == told
    assert len(told) == len(own)
    assert len(found) == 2 + 2 * len(own) + len(told)

"""The turn of a database: whoever has waited for a while is next, and nobody waits for the dead."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from engine.store import StoreError
from engine.store.lock import Turn

LONG = 20.0
"""Seconds; bounds waits that take milliseconds."""


@contextmanager
def turn(tmp_path: Path, patience: float = LONG) -> Generator[Turn]:
    with closing(Turn(tmp_path / "h.db.lock", patience)) as made:
        yield made


@contextmanager
def queueing(tmp_path: Path) -> Generator[subprocess.Popen[bytes]]:
    """A process that waits for the turn and then holds it until its input ends."""
    command = [sys.executable, "-m", "tests.store.holder", str(tmp_path / "h.db"), "queue"]
    with subprocess.Popen(command, stdin=-1, stdout=-1) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def until_wanted(held: Turn) -> None:
    """Return when somebody says that it comes next."""
    end = time.monotonic() + LONG
    while not held.wanted:
        assert time.monotonic() < end
        threading.Event().wait(0.001)


def test_who_has_waited_for_a_while_comes_before_who_had_it_last(tmp_path: Path) -> None:
    had = threading.Event()

    def wait() -> None:
        with turn(tmp_path) as other, other.held():
            had.set()

    with turn(tmp_path) as mine:
        with mine.held():
            thread = threading.Thread(target=wait)
            thread.start()
            until_wanted(mine)
        with mine.held():
            assert had.is_set()
        thread.join(LONG)


def test_a_turn_that_does_not_come_is_refused_and_given_up(tmp_path: Path) -> None:
    with turn(tmp_path) as mine, turn(tmp_path, 0.1) as other:
        with mine.held():
            with pytest.raises(StoreError) as refused, other.held():
                pytest.fail("two hold it")
            assert not mine.wanted, "it waits no more"
        with other.held():
            pass
    assert refused.value.code == "database_locked"


@pytest.mark.skipif(os.name == "nt", reason="Windows stops no process")
def test_a_process_that_was_stopped_while_it_waits_is_passed_over(tmp_path: Path) -> None:
    with turn(tmp_path) as mine, ExitStack() as stack:
        with mine.held():
            process = stack.enter_context(queueing(tmp_path))
            until_wanted(mine)
            process.send_signal(signal.SIGSTOP)
        for _ in range(100):
            with mine.held():
                pass
        process.send_signal(signal.SIGCONT)
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"


def test_a_process_that_dies_while_it_waits_is_passed_over(tmp_path: Path) -> None:
    with turn(tmp_path) as mine:
        with mine.held(), queueing(tmp_path) as process:
            until_wanted(mine)
            process.kill()
        for _ in range(100):
            with mine.held():
                pass


def test_what_was_left_in_the_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    for left in (b"", b"x", bytes(16), b"\xff" * 16, b"\x7f" * 16):
        (tmp_path / "h.db.lock").write_bytes(left)
        with turn(tmp_path, 0.0) as mine, mine.held():
            pass

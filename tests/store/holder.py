"""A process that holds a database and says so, until its input ends.

Usage: python -m tests.store.holder PATH transaction|turn|queue
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from engine.store import try_lock
from engine.store.lock import Turn


def transaction(path: str) -> None:
    """Hold the right to write, as any SQLite program may."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("begin immediate")
        wait()


def turn(path: str) -> None:
    """Hold the turn, as another process of ours may."""
    lock = try_lock(f"{path}.lock")
    assert lock is not None
    wait()
    lock.release()


def queue(path: str) -> None:
    """Wait for the turn like a writer, then hold it."""
    waiting = Turn(Path(f"{path}.lock"), 30)
    with waiting.held():
        wait()
    waiting.close()


def wait() -> None:
    """Until whoever started this closes the pipe."""
    sys.stdout.write("held\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    {"transaction": transaction, "turn": turn, "queue": queue}[sys.argv[2]](sys.argv[1])

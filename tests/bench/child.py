"""A worker in a process of its own, for benches that kill it or wait for it. It imports no MCP.

Run as `python -m tests.bench.child ROLE DATABASE FOLDER`; it prints a line with the time of the
machine's monotonic clock for each thing that its role looks at. A `victim` starts runs that get
through their first step and then wait for somebody to kill it, a `worker` carries out what there
is and says when a step was entered, a `heir` does the same and says when all runs have ended.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from engine import Effect, Engine, PythonTask, open_engine
from engine.shell.roll import Pace
from tests.bench.workload import settings

PACE = Pace()
"""That of any worker; a take-over is judged beyond its lease."""


def say(word: str) -> None:
    """A line with the time."""
    sys.stdout.write(f"{word} {time.perf_counter()}\n")
    sys.stdout.flush()


WAITING: list[Any] = []
"""One for each run that waits in its second step: its first result is durable by then."""


PASSED: list[Any] = []
"""One for each run that has got through it."""


async def held(given: Any) -> Any:
    """A step that nobody ends."""
    WAITING.append(given)
    await asyncio.Event().wait()


async def entered(given: Any) -> Any:
    """A step that says when it begins."""
    say("entered")
    return {"ok": True}


async def passed(given: Any) -> Any:
    """The step that a run waited in."""
    PASSED.append(given)
    return {"ok": True}


async def victim(engine: Engine, runs: int) -> None:
    """Start runs; all of them wait in their second step when the line is said."""
    for _ in range(runs):
        await engine.start("gated", {})
    while len(WAITING) < runs:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    say("ready")
    await asyncio.Event().wait()


async def heir(engine: Engine, runs: int) -> None:
    """Wait until that many runs have ended. While they are under way the database is not asked:
    counting takes its time from those that are counted.
    """
    while len(PASSED) < runs or await completed(engine) < runs:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    say("done")


async def completed(engine: Engine) -> int:
    """How many of the runs have ended well."""
    rows = await engine.store.fetch(
        "run_counts", tenant="default", namespace="default", workflow="gated"
    )
    return sum(row["runs"] for row in rows if row["status"] == "completed")


async def main(role: str, database: str, folder: Path, runs: int) -> None:
    """Play a role until killed, or until its end."""
    gates = {"victim": held, "heir": passed}
    gate = PythonTask(gates.get(role, entered), Effect.READ)
    noop = {"noop": PythonTask(entered, Effect.READ)} if role == "worker" else {}
    many = {"concurrency": max(64, runs)} if role == "victim" else {}
    opened = settings(folder, database, functions={"gate": gate, **noop}, pace=PACE, **many)
    async with open_engine(opened) as engine:
        if role == "victim":
            await victim(engine, runs)
        elif role == "heir":
            await heir(engine, runs)
        else:
            say("working")
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))

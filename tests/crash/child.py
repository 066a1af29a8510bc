"""Processes that work on runs until they are killed. Every step leaves a line outside.

Usage: python -m tests.crash.child FOLDER DATABASE [alone | drain]. For each line of its input it
has one such process, which says who it is (`P pid`) and, once it is ready, `R`; starts are printed
once they are durable (`S id`), ends once they are seen (`F id`). When it is dead a last line `.`
follows, and what came after the last line break is not whole. A process is a fork of one that has
imported everything and opened nothing: to import takes longer than most of them live. Where there
is no fork, each is a new one (`alone`). With `drain` it starts nothing and ends when every run has
ended.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from engine import Effect, Engine, PythonTask, RunFilter, Settings, open_engine

STEPS = 5
ABREAST = 16

DOCUMENTS = """
apiVersion: test/v1
kind: WorkflowTask
metadata: {name: mark}
spec: {type: python, python: {function: mark}, description: Leaves a line outside.}
---
apiVersion: test/v1
kind: Workflow
metadata: {name: marks}
spec:
  description: Five steps that leave five lines.
  input:
    n: {type: integer, required: true, description: A number.}
  tasks:
    - {id: a, taskRef: mark, input: {n: "{{input.n}}", step: a}}
    - {id: b, taskRef: mark, input: {n: "{{input.n}}", step: b}, dependsOn: [a]}
    - {id: c, taskRef: mark, input: {n: "{{input.n}}", step: c}, dependsOn: [b]}
    - {id: d, taskRef: mark, input: {n: "{{input.n}}", step: d}, dependsOn: [c]}
    - {id: e, taskRef: mark, input: {n: "{{input.n}}", step: e}, dependsOn: [d]}
"""


def settings(folder: Path, database: str = "") -> Settings:
    """An engine whose steps append to `folder/effects`; its database is there too, or elsewhere."""
    outside = os.open(folder / "effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def mark(given: Any) -> Any:
        os.write(outside, f"{given['n']} {given['step']}\n".encode())
        return given["n"]

    documents = folder / "documents"
    documents.mkdir(exist_ok=True)
    (documents / "marks.yaml").write_text(DOCUMENTS, encoding="utf-8")
    functions = {"mark": PythonTask(mark, Effect.READ)}
    return Settings(database or str(folder / "h.db"), (documents,), functions=functions)


def say(line: str) -> None:
    """One whole line, at once."""
    os.write(1, f"{line}\n".encode())


async def keep_starting(engine: Engine, seed: int) -> None:
    """Start runs one after the other until the process dies."""
    number = seed * 1_000_000
    while True:
        number += 1
        run = await engine.start("marks", {"n": number})
        say(f"S {run.id} {number}")
        ended = await engine.wait(run.id, 30)
        say(f"F {ended.id} {ended.status}")


async def drain(engine: Engine) -> None:
    """Wait until every run has ended."""
    while True:
        open_runs = [
            row
            for status in ("pending", "active", "paused")
            for row in (await engine.runs(RunFilter(status=status), limit=50)).rows
        ]
        if not open_runs:
            return
        await engine.wait(open_runs[0].id, 30)


async def main() -> None:
    """Work until killed, or drain."""
    async with open_engine(settings(Path(sys.argv[1]), sys.argv[2])) as engine:
        say("R")
        if sys.argv[3:] == ["drain"]:
            await drain(engine)
            return
        seeds = int.from_bytes(os.urandom(4))
        async with asyncio.TaskGroup() as group:
            for number in range(ABREAST):
                group.create_task(keep_starting(engine, seeds * ABREAST + number))


def live() -> None:
    """One life."""
    say(f"P {os.getpid()}")
    asyncio.run(main())


def live_and_die() -> None:
    """One life in a process of its own; returns when that is dead."""
    if not hasattr(os, "fork"):
        subprocess.run([sys.executable, "-m", "tests.crash.child", *sys.argv[1:], "alone"])
    elif pid := os.fork():
        os.waitpid(pid, 0)
    else:
        live()
        os._exit(0)


if __name__ == "__main__":
    if sys.argv[3:]:
        live()
    else:
        for _ in iter(sys.stdin.readline, ""):
            live_and_die()
            say("\n.")

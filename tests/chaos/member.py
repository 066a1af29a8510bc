"""One of several processes that start runs and work on them, while things are done to it.

Usage: python -m tests.chaos.member OPTIONS   with the fields of `Options` as JSON

It says `R` when it is open and waits for a line. From then on it starts runs, each under a key of
its own, and says `S id number` once a start is durable, `F id status` once it has seen the end,
and `E code` when it was refused with a typed error; then it asks again, under the same key. When
its input ends it starts nothing more, ends what it has begun, and says `D`. What its steps do is
counted outside, in the file `effects`. Its clock is shifted by what is in the file `clock`.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engine import Effect, Engine, PythonTask, Refused, Settings, open_engine
from engine.core.views import RunView
from engine.shell.clock import WorldClock
from engine.shell.roll import Pace

STEPS = "abc"

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
  description: Three steps that leave three lines.
  input:
    n: {type: string, required: true, description: A number.}
  tasks:
    - {id: a, taskRef: mark, input: {n: "{{input.n}}", step: a}}
    - {id: b, taskRef: mark, input: {n: "{{input.n}}", step: b}, dependsOn: [a]}
    - {id: c, taskRef: mark, input: {n: "{{input.n}}", step: c}, dependsOn: [b]}
---
apiVersion: test/v1
kind: Workflow
metadata: {name: naps}
spec:
  description: A step, a sleep and a step.
  input:
    n: {type: string, required: true, description: A number.}
  tasks:
    - {id: a, taskRef: mark, input: {n: "{{input.n}}", step: a}}
    - {id: b, type: sleep, sleep: {duration: 300ms}, dependsOn: [a]}
    - {id: c, taskRef: mark, input: {n: "{{input.n}}", step: c}, dependsOn: [b]}
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What a member does: how many starters it has, and how quickly it counts others as gone."""

    folder: str
    database: str
    name: str = "m"
    workflow: str = "marks"
    abreast: int = 4
    beat: float = 0.2
    lease: float = 1.0
    slow: float = 0.0


class ShiftedClock(WorldClock):
    """The world's clock, shifted by as many microseconds as a file says."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_RDONLY | os.O_CREAT, 0o600)

    def now(self) -> int:
        """Microseconds since the epoch, or so it says."""
        return super().now() + int(os.pread(self._file, 30, 0) or 0)


def write_documents(documents: Path, name: str) -> None:
    """The workflows, there as a whole or not at all: members of one folder open side by side."""
    documents.mkdir(exist_ok=True)
    whole = documents.parent / f"{name}-{os.getpid()}.part"
    whole.write_text(DOCUMENTS, encoding="utf-8")
    whole.replace(documents / "marks.yaml")


def settings(options: Options, *, work: bool = True) -> Settings:
    """An engine over the folder; its step appends to the file `effects`."""
    folder = Path(options.folder)
    outside = os.open(folder / "effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def mark(given: Any) -> Any:
        os.write(outside, f"{given['n']} {given['step']}\n".encode())
        if options.slow:
            await asyncio.sleep(options.slow)
        return given["step"]

    documents = folder / "documents"
    write_documents(documents, options.name)
    return Settings(
        options.database,
        (documents,),
        functions={"mark": PythonTask(mark, Effect.READ)},
        work=work,
        name=options.name,
        pace=Pace(options.beat, options.lease, options.beat),
        clock=ShiftedClock(folder / "clock"),
    )


def say(line: str) -> None:
    """One whole line, at once."""
    os.write(1, f"{line}\n".encode())


async def insisting(act: Any) -> RunView:
    """What an act returns, however often it is refused before; every refusal has its type."""
    while True:
        try:
            view: RunView = await act()
        except Refused as refused:
            say(f"E {refused.code}")
            await asyncio.sleep(0.02)
        else:
            return view


async def keep_starting(engine: Engine, options: Options, place: str, over: asyncio.Event) -> None:
    """Start runs one after the other, and see each of them end."""
    turn = 0
    while not over.is_set():
        turn += 1
        number = f"{options.name}-{place}-{turn}"
        start = partial(engine.start, options.workflow, {"n": number}, key=number)
        run = await insisting(start)
        say(f"S {run.id} {number}")
        while not run.ended_at:
            run = await insisting(partial(engine.wait, run.id, 1.0))
        say(f"F {run.id} {run.status}")


async def main(options: Options) -> None:
    """Work until the input ends."""
    over = asyncio.Event()
    async with open_engine(settings(options)) as engine:
        say("R")
        await asyncio.to_thread(sys.stdin.readline)
        async with asyncio.TaskGroup() as group:
            for number in range(options.abreast):
                place = f"{os.getpid()}-{number}"
                group.create_task(keep_starting(engine, options, place, over))
            await asyncio.to_thread(sys.stdin.read)
            over.set()
    say("D")


if __name__ == "__main__":
    asyncio.run(main(Options(**json.loads(sys.argv[1]))))

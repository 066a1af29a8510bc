"""The work that is measured: no-op steps, each result durable before it counts."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine import Effect, Engine, PythonTask, Settings, collect_rarely
from tests.bench.places import KINDS
from tests.core.worlds import flow, look

SECONDS = float(os.environ.get("HANDRAIL_BENCH_SECONDS", "3"))
WIDTHS = (1, 2, 8, 32)
NAP = 0.02
"""Seconds."""


collect_rarely()  # as every process of ours does


async def noop(given: Any) -> Any:
    """Does nothing, and is counted as a read, so that its result must be durable."""
    return {"ok": True}


async def nap(given: Any) -> Any:
    """Waits as a call to some service would."""
    await asyncio.sleep(NAP)
    return {"ok": True}


FUNCTIONS = {
    "noop": PythonTask(noop, Effect.READ),
    "nap": PythonTask(nap, Effect.READ),
    "gate": PythonTask(noop, Effect.READ),
    "write": PythonTask(noop, Effect.MUTATION),
}
"""What the tasks of the same names call."""


def chain(name: str, length: int, task: str = "noop") -> dict[str, Any]:
    """A workflow of `length` steps, one after the other."""
    steps = [
        {"id": f"s{n}", "taskRef": task, "dependsOn": [f"s{n - 1}"] if n else []}
        for n in range(length)
    ]
    return flow(name, steps, output={"ok": f"{{{{tasks.s{length - 1}.output.ok}}}}"})


def settings(folder: Path, database: str = "", **more: Any) -> Settings:
    """An engine over documents in `folder`: chains, groups of steps, a sleeper, a gate."""
    documents = folder / "documents"
    documents.mkdir(exist_ok=True)
    tasks = [_task(name) for name in FUNCTIONS]
    text = yaml.safe_dump_all([*tasks, *_workflows()])
    (documents / "bench.yaml").write_text(text, encoding="utf-8")
    functions = {**FUNCTIONS, **more.pop("functions", {})}
    place = database or str(folder / "bench.db")
    return Settings(place, (documents,), functions=functions, **more)


def _task(name: str) -> dict[str, Any]:
    made = look(name)
    made["spec"]["python"]["function"] = name
    return made


def _workflows() -> list[dict[str, Any]]:
    pause = {"id": "pause", "dependsOn": ["s0"], "type": "sleep", "sleep": {"duration": "1h"}}
    gate = {"id": "gate", "taskRef": "gate", "dependsOn": ["s0"]}
    first = {"id": "s0", "taskRef": "noop"}
    wide = [flow(f"wide{n}", [{"id": f"s{i}", "taskRef": "nap"} for i in range(n)]) for n in WIDTHS]
    patient = chain("patient", 10)
    for step in patient["spec"]["tasks"]:
        step["retry"] = {"policy": "exponential", "maxAttempts": 5, "initialDelay": "200ms"}
    tasks = [chain("one", 1), chain("ten", 10), patient, chain("writes", 10, "write")]
    return [*tasks, *wide, flow("sleeper", [first, pause]), flow("gated", [first, gate])]


@dataclass(frozen=True, slots=True)
class Rate:
    """How often and how fast something was done. Times are in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float
    count: int


async def closed_loop(work: Callable[[], Awaitable[Any]], abreast: int, seconds: float) -> Rate:
    """Repeat `work` in `abreast` loops for `seconds`."""
    taken: list[float] = []
    begun = time.perf_counter()
    end = begun + seconds

    async def loop() -> None:
        while (start := time.perf_counter()) < end:
            await work()
            taken.append(time.perf_counter() - start)

    await asyncio.gather(*(loop() for _ in range(abreast)))
    spent = time.perf_counter() - begun
    return rate(taken, spent)


def rate(taken: list[float], spent: float) -> Rate:
    """Single times in seconds, put together."""
    ordered = sorted(taken)
    return Rate(
        round(len(ordered) / spent, 1),
        round(ordered[len(ordered) // 2] * 1000, 3),
        round(ordered[int(len(ordered) * 0.99)] * 1000, 3),
        len(ordered),
    )


def running(engine: Engine, name: str) -> Callable[[], Awaitable[Any]]:
    """Start a run and wait for its end."""

    async def work() -> None:
        run = await engine.start(name, {})
        ended = await engine.wait(run.id, 30)
        assert ended.status == "completed", ended

    return work


async def alternating(
    works: Mapping[str, Callable[[], Awaitable[Any]]], times: int
) -> dict[str, list[float]]:
    """How long each of these takes, in seconds, `times` times in turn."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(times):
        for name, work in works.items():
            begun = time.perf_counter()
            await work()
            taken[name].append(time.perf_counter() - begun)
    return taken


def print_report(make: Callable[[], Any]) -> None:
    """Print what a bench reports, as one JSON value."""
    sys.stdout.write(json.dumps(make(), indent=1) + "\n")


def each_kind(parts: Callable[[str], Any]) -> dict[str, Any]:
    """What is reported on either database, with the bars put together."""
    reports = {kind: parts(kind) for kind in KINDS}
    bars = [report.pop("bars") for report in reports.values()]
    return {**reports, "bars": {name: bar for found in bars for name, bar in found.items()}}

"""The work that is measured: no-op steps, each result durable before it counts."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine import Effect, Engine, PythonTask, Settings
from tests.core.worlds import flow, look

SECONDS = float(os.environ.get("HANDRAIL_BENCH_SECONDS", "3"))


async def noop(given: Any) -> Any:
    """Does nothing, and is counted as a read, so that its result must be durable."""
    return {"ok": True}


def chain(name: str, length: int) -> dict[str, Any]:
    """A workflow of `length` steps, one after the other."""
    steps = [
        {"id": f"s{n}", "taskRef": "noop", "dependsOn": [f"s{n - 1}"] if n else []}
        for n in range(length)
    ]
    return flow(name, steps, output={"ok": f"{{{{tasks.s{length - 1}.output.ok}}}}"})


def settings(folder: Path) -> Settings:
    """An engine over `folder` with the chains of 1 and 10 steps."""
    documents = folder / "documents"
    documents.mkdir(exist_ok=True)
    task = look("noop")
    task["spec"]["python"]["function"] = "noop"
    text = yaml.safe_dump_all([task, chain("one", 1), chain("ten", 10)])
    (documents / "bench.yaml").write_text(text, encoding="utf-8")
    functions = {"noop": PythonTask(noop, Effect.READ)}
    return Settings(str(folder / "bench.db"), (documents,), functions=functions)


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

"""Inside one run: steps abreast, and what a retry policy costs a step that succeeds.

Run as `python -m tests.bench.step_bench`; it prints one JSON value.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from engine import Engine, open_engine
from tests.bench.bars import judged
from tests.bench.workload import (
    NAP,
    SECONDS,
    WIDTHS,
    alternating,
    closed_loop,
    print_report,
    running,
    settings,
)

TIMES = max(2, round(10 * SECONDS))
ROUNDS = 5


async def abreast(engine: Engine) -> dict[int, float]:
    """Seconds for a run of so many naps beside each other, by their number."""
    works = {str(width): running(engine, f"wide{width}") for width in WIDTHS}
    taken = await alternating(works, TIMES)
    return {width: statistics.median(taken[str(width)]) for width in WIDTHS}


async def policy(engine: Engine) -> dict[str, float]:
    """Milliseconds of the clock and of the processor that a policy adds to a step."""
    clock, cpu = [], []
    for _ in range(ROUNDS):
        plain, patient = [await _cost(engine, name) for name in ("ten", "patient")]
        clock.append(patient[0] - plain[0])
        cpu.append(patient[1] - plain[1])
    return {"clock_ms": statistics.median(clock), "cpu_ms": statistics.median(cpu)}


async def _cost(engine: Engine, name: str) -> tuple[float, float]:
    begun = time.process_time()
    rate = await closed_loop(running(engine, name), 1, SECONDS / 6)
    spent = time.process_time() - begun
    return rate.p50_ms / 10, spent * 1e3 / (rate.count * 10)


async def measured(folder: Path) -> dict[str, Any]:
    """Both."""
    async with open_engine(settings(folder)) as engine:
        await closed_loop(running(engine, "ten"), 8, SECONDS / 6)
        return {"abreast": await abreast(engine), "policy": await policy(engine)}


def report() -> dict[str, Any]:
    """The worst of the widths, and the processor's time for a policy; a clock is too coarse."""
    with tempfile.TemporaryDirectory() as name:
        found = asyncio.run(measured(Path(name)))
    seconds, costs = found["abreast"], found["policy"]
    ratios = {width: round(each / seconds[1], 3) for width, each in seconds.items() if width > 1}
    one = round(seconds[1] * 1e3, 2)
    bars = {
        "parallel_32": judged(
            "parallel_32", max(ratios.values()), by_width=ratios, one_ms=one, waits_ms=NAP * 1e3
        ),
        "retry_policy": judged("retry_policy", max(0.0, costs["cpu_ms"]), **costs),
    }
    return {"bars": bars}


if __name__ == "__main__":
    print_report(report)

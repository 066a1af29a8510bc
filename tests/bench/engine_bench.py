"""Durable execution beside DBOS, on SQLite and on PostgreSQL.

Ours and the peer's are measured in turn, several times, and the median of the ratios counts, so
that a machine that slows down slows both. Everything of ours is on: tenant, chain, salts,
projections, leases. Run as `python -m tests.bench.engine_bench`; it prints one JSON value.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from types import TracebackType
from typing import Any

from engine import Engine, open_engine
from tests.bench.bars import BARS, judged
from tests.bench.places import places
from tests.bench.workload import (
    SECONDS,
    Rate,
    closed_loop,
    each_kind,
    print_report,
    running,
    settings,
)

ROUNDS = 3
FIGURES = {
    "latency_1_step": ("one", 1, 1),
    "latency_10_steps": ("ten", 10, 1),
    "runs_64": ("one", 1, 64),
    "steps_64": ("ten", 10, 64),
}
"""By name: the workflow, its steps, and how many runs abreast."""


class Peer:
    """DBOS in a process of its own."""

    def __init__(self, url: str) -> None:
        self._command = [sys.executable, "-m", "tests.bench.dbos_peer", url]

    def __enter__(self) -> "Peer":
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    async def rate(self, length: int, abreast: int, seconds: float) -> dict[str, Any]:
        """Its rate for runs of `length` steps; raises RuntimeError when it does not work."""
        asked = json.dumps({"length": length, "abreast": abreast, "seconds": seconds})
        line = await asyncio.to_thread(self._ask, asked)
        if not line:
            raise RuntimeError("DBOS has gone; is it installed? `make bench` installs it")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self._process.stdout.readline()


def spent() -> tuple[float, float]:
    """Seconds of the processor that this process has used, and its writing thread."""
    writers = [each for each in threading.enumerate() if each.name == "handrail-writer"]
    idents = [each.ident for each in writers if each.ident is not None]
    clocks = [time.pthread_getcpuclockid(ident) for ident in idents]
    return time.process_time(), sum(map(time.clock_gettime, clocks))


async def ours(engine: Engine, name: str, seconds: float) -> tuple[Rate, dict[str, float]]:
    """Our rate, and the microseconds of either thread for each step."""
    workflow, length, abreast = FIGURES[name]
    before = spent()
    rate = await closed_loop(running(engine, workflow), abreast, seconds)
    whole, writer = (now - then for now, then in zip(spent(), before, strict=True))
    steps = rate.count * length
    rest = {"writer": writer / steps, "everything_else": (whole - writer) / steps}
    return rate, {name: round(each * 1e6, 1) for name, each in rest.items()}


async def compared(engine: Engine, peer: Peer, name: str, seconds: float) -> dict[str, Any]:
    """Both in turn; the medians, and the median of the ratios."""
    _, length, abreast = FIGURES[name]
    key = "p50_ms" if abreast == 1 else "per_second"
    mine: list[float] = []
    theirs: list[float] = []
    cpu: dict[str, float] = {}
    for _ in range(ROUNDS):
        rate, cpu = await ours(engine, name, seconds)
        mine.append(asdict(rate)[key] * (length if key == "per_second" else 1))
        other = await peer.rate(length, abreast, seconds)
        theirs.append(other[key] * (length if key == "per_second" else 1))
    ratios = [one / other for one, other in zip(mine, theirs, strict=True)]
    unit = "ms" if key == "p50_ms" else "steps/s"
    return {
        "ratio": statistics.median(ratios),
        "unit": unit,
        "handrail": statistics.median(mine),
        "dbos": statistics.median(theirs),
        "cpu_us_a_step": cpu,
    }


async def measured(kind: str) -> dict[str, Any]:
    """All figures on one kind of database."""
    with places(kind) as (database, url, folder), Peer(url) as peer:
        async with open_engine(settings(folder, database)) as engine:
            await closed_loop(running(engine, "ten"), 8, SECONDS / 6)
            seconds = SECONDS / 2
            return {name: await compared(engine, peer, name, seconds) for name in FIGURES}


def report(kind: str) -> dict[str, Any]:
    """The figures, and those that are bars."""
    found = asyncio.run(measured(kind))
    names = {f"{name}_{kind}": each for name, each in found.items()}
    bars = {
        name: judged(name, each["ratio"], handrail=each["handrail"], dbos=each["dbos"],
                     unit_of_both=each["unit"], cpu_us_a_step=each["cpu_us_a_step"])
        for name, each in names.items() if name in BARS
    }  # fmt: skip
    return {"figures": found, "bars": bars}


if __name__ == "__main__":
    print_report(lambda: each_kind(report))

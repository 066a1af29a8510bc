"""Durable execution: our engine on SQLite, with everything on, and DBOS on SQLite (WAL).

Run as `python -m tests.bench.engine_bench`; it prints one JSON value.
"""

import asyncio
import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine import open_engine
from tests.bench.workload import SECONDS, closed_loop, running, settings

BARS = {
    "latency_1_step": ("<=", 1 / 4),
    "runs_per_second_64": (">=", 25.0),
    "steps_per_second_64": (">=", 30.0),
}


async def ours(folder: Path) -> dict[str, Any]:
    """The three figures of our engine."""
    async with open_engine(settings(folder)) as engine:
        await closed_loop(running(engine, "ten"), 8, 0.5)
        return {
            "latency_1_step": asdict(await closed_loop(running(engine, "one"), 1, SECONDS)),
            "latency_10_steps": asdict(await closed_loop(running(engine, "ten"), 1, SECONDS)),
            "runs_64": asdict(await closed_loop(running(engine, "one"), 64, SECONDS)),
            "steps_64": asdict(await closed_loop(running(engine, "ten"), 64, SECONDS)),
            "bytes_per_run": (folder / "bench.db").stat().st_size,
        }


def dbos(folder: Path) -> dict[str, Any]:
    """The same figures of DBOS, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.dbos_peer", str(folder), str(SECONDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1:]}
    peer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return peer


def judge(mine: dict[str, Any], peer: dict[str, Any]) -> dict[str, Any]:
    """Ratios to the peer and whether each bar holds."""
    if "error" in peer:
        return {}
    ratios = {
        "latency_1_step": mine["latency_1_step"]["p50_ms"] / peer["latency_1_step"]["p50_ms"],
        "runs_per_second_64": mine["runs_64"]["per_second"] / peer["runs_64"]["per_second"],
        "steps_per_second_64": mine["steps_64"]["per_second"] / peer["steps_64"]["per_second"],
    }
    return {
        name: {
            "ratio": round(ratio, 3),
            "must": f"{BARS[name][0]} {BARS[name][1]}",
            "holds": ratio <= BARS[name][1] if BARS[name][0] == "<=" else ratio >= BARS[name][1],
        }
        for name, ratio in ratios.items()
    }


def report(folder: Path) -> dict[str, Any]:
    """Measure both engines."""
    mine = asyncio.run(ours(folder))
    peer = dbos(folder)
    return {
        "bench": "engine",
        "configuration": "SQLite WAL, synchronous=FULL; tenant, chain, salts, projections on",
        "python": platform.python_version(),
        "seconds_each": SECONDS,
        "handrail": mine,
        "steps_per_second_64": mine["steps_64"]["per_second"] * 10,
        "dbos_sqlite_wal": peer,
        "bars": judge(mine, peer),
    }


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(json.dumps(report(Path(name)), indent=1) + "\n")


if __name__ == "__main__":
    main()

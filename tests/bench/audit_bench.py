"""`handrail audit verify` over a million events: all of it, start-up and children included.

Run as `python -m tests.bench.audit_bench`; it prints one JSON value. HANDRAIL_BENCH_EVENTS (a
million) shortens it. What counts is the time of the processors, of the command and of whoever it
starts: on a machine that others use too the clock says little. The floor is a bare loop in one
process that reads the same lines and takes two SHA-256 for each; parts of it are told apart, so
that a report says where the time goes.
"""

import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from engine.app.audit import Check
from engine.app.engine import FEATURES
from engine.shell.checkpoints import Places, Signer
from engine.shell.clock import WorldClock
from engine.store import open_sqlite
from engine.store.dialect import SQLITE, statements
from engine.store.sqlite_scan import scan_file
from engine.store.store import PAGE
from tests.bench.bars import judged
from tests.bench.store_bench import run_of_six

EVENTS = int(os.environ.get("HANDRAIL_BENCH_EVENTS", "1000000"))
ABREAST, TIMES = 512, 5
SAMPLE = b"s" * 65


async def filled(path: Path, places: Places) -> int:
    """A journal of runs as the engine records them, and its checkpoints; how many events."""
    async with open_sqlite(path, FEATURES, os.urandom) as store:
        for first in range(0, EVENTS // 6, ABREAST):
            numbers = range(first, min(first + ABREAST, EVENTS // 6))
            await asyncio.gather(*(run_of_six(store, number) for number in numbers))
        await asyncio.to_thread(Signer(store, WorldClock(), places).sign, WorldClock().now())
        assert (await Check(store, places).verify()).covered == store.head()
        return store.head()


def command(path: Path, places: Places) -> dict[str, float]:
    """Seconds of the command: of the clock, and of all its processes."""
    more = {
        "HANDRAIL_CHECKPOINTS": str(places.notes),
        "HANDRAIL_CHECKPOINT_KEY": str(places.key),
    }
    words = [sys.executable, "-m", "mcp_server.cli", "--db", str(path), "audit", "verify"]
    before, clock = os.times(), time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **more})
    after, clock = os.times(), time.perf_counter() - clock
    spent = after.children_user - before.children_user
    return {"wall": clock, "cpu": spent + after.children_system - before.children_system}


def spent(act: Callable[[], object]) -> float:
    """Seconds of this process's processor time."""
    before = time.process_time()
    act()
    return time.process_time() - before


def read(path: Path) -> None:
    """Read all that the hashes are made of."""
    for _ in scan_file(path, statements(SQLITE)["journal_lines"], PAGE, 0):
        pass


def hash_two(events: int) -> None:
    """Two hashes for each event: of its body, and of itself."""
    for _ in range(2 * events):
        sha256(SAMPLE).digest()


def report(folder: Path) -> dict[str, Any]:
    """Measure, each time beside the floor: what others do on the machine slows both alike. The
    time in the middle counts, since a long command meets a calm moment less often than a loop."""
    path, places = folder / "h.db", Places(folder / "notes.txt", folder / "key")
    events = asyncio.run(filled(path, places))
    taken, reads, hashes = [], [], []
    for _ in range(TIMES):
        taken.append(command(path, places))
        reads.append(spent(lambda: read(path)))
        hashes.append(spent(lambda: hash_two(events)))
    ratios = [
        each["cpu"] / (read_in + hashed_in)
        for each, read_in, hashed_in in zip(taken, reads, hashes, strict=True)
    ]
    best = min(taken, key=lambda each: each["cpu"])
    micro = 1e6 / events
    told = {
        "events": events,
        "events_per_second": round(events / min(each["wall"] for each in taken)),
        "ratios": [round(each, 2) for each in sorted(ratios)],
        "wall_s": round(min(each["wall"] for each in taken), 2),
        "cpu_s": round(best["cpu"], 2),
        "cpu_us_per_event": round(best["cpu"] * micro, 2),
        "floor_read_us": round(min(reads) * micro, 2),
        "floor_two_hashes_us": round(min(hashes) * micro, 2),
    }
    return {
        "bench": "audit",
        "configuration": f"SQLite; the command with its children, {os.cpu_count()} processors",
        "python": platform.python_version(),
        "bars": {"audit_verify": judged("audit_verify", median(ratios), **told)},
    }


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(json.dumps(report(Path(name)), indent=1) + "\n")


if __name__ == "__main__":
    main()

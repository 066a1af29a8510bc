"""Every fault on every database, one after the other, until the time is over: `make chaos`.

Usage: python -m tests.chaos [--seconds 600] [--only FAULT] [--database NAME] [--seed N]

Each turn has a seed of its own, and `--only` makes one long turn of all the time. The report is
one JSON value with figures for each fault and database. At the first thing that does not hold it
ends with status 1, and says what, with which seed, and the command that plays that turn again.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.chaos.faults import FAULTS, Fault, Place, places

TURN = 10.0
"""Seconds that a fault plays at a time, about, when all are played."""


@dataclass(slots=True)
class Report:
    """What was played, and what was seen."""

    figures: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    seconds: Counter[str] = field(default_factory=Counter)
    broken: dict[str, Any] = field(default_factory=dict)

    def add(self, fault: str, database: str, figures: Counter[str], seconds: float) -> None:
        """Take in the figures of a turn."""
        known = self.figures.setdefault(fault, {}).setdefault(database, Counter())
        for name, count in {"turns": 1, **figures}.items():
            least = name.startswith("least ") and name in known
            known[name] = min(known[name], count) if least else known[name] + count
        self.seconds[f"{fault} on {database}"] += round(seconds)

    def shown(self) -> str:
        """The report as JSON."""
        machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        played = {
            fault: {
                name: {**counts, "seconds": self.seconds[f"{fault} on {name}"]}
                for name, counts in found.items()
            }
            for fault, found in self.figures.items()
        }
        report = {"machine": machine, "python": platform.python_version(), "faults": played}
        return json.dumps(report | ({"broken": self.broken} if self.broken else {}), indent=1)


def play(fault: Fault, place: Place, seed: int, seconds: float, report: Report) -> bool:
    """One turn of a fault; False when something does not hold."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="handrail-chaos-") as folder:
        try:
            figures: Counter[str] = asyncio.run(fault.play(Path(folder), seed, seconds, place))
        except Exception as error:
            words = f"--only {fault.name} --database {place.name} --seed {seed}"
            report.broken = {
                "fault": fault.name,
                "database": place.name,
                "seed": seed,
                "what": f"{type(error).__name__}: {error}"[:2_000],
                "again": f"python -m tests.chaos {words} --seconds {seconds:g}",
            }
            return False
    report.add(fault.name, place.name, figures, time.monotonic() - began)
    return True


def main() -> int:
    """Play until the time is over; the status says whether everything held."""
    words = argparse.ArgumentParser(prog="python -m tests.chaos")
    words.add_argument("--seconds", type=float, default=600.0)
    words.add_argument("--only", choices=[fault.name for fault in FAULTS])
    words.add_argument("--database", choices=["sqlite", "postgres"])
    words.add_argument("--seed", type=int)
    chosen = words.parse_args()
    report, end = Report(), time.monotonic() + chosen.seconds
    with places(chosen.database) as found:
        turns = [
            (fault, place)
            for fault in FAULTS
            for place in found
            if place.name in fault.databases and chosen.only in (None, fault.name)
        ]
        turn = chosen.seconds / max(1, len(turns)) if chosen.only else TURN
        for fault, place in cycle(turns):
            seed = chosen.seed if chosen.seed is not None else int.from_bytes(os.urandom(4))
            left = end - time.monotonic()
            if not play(fault, place, seed, max(0.0, min(turn, left)), report):
                break
            if time.monotonic() >= end:
                break
    sys.stdout.write(report.shown() + "\n")
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())

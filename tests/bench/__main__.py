"""Every benchmark, one after the other, each in a process of its own: `make bench`.

Prints one JSON value and exits with 1 when a bar does not hold. `python -m tests.bench engine mcp`
measures only those parts and asks only for their bars.
"""

import json
import os
import platform
import subprocess
import sys
import time
from typing import Any

from tests.bench.bars import BARS, PARTS, unmeasured

MOST = 900.0
"""Seconds after which a bench is given up."""


def measured(part: str) -> dict[str, Any]:
    """What the bench of this name printed, or why it printed nothing."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", f"tests.bench.{part}_bench"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MOST, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {MOST:g} s"}
    if done.returncode:
        return {"error": " ".join(done.stderr.strip().splitlines()[-1:])}
    report: dict[str, Any] = json.loads(done.stdout)
    return {**report, "took_s": round(time.perf_counter() - begun, 1)}


def bars(parts: list[str], reports: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Every bar of these parts, whether or not somebody has measured it."""
    found: dict[str, Any] = {}
    for name, bar in BARS.items():
        if bar.part in parts:
            report = reports[bar.part]
            why = report.get("error", "the bench does not say")
            found[name] = report.get("bars", {}).get(name) or unmeasured(name, why)
    return found


def machine() -> dict[str, Any]:
    """Where this was measured."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "load": [round(each, 2) for each in os.getloadavg()] if hasattr(os, "getloadavg") else [],
    }


def main(wanted: list[str]) -> int:
    """Measure, print, and say by the exit code whether every bar holds."""
    parts = wanted or list(PARTS)
    before, reports = machine(), {}
    for part in parts:
        sys.stderr.write(f"bench: {part}\n")
        reports[part] = measured(part)
    judged = bars(parts, reports)
    failed = [name for name, each in judged.items() if not each["holds"]]
    for report in reports.values():
        report.pop("bars", None)
    result = {"machine": before, "bars": judged, "do_not_hold": failed, "details": reports}
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

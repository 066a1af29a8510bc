"""The benches themselves: every bar is measured by one, and small forms of them run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import __main__ as everything
from tests.bench.bars import BARS, PARTS, judged

ROOT = Path(__file__).parents[2]
TINY = {
    "HANDRAIL_BENCH_SECONDS": "0.03",
    "HANDRAIL_BENCH_EVENTS": "12000",
    "HANDRAIL_BENCH_RUNS": "320",
}
QUICK = ("mutation", "step", "store", "history", "audit")
"""Those that need neither a peer nor a server, and end within a few seconds."""


@pytest.mark.parametrize("part", QUICK)
def test_a_bench_prints_every_bar_that_is_its_own(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in TINY.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{part}_bench"],
        cwd=ROOT, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["bars"]
    assert set(told) == {name for name, bar in BARS.items() if bar.part == part}
    assert all({"value", "must", "aim_is_away", "holds"} <= set(each) for each in told.values())


def test_every_part_is_a_program() -> None:
    assert all((Path(__file__).parent / f"{part}_bench.py").exists() for part in PARTS)


def test_a_bar_knows_the_good_side_and_how_far_the_aim_is() -> None:
    few, many = BARS["as_of"], BARS["rebuild"]
    assert few.holds(20)
    assert not few.holds(20.1)
    assert many.holds(50_000)
    assert not many.holds(49_999)
    assert judged("as_of", 10)["aim_is_away"] == "x 2.00"
    assert judged("rebuild", 75_000)["aim_is_away"] == "x 2.00"


@pytest.mark.parametrize(("value", "code"), [(1.0, 0), (21.0, 1), (None, 1)])
def test_a_bar_that_does_not_hold_or_was_not_measured_is_a_failure(
    value: float | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = {"error": "broken"} if value is None else {"bars": {"as_of": judged("as_of", value)}}
    monkeypatch.setattr(everything, "measured", lambda part: report)
    assert everything.main(["history"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["do_not_hold"] == ["as_of"] * code

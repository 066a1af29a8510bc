"""A thousand small worlds in which everything goes wrong that may, and every law is kept."""

import os
import subprocess
import sys

import pytest

from tests.sim.__main__ import told
from tests.sim.story import story
from tests.sim.world import World
from tests.tree import ROOT

TOGETHER = 50
"""Seeds in one test."""

SOME = (3, 11, 49, 277)


@pytest.mark.parametrize("first", range(0, 1_000, TOGETHER))
@pytest.mark.requirement("simulated-workers")
def test_every_law_is_kept_whatever_goes_wrong(first: int) -> None:
    outcomes = [World(seed).play(story) for seed in range(first, first + TOGETHER)]
    broken = [told(outcome) for outcome in outcomes if outcome.wrong]
    assert not broken, "\n".join(broken)


def test_a_seed_is_the_same_world_each_time() -> None:
    for seed in SOME:
        one, two = World(seed).play(story), World(seed, keep=True).play(story)
        assert one.digest == two.digest
        assert two.trace
    assert len({World(seed).play(story).digest for seed in SOME}) == len(SOME)


def test_a_seed_is_the_same_world_in_another_process() -> None:
    seed = SOME[0]
    done = subprocess.run(
        [sys.executable, "-m", "tests.sim", "--seed", str(seed), "--trace"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert f"digest {World(seed).play(story).digest}" in done.stdout

"""The bars of the blast radius on the graph of the Debian archive."""

import os

import pytest

from tests.bench.impact_bench import report

pytestmark = [
    pytest.mark.bench,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        "HANDRAIL_DATA" not in os.environ,
        reason="the graph is not in this repository: HANDRAIL_DATA has to say where it is",
    ),
]


def test_a_search_of_three_steps_is_fast_enough() -> None:
    told = report()
    assert told["graph"]["edges"] == 264_761
    assert all(bar["holds"] for bar in told["bars"].values()), told["bars"]

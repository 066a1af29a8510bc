"""A thousand power cuts, and two ways of losing facts that the same test must notice."""

from pathlib import Path

import pytest

from tests.chaos.power import LIVES, cut


@pytest.mark.timeout(180)
@pytest.mark.requirement("survives-power-cuts")
async def test_a_thousand_power_cuts_lose_no_acknowledged_fact(tmp_path: Path) -> None:
    figures = await cut(tmp_path, range(1_000 // LIVES + 1))
    assert (figures["lost"], figures["broken"]) == (0, 0)
    assert figures["cuts"] > 1_000
    assert figures["acknowledged"] > figures["cuts"]
    for place in ("opening", "committing", "folding", "closing", "idle"):
        assert figures[f"cut while {place}"] > 10, "the cuts are not spread"


async def test_a_disk_that_lies_about_syncing_is_noticed(tmp_path: Path) -> None:
    figures = await cut(tmp_path, range(20), lies=True)
    assert figures["lost"] > 10


async def test_a_log_that_is_not_synced_at_each_commit_is_noticed(tmp_path: Path) -> None:
    figures = await cut(tmp_path, range(20), synchronous="normal")
    assert figures["lost"] > 10
    assert not figures["broken"], "it keeps what is there in order, and that is not enough"


async def test_a_seed_repeats_a_case(tmp_path: Path) -> None:
    assert await cut(tmp_path, range(7, 10)) == await cut(tmp_path, range(7, 10))

"""Processes that are killed, stopped and continued: nothing that was acknowledged is lost."""

import os
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.chaos.processes import killed, neighbours, stopped, stopped_in_its_turn

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.name == "nt", reason="Windows has no signals that stop and continue"),
]

DISK = "/var/tmp" if os.path.isdir("/var/tmp") else None
"""Who waits for a disk shares it with others: in memory there is hardly anything to share."""


async def test_killed_at_work_while_opening_and_while_draining(tmp_path: Path) -> None:
    figures = await killed(tmp_path, random.Random(1), 3)
    assert figures["acknowledged"]


async def test_a_worker_that_was_stopped_past_its_lease_repeats_nothing(tmp_path: Path) -> None:
    figures = await stopped(tmp_path, random.Random(2), 0)
    assert figures["taken over"]


async def test_who_is_stopped_in_the_middle_of_writing_holds_up_nobody_for_good(
    tmp_path: Path,
) -> None:
    figures = await stopped_in_its_turn(tmp_path, random.Random(3), 0)
    assert figures["database_locked"]


async def test_four_on_one_file_have_their_share_while_one_of_them_is_stopped() -> None:
    with TemporaryDirectory(dir=DISK) as folder:
        figures = await neighbours(Path(folder), random.Random(4), 6)
    assert figures["stops"]

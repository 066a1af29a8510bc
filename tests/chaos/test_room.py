"""No room on the disk: a typed error, nothing half done, and work goes on when there is room."""

from pathlib import Path

import pytest

from tests.chaos.room import MOST_WRITES, full, really_full


@pytest.mark.timeout(180)
async def test_whichever_write_finds_no_room_nothing_is_half_done(tmp_path: Path) -> None:
    figures = await full(tmp_path, range(MOST_WRITES))
    assert figures["cases"] > MOST_WRITES / 2
    assert figures["refused"] > MOST_WRITES / 2
    assert figures["refused while opening"]


async def test_a_full_file_system_is_told_of_and_work_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    figures = await really_full(tmp_path / "small", 3)
    if not figures:
        pytest.skip("this machine lets nobody make a small file system")
    assert figures["times full"] == 3

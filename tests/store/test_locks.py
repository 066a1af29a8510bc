"""The lock on a file is the same whichever call takes it."""

from pathlib import Path
from types import ModuleType

import pytest

from engine.store import lock_windows

MODULES = [lock_windows]
try:
    from engine.store import lock_unix
except ImportError:
    pass
else:
    MODULES.append(lock_unix)


@pytest.mark.parametrize("mine", MODULES)
@pytest.mark.parametrize("other", MODULES)
def test_a_lock_is_one_opens_at_a_time_and_comes_back(
    tmp_path: Path, mine: ModuleType, other: ModuleType
) -> None:
    with (tmp_path / "lock").open("wb") as first, (tmp_path / "lock").open("wb") as second:
        assert mine.take(first)
        assert not other.take(second)
        mine.give(first)
        assert other.take(second)
        assert not mine.take(first)
        second.close()
        assert mine.take(first)


@pytest.mark.parametrize("module", MODULES)
def test_what_cannot_be_given_back_is_no_error(tmp_path: Path, module: ModuleType) -> None:
    with (tmp_path / "lock").open("wb") as file:
        module.give(file)

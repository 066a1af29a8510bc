"""Attack 16 on the PIN itself: guess one after another, many at once, across restarts."""

import asyncio

import pytest

from engine.app.engine import Engine
from engine.core.approval.state import Approver
from engine.core.errors import Refused
from tests.attacks.world import MINUTE, PIN, World, refusal

pytestmark = pytest.mark.requirement("attacks")


async def _guess(engine: Engine, *pins: str) -> list[str]:
    """Try all of these at once; the codes of the refusals, or the name of who got in."""
    tries = (engine.approvals.authenticate(pin, channel="page") for pin in pins)
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(one, Refused | Approver) for one in told), told
    return [one.code if isinstance(one, Refused) else getattr(one, "name", "") for one in told]


async def test_16_of_many_guesses_at_once_no_more_than_five_are_looked_at(bare: World) -> None:
    async with bare.another() as other:
        wrong = [f"guess-{at}" for at in range(8)]
        told = await asyncio.gather(
            _guess(bare.engine, *wrong, *wrong, PIN, PIN), _guess(other, *wrong, PIN)
        )
        codes = [code for one in told for code in one]
        assert "Ann" not in codes[16:18]
        assert codes.count("wrong_pin") <= 5
    assert (await refusal(bare.person())).code == "locked_out"


async def test_16_a_lock_outlives_a_restart_and_doubles(bare: World) -> None:
    for minutes in (15, 30, 60):
        assert await _guess(bare.engine, *(f"guess-{at}" for at in range(5)))
        await bare.restart()
        assert await _guess(bare.engine, PIN) == ["locked_out"]
        bare.clock.ahead += (minutes - 1) * MINUTE
        assert await _guess(bare.engine, PIN) == ["locked_out"]
        bare.clock.ahead += 2 * MINUTE
    assert await _guess(bare.engine, PIN) == ["Ann"]


async def test_16_a_lock_that_was_never_written_down_does_not_stay_for_ever(bare: World) -> None:
    for at in range(4):
        assert await _guess(bare.engine, f"guess-{at}") == ["wrong_pin"]
    # The fifth try is counted, and the process dies before it is judged.
    approvers = bare.engine.approvals._approvers
    await approvers._try("Ann", await approvers.now())
    await bare.restart()
    assert await _guess(bare.engine, PIN) == ["locked_out"]
    bare.clock.ahead += 16 * MINUTE
    assert await _guess(bare.engine, PIN) == ["Ann"]


async def test_16_a_clock_set_forward_and_back_opens_no_lock(bare: World) -> None:
    await _guess(bare.engine, *(f"guess-{at}" for at in range(5)))
    bare.clock.ahead -= 60 * MINUTE
    assert await _guess(bare.engine, PIN) == ["locked_out"]

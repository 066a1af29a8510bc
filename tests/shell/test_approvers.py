"""Who may decide: a PIN that is hard to guess, and what an installation keeps."""

import asyncio
from pathlib import Path

import pytest

from engine import Refused
from engine.core.approval.gated import Gated
from engine.core.approval.state import Approver
from engine.shell.clock import TestClock
from tests.shell.deciding import PIN, ann, refusal
from tests.shell.documents import engine_over

MINUTE = 60_000_000


async def test_five_wrong_pins_close_the_door_for_longer_each_time(tmp_path: Path) -> None:
    clock = TestClock()
    async with engine_over(tmp_path, {}, work=False, clock=clock) as engine:
        await ann(engine)

        async def wrong(times: int) -> list[str]:
            codes = []
            for _ in range(times):
                with pytest.raises(Refused) as refused:
                    await engine.approvals.authenticate("wrong horse", channel="page")
                codes.append(refused.value.code)
            return codes

        assert await wrong(5) == ["wrong_pin"] * 4 + ["locked_out"]
        with refusal("locked_out"):
            await engine.approvals.authenticate(PIN, channel="page")
        clock.time += 15 * MINUTE
        assert await wrong(5) == ["wrong_pin"] * 4 + ["locked_out"]
        clock.time += 29 * MINUTE
        with refusal("locked_out"):
            await engine.approvals.authenticate(PIN, channel="page")
        clock.time += MINUTE
        assert (await engine.approvals.authenticate(PIN, channel="page")).assurance == "A2"


async def test_many_guesses_at_once_are_many_guesses(tmp_path: Path) -> None:
    async with engine_over(tmp_path, {}, work=False) as engine:
        await ann(engine)

        async def guess(number: int) -> str:
            try:
                await engine.approvals.authenticate(f"guess {number}", channel="page")
            except Refused as refused:
                return refused.code
            return "in"

        codes = await asyncio.gather(*(guess(number) for number in range(12)))
        assert codes.count("wrong_pin") <= 4
        assert codes.count("locked_out") >= 8


async def test_of_two_who_enrol_at_once_one_is_enrolled_and_no_hash_is_in_the_journal(
    tmp_path: Path,
) -> None:
    async with (
        engine_over(tmp_path, {}, work=False) as one,
        engine_over(tmp_path, {}, work=False) as two,
    ):
        with refusal("no_approver"):
            await one.approvals.authenticate(PIN, channel="page")
        results = await asyncio.gather(
            one.approvals.enrol("ann", PIN),
            two.approvals.enrol("eve", "evil horse"),
            return_exceptions=True,
        )
        (refused,) = [result for result in results if result is not None]
        assert isinstance(refused, Refused)
        assert refused.code == "already_enrolled"
        with refusal("already_enrolled"):
            await two.approvals.enrol("eve", "evil horse")
        told = [str(line.event) async for line in one.store.tail()]
        assert not [line for line in told if "scrypt" in line or "horse" in line]


async def test_a_pin_is_replaced_by_whoever_knows_it(tmp_path: Path) -> None:
    async with engine_over(tmp_path, {}, work=False) as engine:
        await ann(engine)
        with refusal("wrong_pin"):
            await engine.approvals.enrol("ann", "another one", old="guessed it")
        await engine.approvals.enrol("ann", "another one", old=PIN)
        with refusal("wrong_pin"):
            await engine.approvals.authenticate(PIN, channel="page")
        assert isinstance(
            await engine.approvals.authenticate("another one", channel="page"), Approver
        )


@pytest.mark.parametrize("pin", ["", "12345", "111111", "x" * 300])
async def test_a_pin_that_anybody_guesses_is_refused(tmp_path: Path, pin: str) -> None:
    async with engine_over(tmp_path, {}, work=False) as engine:
        with refusal("bad_pin"):
            await engine.approvals.enrol("ann", pin)
        assert not await engine.approvals.has_approver()


async def test_what_an_installation_keeps_is_made_once(tmp_path: Path) -> None:
    async with (
        engine_over(tmp_path, {}, work=False) as one,
        engine_over(tmp_path, {}, work=False) as two,
    ):
        keys = await asyncio.gather(*(e.approvals.key("idempotency") for e in (one, two) * 5))
        assert len(set(keys)) == 1
        assert len(keys[0]) == 32
        kept = {await engine.approvals.installation() for engine in (one, two)}
        assert len(kept) == 1
        assert await one.approvals.remember_port(4001, 0) == 4001
        assert await two.approvals.remember_port(4002, 0) == 4001
        assert await two.approvals.remember_port(4002, 4001) == 4002


def test_what_is_gated_is_no_refusal() -> None:
    assert not issubclass(Gated, Refused)

"""The platform's documents with POST tasks run for real, each change allowed by a person.

The documents stay as they are: nothing in them declares that a call may be repeated, so what is
not known is asked.
"""

from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.core.approval.plan import Requester
from engine.core.views import RunView
from tests.platform.test_platform_runs import MUTATING, platform, pytestmark, stand_in
from tests.platform.till import TILL
from tests.shell.deciding import ann, say_yes

__all__ = ["pytestmark", "stand_in"]
LOCAL = Requester("engine")
PUSH, PAY, ORDER = "/api/notifications/push", "/api/payments/process", "/api/orders"


@pytest.fixture(autouse=True)
def till() -> None:
    """Nothing has reached the service yet."""
    TILL.forget()


async def parked(engine: Engine, name: str) -> RunView:
    """A run of an accepted version, as far as it comes without a person."""
    given = MUTATING[name]
    await say_yes(engine, engine.start(name, given))
    return await engine.wait((await engine.start(name, given)).id, 20)


async def allowed(engine: Engine, run: RunView) -> tuple[list[str], RunView]:
    """Say yes to what a run waits for; the ids of the operations, and how it stands then."""
    view = await engine.approvals.get(run.approval)
    await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))
    return [op.id for op in view.plan.ops], await engine.wait(run.id, 20)


@pytest.mark.usefixtures("stand_in")
async def test_two_branches_wait_for_a_person_and_their_join_for_both(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        run = await parked(engine, "diamond-pattern")
        assert run.status == "paused:approval"
        assert TILL.received == []
        ops, ended = await allowed(engine, run)
        assert set(ops) == {"check-inventory", "process-payment"}  # its input is known beforehand
        assert ended.status == "completed", ended.failure
        assert ended.output["transactionId"] == "t-1"
        assert TILL.at(PAY) == [{"userId": "1", "amount": 150.0, "orderId": "diamond-test"}]


@pytest.mark.usefixtures("stand_in")
async def test_every_item_of_a_loop_is_shown_and_sent_once(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        run = await parked(engine, "foreach-parallel-demo")
        ops, ended = await allowed(engine, run)
        assert ops == ["notify-all-users[0]", "notify-all-users[1]"]
        assert ended.status == "completed", ended.failure
        assert sorted(body["UserId"] for body in TILL.at(PUSH)) == ["1", "2"]


@pytest.mark.usefixtures("stand_in")
async def test_a_switch_asks_for_the_arm_that_is_taken(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        run = await parked(engine, "switch-demo")
        _, ended = await allowed(engine, run)
        assert ended.status == "completed", ended.failure
        assert [len(TILL.at(path)) for path in (ORDER, PAY, PUSH)] == [1, 0, 1]


@pytest.mark.usefixtures("stand_in")
async def test_what_a_condition_leaves_out_is_neither_asked_nor_sent(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        run = await parked(engine, "conditional-demo")
        ops, ended = await allowed(engine, run)
        assert ops == ["check-inventory"]
        assert ended.status == "completed", ended.failure
        assert [path for path, _ in TILL.received] == ["/api/inventory/check"]


@pytest.mark.usefixtures("stand_in")
async def test_a_post_that_was_answered_by_500_is_sent_again_on_a_persons_word_only(
    tmp_path: Path,
) -> None:
    async with platform(tmp_path) as engine:
        _, run = await allowed(engine, await parked(engine, "retry-fail-once"))
        assert run.status == "paused:reconciliation"
        assert TILL.received == []

        async def resolve() -> Any:
            await engine.approvals.resolve(
                run.id, "will-fail-once", "did_not_happen", None, requester=LOCAL
            )

        await say_yes(engine, resolve())
        ended = await engine.wait(run.id, 20)
        assert ended.status == "completed", ended.failure
        assert ended.output == {"result": "it worked"}
        assert len(TILL.at("/api/retry/fail-once")) == 1


@pytest.mark.usefixtures("stand_in")
async def test_a_no_ends_the_run_and_nothing_is_sent(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        run = await parked(engine, "diamond-pattern")
        view = await engine.approvals.get(run.approval)
        await engine.approvals.deny(view.id, digest=view.digest, approver=await ann(engine))
        assert (await engine.wait(run.id, 20)).status == "failed:denied"
        assert TILL.received == []

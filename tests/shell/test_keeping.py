"""What a run may change: granted by a rule, or by a person for exactly this, once and in time."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask, Refused
from engine.core import events as ev
from engine.core.approval.plan import Operation, Requester, operation_digest
from engine.core.approval.state import CLAIM_WITHIN, PENDING_FOR
from engine.core.approval.views import ApprovalView
from engine.core.errors import Failure, Kind, Stale
from engine.core.log import Append, Entry, Write
from engine.core.run import fold
from engine.shell.clock import TestClock
from engine.shell.drive import Held
from engine.shell.keeping import Denied, Granted, Parked, Permit
from tests.shell.deciding import ann, refusal
from tests.shell.documents import engine_over, flow, look, write

READS = {"look": PythonTask(lambda given: given, Effect.READ)}
CHARGE = Operation("charge", "create", "POST https://pay.example/charges", {"cents": 100})
NOTIFY = Operation("notify", "create", "POST https://mail.example/mails", {"to": "ann"})
CLAUDE = Requester("stdio", client="Claude")
ALLOWING = """
default: {require: A2}
rules:
  - {id: mails, when: {host: [mail.example]}, then: {auto: true, budget: 3/h}}
  - {id: never, when: {host: [evil.example]}, then: deny}
"""


@dataclass
class Scene:
    """A run whose worker is the test."""

    engine: Engine
    clock: TestClock
    stream: int

    async def held(self) -> Held:
        """The run as a worker has it."""
        history = await self.engine.store.read(self.stream)
        return Held(self.stream, fold(line.event for line in history), "default", history)

    async def asks(self, *ops: Operation, held: Held | None = None) -> Permit:
        """Ask for operations, and record what follows as a worker does."""
        here = held or await self.held()
        permit = await self.engine.approvals.keeper.ask(here, ops, (), self.clock.now())
        events: list[Any] = []
        also: tuple[Write, ...] = ()
        if isinstance(permit, Granted):
            events.append(ev.MutationsGranted(permit.grant, permit.ops, permit.templates))
        if isinstance(permit, Parked):
            events.append(ev.RunPaused("paused:approval", None, "charge", None, permit.approval))
            also = (Write("due_drop", {"stream": self.stream}),)
        entry = Entry(self.stream, here.version, tuple(events), also)
        await self.engine.store.append(Append((entry, *permit.entries), self.clock.now(), "worker"))
        return permit

    async def parked(self, *ops: Operation) -> ApprovalView:
        """The approval that these operations wait for."""
        permit = await self.asks(*ops)
        assert isinstance(permit, Parked)
        return await self.engine.approvals.get(permit.approval)

    async def yes(self, view: ApprovalView) -> ApprovalView:
        """Approve."""
        return await self.engine.approvals.approve(
            view.id, digest=view.digest, approver=await ann(self.engine)
        )

    async def due(self) -> bool:
        """Whether a worker would take the run up now."""
        return bool(await self.engine.store.claim(99, self.clock.now(), 10))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene]:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "charge", "taskRef": "t"}]))
    policy, clock = tmp_path / "policy.yaml", TestClock()
    policy.write_text(ALLOWING)
    policy.chmod(0o600)
    async with engine_over(tmp_path, READS, work=False, clock=clock, policy=policy) as engine:
        run = await engine.start("w", {}, requester=CLAUDE)
        (row,) = await engine.store.fetch("run_by_uid", tenant="default", uid=run.id)
        yield Scene(engine, clock, row["id"])


@pytest.mark.requirement("approval-single-use")
async def test_a_run_waits_for_a_yes_and_is_granted_exactly_that_once(scene: Scene) -> None:
    view = await scene.parked(CHARGE, NOTIFY)
    assert (view.kind, view.state, view.run) == ("run.mutations", "pending", view.plan.run)
    assert not await scene.due()
    assert (await scene.yes(view)).state == "approved"
    assert await scene.due()
    permit = await scene.asks(CHARGE, NOTIFY)
    assert isinstance(permit, Granted)
    assert permit.grant == view.id
    assert permit.ops == {op.id: operation_digest(op) for op in (CHARGE, NOTIFY)}
    assert (await scene.engine.approvals.get(view.id)).state == "claimed"
    again = await scene.parked(CHARGE, NOTIFY)
    assert again.id != view.id


async def test_a_yes_wakes_the_run_at_once_although_the_clock_was_set_back(scene: Scene) -> None:
    view = await scene.parked(CHARGE)
    scene.clock.time -= 3_600_000_000
    await scene.yes(view)
    assert await scene.due()


async def test_a_no_ends_the_run_in_the_same_transaction(scene: Scene) -> None:
    view = await scene.parked(CHARGE)
    approvals = scene.engine.approvals
    await approvals.deny(
        view.id, digest=view.digest, approver=await ann(scene.engine), comment="too much"
    )
    run = await scene.engine.run(view.run)
    assert run.status == "failed:denied"
    assert run.failure is not None
    assert "too much" in run.failure.message
    assert not await scene.due()


@pytest.mark.requirement("approval-bytes")
async def test_what_drifted_since_the_yes_is_asked_for_anew(scene: Scene) -> None:
    view = await scene.yes(await scene.parked(CHARGE))
    fresh = await scene.parked(replace(CHARGE, args={"cents": 10_000}))
    assert fresh.id != view.id
    assert (await scene.engine.approvals.get(view.id)).state == "void"


async def test_what_grew_before_the_decision_is_one_plan_again(scene: Scene) -> None:
    first = await scene.parked(CHARGE)
    assert (await scene.parked(CHARGE)).id == first.id
    second = await scene.parked(CHARGE, NOTIFY)
    assert (await scene.engine.approvals.get(first.id)).state == "superseded"
    assert [row.id for row in (await scene.engine.approvals.list()).rows] == [second.id]


@pytest.mark.requirement("approval-expiry")
async def test_an_approval_that_ran_out_is_void_and_the_run_is_not(scene: Scene) -> None:
    first = await scene.parked(CHARGE)
    scene.clock.time += PENDING_FOR
    second = await scene.parked(CHARGE)
    assert second.id != first.id
    await scene.yes(second)
    scene.clock.time += CLAIM_WITHIN
    third = await scene.parked(CHARGE)
    assert third.id not in (first.id, second.id)
    states = [(await scene.engine.approvals.get(view.id)).state for view in (first, second, third)]
    assert states == ["expired", "expired", "pending"]


async def test_a_vote_between_the_look_and_the_rest_is_not_missed(scene: Scene) -> None:
    view, before = await scene.parked(CHARGE), await scene.held()
    permit = await scene.engine.approvals.keeper.ask(before, (CHARGE,), (), scene.clock.now())
    assert isinstance(permit, Parked)
    await scene.yes(view)
    drop = Write("due_drop", {"stream": scene.stream})
    rest = Entry(scene.stream, before.version, (ev.TimerSet("t", 1),), (drop,))
    with pytest.raises(Stale):
        await scene.engine.store.append(Append((rest, *permit.entries), scene.clock.now(), "w"))
    assert await scene.due()


@pytest.mark.requirement("approval-single-use")
async def test_of_two_workers_one_claims(scene: Scene) -> None:
    await scene.yes(await scene.parked(CHARGE))
    one, two = await scene.held(), await scene.held()
    assert isinstance(await scene.asks(CHARGE, held=one), Granted)
    with pytest.raises(Stale):
        await scene.asks(CHARGE, held=two)


async def test_a_yes_that_was_taken_back_grants_nothing(scene: Scene) -> None:
    view = await scene.yes(await scene.parked(CHARGE))
    person = await ann(scene.engine)
    assert (await scene.engine.approvals.revoke(view.id, approver=person)).state == "revoked"
    assert (await scene.parked(CHARGE)).id != view.id


async def test_a_rule_grants_as_often_as_its_budget_says(scene: Scene) -> None:
    for _ in range(3):
        permit = await scene.asks(NOTIFY)
        assert isinstance(permit, Granted)
        assert permit.grant == "rule:mails"
    await scene.parked(NOTIFY)
    scene.clock.time += 61 * 60_000_000
    assert isinstance(await scene.asks(NOTIFY), Granted)


async def test_what_the_policy_forbids_ends_the_run(scene: Scene) -> None:
    permit = await scene.asks(replace(CHARGE, target="POST https://evil.example/x"))
    assert isinstance(permit, Denied)
    assert permit.failure.code == "forbidden"


async def test_a_policy_that_became_stricter_voids_the_approval_and_not_the_run(
    scene: Scene, tmp_path: Path
) -> None:
    view = await scene.yes(await scene.parked(CHARGE))
    stricter = ALLOWING.replace("{require: A2}", "{require: A2, typed: true}")
    (tmp_path / "policy.yaml").write_text(stricter)
    fresh = await scene.parked(CHARGE)
    assert (await scene.engine.approvals.get(view.id)).state == "void"
    assert (fresh.confirm, fresh.typed_words) == ("typed", "create 1")


async def test_a_policy_that_changed_otherwise_voids_nothing(scene: Scene, tmp_path: Path) -> None:
    view = await scene.yes(await scene.parked(CHARGE))
    (tmp_path / "policy.yaml").write_text(ALLOWING.replace("3/h", "4/h"))
    permit = await scene.asks(CHARGE)
    assert isinstance(permit, Granted)
    assert permit.grant == view.id


async def test_a_broken_policy_allows_nothing_not_even_what_was_approved(
    scene: Scene, tmp_path: Path
) -> None:
    view = await scene.parked(CHARGE)
    (tmp_path / "policy.yaml").write_text("rules: 7")
    with pytest.raises(Refused) as refused:
        await scene.yes(view)
    assert refused.value.code == "policy_changed"
    assert isinstance(await scene.asks(NOTIFY), Denied)


async def test_what_was_carried_out_is_finished_in_the_same_transaction(scene: Scene) -> None:
    view = await scene.yes(await scene.parked(CHARGE))
    await scene.asks(CHARGE)
    held = await scene.held()
    keeper = scene.engine.approvals.keeper
    entries = await keeper.finish(held, {view.id: "partial"}, scene.clock.now())
    done = Entry(scene.stream, held.version, (ev.RunCompleted(1),))
    await scene.engine.store.append(Append((done, *entries), scene.clock.now(), "worker"))
    shown = await scene.engine.approvals.get(view.id)
    assert (shown.state, shown.outcome) == ("done", "partial")
    assert await keeper.finish(held, {view.id: "ok"}, scene.clock.now()) == ()


async def test_a_run_that_ended_meanwhile_needs_no_decision(scene: Scene) -> None:
    view, held = await scene.parked(CHARGE), await scene.held()
    over = ev.RunFailed("failed:exhausted", "charge", Failure(Kind.TIMEOUT, "deadline", "late"))
    await scene.engine.store.append(
        Append((Entry(scene.stream, held.version, (over,)),), scene.clock.now(), "worker")
    )
    with pytest.raises(Refused) as refused:
        await scene.yes(view)
    assert refused.value.code == "run_over"
    assert (await scene.engine.approvals.get(view.id)).state == "void"


async def test_a_plan_of_more_than_a_person_reads_is_asked_in_parts(scene: Scene) -> None:
    many = tuple(replace(CHARGE, id=f"charge[{number}]") for number in range(250))
    view = await scene.parked(*many)
    assert len(view.plan.ops) == 200
    assert view.plan.later == ("50 more operations of this run",)


async def test_what_cannot_be_shown_exactly_ends_the_run(scene: Scene) -> None:
    permit = await scene.asks(replace(CHARGE, args={"text": "half \ud800"}))
    assert isinstance(permit, Denied)
    assert permit.failure.code == "bad_plan"


# -- asking again, for the same or for less -------------------------------------------------


async def test_a_run_whose_approval_ran_out_is_asked_for_anew_and_goes_on(scene: Scene) -> None:
    approvals = scene.engine.approvals
    old = await scene.parked(CHARGE)
    assert (await approvals.replan(old.id, requester=CLAUDE)).id == old.id
    scene.clock.time += PENDING_FOR
    fresh = await approvals.replan(old.id, requester=CLAUDE)
    assert (fresh.state, fresh.plan.ops, fresh.run) == ("pending", old.plan.ops, old.run)
    assert fresh.code != old.code
    assert (await approvals.replan(old.id, requester=CLAUDE)).id == fresh.id
    history = (await scene.held()).recorded
    assert history[-1].event.approval == fresh.id
    await scene.yes(fresh)
    permit = await scene.asks(CHARGE)
    assert isinstance(permit, Granted)
    assert permit.grant == fresh.id


async def test_many_who_ask_anew_get_one_fresh_approval(scene: Scene) -> None:
    old = await scene.parked(CHARGE)
    scene.clock.time += PENDING_FOR
    asks = (scene.engine.approvals.replan(old.id, requester=CLAUDE) for _ in range(8))
    assert len({view.id for view in await asyncio.gather(*asks)}) == 1


async def test_what_was_decided_or_is_over_is_not_asked_for_anew(scene: Scene) -> None:
    view = await scene.parked(CHARGE)
    await scene.engine.cancel(view.run, actor="x")
    assert (await scene.engine.approvals.get(view.id)).state == "void"
    with refusal("run_over"):
        await scene.engine.approvals.replan(view.id, requester=CLAUDE)


async def test_a_person_takes_operations_out_and_the_rest_is_asked_for_later(scene: Scene) -> None:
    approvals, person = scene.engine.approvals, await ann(scene.engine)
    ship = replace(CHARGE, id="ship")
    whole = await scene.parked(CHARGE, ship)
    for keep in ((), ("charge", "ship"), ("nothing",)):
        with refusal("bad_selection"):
            await approvals.derive(whole.id, keep, approver=person)
    part = await approvals.derive(whole.id, ["charge"], approver=person)
    gone = await approvals.get(whole.id)
    assert (gone.state, gone.successor) == ("superseded", part.id)
    assert part.expires_at == whole.expires_at
    assert (await scene.parked(CHARGE, ship)).id == part.id
    with refusal("already_decided"):
        await scene.yes(whole)
    await scene.yes(part)
    permit = await scene.asks(CHARGE, ship)
    assert isinstance(permit, Granted)
    assert permit.ops == {"charge": operation_digest(CHARGE)}
    assert [op.id for op in (await scene.parked(ship)).plan.ops] == ["ship"]

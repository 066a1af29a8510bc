"""What is gated waits for a person; their yes carries it out at once, their no lets nothing be."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, PythonTask, Refused
from engine.core.approval.plan import Requester
from engine.core.approval.state import COOL_DOWN, MOST_PENDING, PENDING_FOR
from engine.shell.clock import TestClock
from tests.shell.deciding import ann, asked, refusal, say_yes
from tests.shell.documents import engine_over, flow, look, task, write

MINUTE = 60_000_000
ASKS = Requester("stdio", client="Claude")


async def answer(given: Any) -> Any:
    return {"ok": True}


CHANGES = {"look": PythonTask(answer, Effect.MUTATION)}
READS = {"look": PythonTask(answer, Effect.READ)}


def changing(tmp_path: Path, **more: Any) -> None:
    """A workflow that changes something."""
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}], **more))


def reading(tmp_path: Path, *names: str) -> None:
    """Workflows that only read."""
    flows = [flow(name, [{"id": "a", "taskRef": "t"}]) for name in names or ("w",)]
    write(tmp_path / "documents", look("t"), *flows)


# -- accepting a version --------------------------------------------------------------------


@pytest.mark.requirement("gated-versions")
async def test_a_version_that_changes_things_starts_once_a_person_has_accepted_it(
    tmp_path: Path,
) -> None:
    changing(tmp_path)
    async with engine_over(tmp_path, CHANGES, work=False) as engine:
        view = await asked(engine.start("w", {}, requester=ASKS))
        assert (view.kind, view.state, view.approver_exists) == ("version.accept", "pending", False)
        (op,) = view.plan.ops
        assert op.args["changes"] == [{"step": "a", "task": "default/t", "calls": "python look"}]
        done = await say_yes(engine, engine.start("w", {}, requester=ASKS))
        assert (done.id, done.state, done.outcome) == (view.id, "done", "ok")
        assert (await engine.start("w", {}, requester=ASKS)).status == "pending"
        assert not (await engine.versions("w"))[0].pending


@pytest.mark.requirement("gated-versions")
async def test_a_changed_document_is_pending_again_and_the_accepted_one_stays_the_default(
    tmp_path: Path,
) -> None:
    changing(tmp_path)
    async with engine_over(tmp_path, CHANGES, work=False) as engine:
        await say_yes(engine, engine.approvals.accept("w", requester=ASKS))
        changing(tmp_path, output={"new": 1})
        await engine.refresh()
        assert [(v.pending, v.is_default) for v in await engine.versions("w")] == [
            (False, True),
            (True, False),
        ]
        view = await say_yes(engine, engine.approvals.accept("w", "1.0.1", requester=ASKS))
        assert view.plan.ops[0].args["becomesDefault"] is True
        assert [(v.pending, v.is_default) for v in await engine.versions("w")] == [
            (False, False),
            (False, True),
        ]


async def test_sub_workflows_that_wait_are_accepted_together(tmp_path: Path) -> None:
    inner = flow("inner", [{"id": "a", "taskRef": "t"}])
    outer = flow("outer", [{"id": "x", "taskRef": "t"}, {"id": "s", "workflowRef": "inner"}])
    write(tmp_path / "documents", look("t"), inner, outer)
    async with engine_over(tmp_path, CHANGES, work=False) as engine:
        view = await say_yes(engine, engine.start("outer", {}, requester=ASKS))
        assert sorted(op.target for op in view.plan.ops) == [
            "version default/inner 1.0.0",
            "version default/outer 1.0.0",
        ]
        await engine.start("outer", {}, requester=ASKS)
        await engine.start("inner", {}, requester=ASKS)


async def test_what_is_accepted_or_switched_already_asks_nobody(tmp_path: Path) -> None:
    reading(tmp_path)
    async with engine_over(tmp_path, READS, work=False) as engine:
        await engine.approvals.accept("w", requester=ASKS)
        await engine.set_default("w", "latest", requester=ASKS)
        await engine.deprecate("w", "1.0.0", requester=ASKS, undo=True)


# -- asking again -----------------------------------------------------------------------------


async def test_asking_again_gives_the_same_approval_also_to_another_client_and_all_at_once(
    tmp_path: Path,
) -> None:
    reading(tmp_path)
    async with (
        engine_over(tmp_path, READS, work=False) as one,
        engine_over(tmp_path, READS, work=False) as two,
    ):
        other = Requester("terminal", client="handrail")
        calls = [
            asked(engine.deprecate("w", "1.0.0", requester=who))
            for engine in (one, two)
            for who in (ASKS, other)
            for _ in range(5)
        ]
        assert len({view.id for view in await asyncio.gather(*calls)}) == 1
        assert len((await two.approvals.list()).rows) == 1


async def test_after_a_no_the_same_is_not_asked_for_ten_minutes(tmp_path: Path) -> None:
    reading(tmp_path)
    clock = TestClock()
    async with engine_over(tmp_path, READS, work=False, clock=clock) as engine:
        view = await asked(engine.deprecate("w", "1.0.0"))
        person = await ann(engine)
        denied = await engine.approvals.deny(
            view.id, digest=view.digest, approver=person, comment="not now"
        )
        assert (denied.state, denied.comment) == ("denied", "not now")
        with refusal("recently_denied"):
            await engine.deprecate("w", "1.0.0")
        assert not (await engine.versions("w"))[0].deprecated
        clock.time += COOL_DOWN
        again = await asked(engine.deprecate("w", "1.0.0"))
        assert again.id != view.id


async def test_nobody_buries_a_person_in_questions(tmp_path: Path) -> None:
    names = [f"w{number}" for number in range(MOST_PENDING + 1)]
    reading(tmp_path, *names)
    async with engine_over(tmp_path, READS, work=False) as engine:
        views = [await asked(engine.deprecate(name, "1.0.0")) for name in names[:-1]]
        with refusal("too_many_pending"):
            await engine.deprecate(names[-1], "1.0.0")
        somebody = Requester("http", "https://idp", "bob")
        await asked(engine.deprecate(names[-1], "1.0.0", requester=somebody))
        await engine.approvals.withdraw(views[0].id, requester=ASKS)
        await asked(engine.deprecate(names[-1], "1.0.0"))


async def test_only_who_asked_takes_a_question_back(tmp_path: Path) -> None:
    reading(tmp_path)
    async with engine_over(tmp_path, READS, work=False) as engine:
        view = await asked(engine.deprecate("w", "1.0.0"))
        with refusal("not_yours"):
            await engine.approvals.withdraw(view.id, requester=Requester("http", "i", "bob"))
        gone = await engine.approvals.withdraw(view.id, requester=ASKS)
        assert gone.state == "cancelled"
        with refusal("already_decided"):
            await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))


# -- deciding -----------------------------------------------------------------------------------


@pytest.mark.requirement("approval-single-use")
async def test_of_many_who_decide_at_once_in_two_processes_one_is_heard(tmp_path: Path) -> None:
    reading(tmp_path)
    async with (
        engine_over(tmp_path, READS, work=False) as one,
        engine_over(tmp_path, READS, work=False) as two,
    ):
        view = await asked(one.deprecate("w", "1.0.0"))
        person = await ann(one)

        async def decides(number: int) -> str:
            book = (one, two)[number % 2].approvals
            vote = book.approve if number % 3 else book.deny
            try:
                return (await vote(view.id, digest=view.digest, approver=person)).state
            except Refused as refused:
                return refused.code

        heard = await asyncio.gather(*(decides(number) for number in range(20)))
        assert len([word for word in heard if word != "already_decided"]) == 1
        said = (await two.approvals.get(view.id)).state
        await two.refresh()
        assert said in heard
        assert (await two.versions("w"))[0].deprecated == (said == "done")
        kinds = [line.event.__class__.__name__ async for line in one.store.tail()]
        assert kinds.count("ApprovalVoted") == 1
        assert kinds.count("VersionDeprecated") == (said == "done")


@pytest.mark.requirement("approval-expiry")
async def test_what_ran_out_stays_so_although_the_clock_is_set_back(tmp_path: Path) -> None:
    reading(tmp_path)
    clock = TestClock()
    async with engine_over(tmp_path, READS, work=False, clock=clock) as engine:
        view, person = await asked(engine.deprecate("w", "1.0.0")), await ann(engine)
        clock.time += PENDING_FOR
        assert (await engine.approvals.get(view.id)).state == "expired"
        clock.time -= 10 * MINUTE
        with refusal("expired"):
            await engine.approvals.approve(view.id, digest=view.digest, approver=person)
        assert (await engine.approvals.list()).rows == ()
        again = await asked(engine.deprecate("w", "1.0.0"))
        assert again.id != view.id
    clock.time -= 10 * MINUTE  # and another process, whose clock is behind
    async with engine_over(tmp_path, READS, work=False, clock=clock) as engine:
        assert (await engine.approvals.get(again.id)).expires_at > again.requested_at
        other = await asked(engine.deprecate("w", "1.0.0"))
        assert other.id == again.id


async def test_a_yes_counts_for_the_bytes_that_were_shown(tmp_path: Path) -> None:
    reading(tmp_path)
    async with engine_over(tmp_path, READS, work=False) as engine:
        view, person = await asked(engine.deprecate("w", "1.0.0")), await ann(engine)
        with refusal("digest_changed"):
            await engine.approvals.approve(view.id, digest="0" * 64, approver=person)
        with refusal("wrong_code"):
            await engine.approvals.approve(
                view.id, digest=view.digest, approver=person, code="AAAAAAAA"
            )
        with refusal("assurance_too_low"):
            await engine.approvals.approve(
                view.id, digest=view.digest, approver=engine.approvals.attested(ASKS)
            )
        with refusal("unknown_approval"):
            await engine.approvals.get("apr_forged")
        done = await engine.approvals.approve(
            view.id, digest=view.digest, approver=person, code=view.code
        )
        assert (done.state, done.decided_by, done.channel) == ("done", "ann", "terminal")


async def test_a_default_is_pinned_and_let_go_by_a_person(tmp_path: Path) -> None:
    reading(tmp_path)
    async with engine_over(tmp_path, READS, work=False) as engine:
        await say_yes(engine, engine.set_default("w", "1.0.0"))
        assert (await engine.versions("w"))[0].pinned
        await say_yes(engine, engine.set_default("w", "latest"))
        assert not (await engine.versions("w"))[0].pinned


async def test_somebody_elses_run_is_cancelled_by_a_person_only(tmp_path: Path) -> None:
    reading(tmp_path)
    bob = Requester("http", "https://idp", "bob")
    async with engine_over(tmp_path, READS, work=False) as engine:
        run = await engine.start("w", {}, requester=bob)
        view = await asked(engine.cancel(run.id, actor="x", requester=ASKS))
        assert "bob" in view.plan.ops[0].args["whose"]
        assert (await engine.run(run.id)).status == "pending"
        done = await say_yes(engine, engine.cancel(run.id, actor="x", requester=ASKS))
        assert (done.state, (await engine.run(run.id)).status) == ("done", "cancelled")
        own = await engine.start("w", {}, requester=bob)
        assert (await engine.cancel(own.id, actor="x", requester=bob)).status == "cancelled"


async def test_a_run_that_ended_meanwhile_is_not_cancelled(tmp_path: Path) -> None:
    reading(tmp_path)
    bob = Requester("http", "https://idp", "bob")
    async with engine_over(tmp_path, READS, work=False) as engine:
        run = await engine.start("w", {}, requester=bob)
        view = await asked(engine.cancel(run.id, actor="x", requester=ASKS))
        await engine.cancel(run.id, actor="x", requester=bob)
        done = await engine.approvals.approve(
            view.id, digest=view.digest, approver=await ann(engine)
        )
        assert (done.state, done.outcome, done.result["code"]) == (
            "done",
            "failed",
            "already_ended",
        )


async def test_of_whom_too_much_waits_nobody_starts_what_would_ask_for_more(tmp_path: Path) -> None:
    reading(tmp_path, *(f"r{number}" for number in range(MOST_PENDING)))
    inner = flow("inner", [{"id": "a", "taskRef": "c"}])
    outer = flow("outer", [{"id": "s", "workflowRef": "inner"}])
    change = task("c", type="python", python={"function": "change"})
    write(tmp_path / "documents", change, inner, outer, name="more.yaml")
    functions = READS | {"change": PythonTask(answer, Effect.MUTATION)}
    hour = 60 * MINUTE
    async with engine_over(tmp_path, functions, work=False) as engine:
        await say_yes(engine, engine.start("outer", {}, requester=ASKS, again_after=hour))
        first = await engine.start("outer", {}, requester=ASKS, again_after=hour)
        for number in range(MOST_PENDING):
            await asked(engine.deprecate(f"r{number}", "1.0.0", requester=ASKS))
        again = await engine.start("outer", {}, requester=ASKS, again_after=hour)
        assert (again.id, again.reused) == (first.id, True)
        with refusal("too_many_pending"):
            await engine.start("inner", {}, requester=ASKS, again_after=hour)

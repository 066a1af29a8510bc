"""Mutations, driven: asked for together, sent as allowed, and told of whatever happens."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core import events as ev
from engine.core.model import Workflow
from engine.core.run import Resolve, decide
from tests.core.worlds import compile_all, flow, look, task
from tests.shell.drives import World, world
from tests.shell.till import Till, connector, till

NUMBER = {"n": {"type": "integer", "required": True, "description": "A number."}}


def pay(kind: str, **more: Any) -> dict[str, Any]:
    """A task that calls one operation of the till."""
    return task(f"pay-{kind}", connector=f"till/{kind}", **more)


def paying(till: Till, kind: str, steps: int = 1, **more: Any) -> dict[str, Workflow]:
    """A workflow of some payments, one after the other."""
    chain = [
        {"id": f"p{n}", "taskRef": f"pay-{kind}", "input": {"amount": n + 1},
         "dependsOn": [f"p{n - 1}"] if n else []}
        for n in range(steps)
    ]  # fmt: skip
    return compile_all(connector(till.server.url("")), pay(kind, **more), flow("w", chain))


async def statuses(world: World) -> dict[str, str]:
    return {path: step.status for path, step in (await world.run()).steps.items()}


@pytest.mark.requirement("mutation-once")
async def test_what_is_known_beforehand_is_asked_for_at_once_and_done_as_it_was_asked(
    tmp_path: Path,
) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "key", 3), shop) as made:
        await made.start("w")
        run = await made.go()
        assert (run.status, run.sends["p0"].grant) == ("completed", "apr_1")
        assert made.person.ids == [["p0", "p1", "p2"]]
        (ops, _), *_ = made.person.asked
        assert [op.verb for op in ops] == ["create"] * 3
        assert ops[1].args["request"]["body"] == '{"amount":2}'
        assert shop.server.bodies == [b'{"amount":1}', b'{"amount":2}', b'{"amount":3}']
        assert len({key for _, key in shop.effects}) == 3
        assert all(key.startswith("hr1_") and len(key) == 44 for _, key in shop.effects)
        assert made.person.finished == [("apr_1", "ok")]
        assert len(await made.events(ev.StepInFlight)) == 3


async def test_without_a_word_the_run_waits_and_asks_again_when_it_is_woken(
    tmp_path: Path,
) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "none"), shop) as made:
        made.person.says = ["wait", "wait"]
        await made.start("w")
        run = await made.go()
        assert (run.status, run.approval, shop.effects) == ("paused:approval", "apr_1", [])
        assert await made.due() is None
        assert (await made.go()).approval == "apr_2"
        run = await made.go()
        assert (run.status, len(shop.effects)) == ("completed", 1)


async def test_a_no_ends_the_run(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "none"), shop) as made:
        made.person.says = ["no"]
        await made.start("w")
        run = await made.go()
        assert (run.status, shop.effects) == ("failed:denied", [])
        assert run.failure is not None
        assert run.failure.code == "denied"


@pytest.mark.parametrize("kind", ["natural", "key"])
async def test_what_may_be_sent_again_is_until_it_is_known(tmp_path: Path, kind: str) -> None:
    async with till() as shop, world(tmp_path, paying(shop, kind), shop) as made:
        shop.plan = ["silent", "lost", "500"]
        await made.start("w")
        run = await made.go()
        assert (run.status, run.sends["p0"].send) == ("completed", 4)
        assert len(set(shop.effects)) == 1
        assert len(made.person.asked) == 1
        assert len(await made.events(ev.StepUnknown)) == 3


@pytest.mark.parametrize("how", ["silent", "lost", "500", "done-500"])
async def test_what_may_not_waits_for_a_person(tmp_path: Path, how: str) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "none", 2), shop) as made:
        shop.plan = [how]
        await made.start("w")
        run = await made.go()
        assert (run.status, await statuses(made)) == (
            "paused:reconciliation", {"p0": "indeterminate"},
        )  # fmt: skip
        assert await made.due() is None
        before = len(shop.effects)
        assert (await made.go()).status == "paused:reconciliation"
        assert len(shop.effects) == before
        await made.tell(*decide(run, Resolve("p0", "happened", {"number": 9}, "ann", 5)))
        run = await made.go()
        assert (run.status, len(shop.effects)) == ("completed", before + 1)
        assert run.output["p0"] == {"number": 9}


async def test_what_happened_with_a_result_that_nobody_could_read_is_said_to_have(
    tmp_path: Path,
) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "none"), shop) as made:
        shop.plan = ["garbled"]
        await made.start("w")
        run = await made.go()
        assert (run.status, run.sends["p0"].reason) == ("paused:reconciliation", "result_unknown")
        assert len(shop.effects) == 1


async def test_what_did_not_happen_is_sent_again_under_a_new_key(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "lookup"), shop) as made:
        shop.plan, shop.deaf = ["500"], True
        await made.start("w")
        run = await made.go()
        assert (run.sends["p0"].reason, shop.reads) == ("looked_up_in_vain", 5)
        await made.tell(*decide(run, Resolve("p0", "did_not_happen", None, "ann", 5)))
        run = await made.go()
        assert (run.status, len(shop.effects)) == ("completed", 1)
        first, second = await made.events(ev.StepInFlight)
        assert (first.key != second.key, second.send, second.attempt) == (True, 2, 2)


@pytest.mark.parametrize(("hidden", "sends"), [(0, 1), (1, 1)])
async def test_a_look_up_finds_what_happened(tmp_path: Path, hidden: int, sends: int) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "lookup"), shop) as made:
        shop.plan, shop.hidden = ["silent"], hidden
        await made.start("w")
        run = await made.go()
        assert (run.status, len(shop.effects), run.sends["p0"].send) == ("completed", 1, sends)
        assert run.output["p0"] == {"number": 1}
        assert shop.reads == hidden + 1


async def test_two_noes_that_count_prove_that_nothing_happened(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "lookup"), shop) as made:
        shop.plan = ["lost"]
        await made.start("w")
        run = await made.go()
        assert (run.status, len(shop.effects), shop.reads) == ("completed", 1, 2)
        looks = await made.events(ev.StepLookedUp)
        assert [(one.verdict, one.proven) for one in looks] == [("no", True)] * 2
        assert looks[1].at - looks[0].at >= 1_000_000


async def test_a_key_is_not_used_after_its_window(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "key"), shop) as made:
        shop.plan = ["silent"]
        await made.start("w")
        drive = await made.taken_up()
        await drive.go()
        made.clock.time += 3_600_000_000
        run = await made.go()
        assert (run.status, run.sends["p0"].reason) == ("paused:reconciliation", "key_expired")
        assert (len(shop.effects), run.sends["p0"].send) == (1, 1)


async def test_what_was_not_sent_is_tried_again_under_the_same_grant(tmp_path: Path) -> None:
    retry = {"maxAttempts": 3, "delay": "1s"}
    async with till() as shop, world(tmp_path, paying(shop, "none", retry=retry), shop) as made:
        shop.plan = ["503"]
        await made.start("w")
        run = await made.go()
        assert (run.status, run.sends["p0"].send, len(shop.effects)) == ("completed", 2, 1)
        assert len(made.person.asked) == 1


async def test_what_changed_since_it_was_allowed_is_not_sent(tmp_path: Path) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "guarded", 2), shop) as made:
        made.person.says = ["yes", "wait"]
        await made.start("w")
        shop.plan = ["held"]
        going = asyncio.create_task(made.go())
        await asyncio.wait_for(shop.reached.wait(), 20)
        shop.balance = 3
        shop.held.set()
        run = await going
        assert (run.status, run.approval) == ("paused:approval", "apr_2")
        assert [event.path for event in await made.events(ev.GrantVoided)] == ["p1"]
        assert made.person.ids == [["p0", "p1"], ["p1"]]
        assert made.person.finished == [("apr_1", "drifted")]
        assert len(shop.effects) == 1
        assert (await made.go()).status == "completed"


async def test_every_item_of_a_list_is_asked_for_together(tmp_path: Path) -> None:
    async with till() as shop:
        each = {"id": "p", "taskRef": "pay-none", "forEach": {"items": "{{input.l}}"},
                "input": {"amount": "{{forEach.item}}"}}  # fmt: skip
        flows = compile_all(connector(shop.server.url("")), pay("none"), flow("w", [each]))
        async with world(tmp_path, flows, shop) as made:
            await made.start("w", {"l": [3, 1, 2]})
            run = await made.go()
            assert made.person.ids == [["p[0]", "p[1]", "p[2]"]]
            assert (run.status, len(shop.effects)) == ("completed", 3)


async def test_a_long_list_is_one_operation_over_all_of_it(tmp_path: Path) -> None:
    async with till() as shop:
        each = {"id": "p", "taskRef": "pay-none", "input": {"amount": "{{forEach.item}}"},
                "forEach": {"items": "{{input.l}}", "maxParallel": 20}}  # fmt: skip
        flows = compile_all(connector(shop.server.url("")), pay("none"), flow("w", [each]))
        async with world(tmp_path, flows, shop) as made:
            await made.start("w", {"l": list(range(230))})
            run = await made.go()
            (ops, _), *more = made.person.asked
            assert [(op.id, op.count) for op in ops] == [("p[*]", 230)]
            assert more == []
            assert (run.status, len(shop.effects)) == ("completed", 230)


async def test_a_sub_workflow_for_each_item_is_asked_for_as_a_template(tmp_path: Path) -> None:
    async with till() as shop:
        steps = [{"id": "c", "taskRef": "pay-key", "input": {"amount": "{{input.n}}"}}]
        inner = flow("inner", steps, input=NUMBER)
        each = {"id": "l", "workflowRef": "inner", "input": {"n": "{{forEach.item}}"},
                "forEach": {"items": "{{input.l}}"}}  # fmt: skip
        flows = compile_all(connector(shop.server.url("")), pay("key"), inner, flow("w", [each]))
        async with world(tmp_path, flows, shop) as made:
            await made.start("w", {"l": [5, 6]})
            run = await made.go()
            (ops, _), *more = made.person.asked
            assert [(op.id, op.count, more) for op in ops] == [("l[*]/c", 2, [])]
            assert (run.status, len(shop.effects)) == ("completed", 2)


async def test_a_template_still_fits_for_whoever_takes_the_run_over(tmp_path: Path) -> None:
    async with till() as shop:
        steps = [{"id": "c", "taskRef": "pay-key", "input": {"amount": "{{input.n}}"}}]
        inner = flow("inner", steps, input=NUMBER)
        each = {"id": "l", "workflowRef": "inner", "input": {"n": "{{forEach.item}}"},
                "forEach": {"items": "{{input.l}}"}}  # fmt: skip
        flows = compile_all(connector(shop.server.url("")), pay("key"), inner, flow("w", [each]))
        async with world(tmp_path, flows, shop) as made:
            shop.plan = ["fine", "silent"]
            await made.start("w", {"l": [5, 6, 7]})
            run = await made.go()  # each rest is a new life, with a planner that knows nothing
            assert (run.status, len(shop.effects), len(made.person.asked)) == ("completed", 3, 1)
            assert run.grants["l[*]/c"].paths == {"l[0]/c", "l[1]/c", "l[2]/c"}


async def test_what_a_plan_needs_to_know_is_read_again_when_it_could_not_be(
    tmp_path: Path,
) -> None:
    async with till() as shop, world(tmp_path, paying(shop, "guarded"), shop) as made:
        shop.deaf = True
        await made.start("w")
        at = await (await made.taken_up()).go()
        assert (made.person.asked, shop.effects) == ([], [])
        assert at is not None
        shop.deaf, made.clock.time = False, at
        assert (await made.go()).status == "completed"
        (ops, _) = made.person.asked[0]
        assert (len(ops[0].precondition), ops[0].weak_cas, len(shop.effects)) == (64, True, 1)


async def test_what_hangs_on_an_answer_is_told_in_words_and_asked_for_when_it_is_known(
    tmp_path: Path,
) -> None:
    async with till() as shop:
        steps = [
            {"id": "a", "taskRef": "pay-none", "input": {"amount": 1}},
            {"id": "b", "taskRef": "pay-none", "input": {"amount": "{{tasks.a.output.number}}"}},
            {"id": "c", "taskRef": "pay-none", "input": {"amount": 7},
             "condition": "{{tasks.b.output.number > 5}}"},
            {"id": "d", "taskRef": "pay-none", "input": {"amount": 8}, "dependsOn": ["b"]},
        ]  # fmt: skip
        flows = compile_all(connector(shop.server.url("")), pay("none"), flow("w", steps))
        async with world(tmp_path, flows, shop) as made:
            await made.start("w")
            run = await made.go()
            assert made.person.ids == [["a", "d"], ["b"]]
            assert [line.partition(":")[0] for line in made.person.asked[0][1]] == ["b", "c"]
            assert (run.status, len(shop.effects)) == ("completed", 3)


async def test_reads_go_on_while_nothing_is_allowed(tmp_path: Path) -> None:
    async with till() as shop:
        steps: list[Any] = [
            {"id": "a", "taskRef": "pay-none", "input": {"amount": 1}},
            {"id": "r", "taskRef": "look"},
        ]
        flows = compile_all(
            connector(shop.server.url("")), pay("none"), look("look"), flow("w", steps)
        )

        async def seen(given: Any) -> Any:
            return {"seen": True}

        async with world(tmp_path, flows, shop, {"look": seen}) as made:
            made.person.says = ["wait"]
            await made.start("w")
            assert (await made.go()).status == "paused:approval"
            assert await statuses(made) == {"r": "done"}


async def test_a_function_that_raised_may_have_done_something(tmp_path: Path) -> None:
    send = task("send", type="python", python={"function": "send"})
    flows = compile_all(send, flow("w", [{"id": "s", "taskRef": "send"}]))

    async def boom(given: Any) -> Any:
        raise RuntimeError("secret")

    async with world(tmp_path, flows, None, {"send": boom}) as made:
        await made.start("w")
        run = await made.go()
        assert (run.status, run.sends["s"].reason) == ("paused:reconciliation", "no_way_to_know")
        (unknown,) = await made.events(ev.StepUnknown)
        assert unknown.reason == "unclassified"

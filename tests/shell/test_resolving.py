"""A change that nobody knows the fate of: a person says it, once, and the run goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask
from engine.core.approval.plan import Requester
from engine.core.errors import Failure, Kind, StepError
from engine.core.views import RunView
from tests.shell.deciding import ann, asked, refusal, say_yes
from tests.shell.documents import engine_over, flow, write
from tests.shell.test_gate_runs import SEND, begun, moved_on

ASKS = Requester("stdio", client="Claude")
STEPS: list[Any] = [{"id": "a", "taskRef": "send", "input": {"n": 1}}]
OUTPUT = {"said": "{{tasks.a.output.id}}"}


def breaking(sent: list[Any]) -> Callable[[Any], Any]:
    """A function that dies after it has sent, the first time."""

    def send(given: Any) -> Any:
        sent.append(given)
        if len(sent) == 1:
            raise RuntimeError("the line is dead")
        return {"id": "second"}

    return send


async def lost(engine: Engine) -> str:
    """A run whose one change was sent, and whose outcome nobody knows."""
    run_id = await begun(engine)
    view = await engine.approvals.get((await engine.run(run_id)).approval)
    await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))
    assert (await moved_on(engine, run_id)).status == "paused:reconciliation"
    return run_id


async def resolved(engine: Engine, run_id: str, verdict: str, result: Any = None) -> None:
    call = engine.approvals.resolve(run_id, "a", verdict, result, requester=ASKS)
    done = await say_yes(engine, call)
    assert (done.kind, done.state, done.outcome) == ("mutation.resolve", "done", "ok")


async def completed(engine: Engine, run_id: str) -> RunView:
    """The run once it is completed."""
    async with asyncio.timeout(20):
        while True:
            moved = asyncio.ensure_future(engine.moved())
            await asyncio.sleep(0)
            run = await engine.run(run_id)
            if run.status == "completed":
                moved.cancel()
                return run
            await moved


@pytest.mark.requirement("resolved-by-a-person")
async def test_what_happened_goes_on_with_the_result_that_a_person_gave(tmp_path: Path) -> None:
    sent: list[Any] = []
    write(tmp_path / "documents", SEND, flow("w", STEPS, output=OUTPUT))
    async with engine_over(tmp_path, {"send": PythonTask(breaking(sent))}) as engine:
        run_id = await lost(engine)
        await resolved(engine, run_id, "happened", {"id": "by hand"})
        run = await completed(engine, run_id)
        assert (run.output, len(sent)) == ({"said": "by hand"}, 1)
        await engine.approvals.resolve(run_id, "a", "happened", {"id": "x"}, requester=ASKS)
        with refusal("not_unresolved"):
            await engine.approvals.resolve(run_id, "a", "skip", requester=ASKS)
        assert (await engine.approvals.needing()).outcomes == ()


@pytest.mark.requirement("resolved-by-a-person")
async def test_what_did_not_happen_is_sent_once_more_as_it_was_allowed(tmp_path: Path) -> None:
    sent: list[Any] = []
    write(tmp_path / "documents", SEND, flow("w", STEPS, output=OUTPUT))
    async with engine_over(tmp_path, {"send": PythonTask(breaking(sent))}) as engine:
        run_id = await lost(engine)
        view = await asked(engine.approvals.resolve(run_id, "a", "did_not_happen", requester=ASKS))
        assert "sent once more" in view.plan.ops[0].args["then"]
        assert len(sent) == 1
        await resolved(engine, run_id, "did_not_happen")
        run = await completed(engine, run_id)
        assert (run.output, sent) == ({"said": "second"}, [{"n": 1}] * 2)


@pytest.mark.requirement("resolved-by-a-person")
async def test_nobody_but_a_person_says_what_became_of_a_change(tmp_path: Path) -> None:
    sent: list[Any] = []
    write(tmp_path / "documents", SEND, flow("w", STEPS, output=OUTPUT))
    async with engine_over(tmp_path, {"send": PythonTask(breaking(sent))}) as engine:
        run_id = await lost(engine)
        approvals = engine.approvals
        view = await asked(approvals.resolve(run_id, "a", "happened", {"id": 7}, requester=ASKS))
        other = await asked(approvals.resolve(run_id, "a", "skip", requester=ASKS))
        assert other.id != view.id
        assert (await engine.run(run_id)).status == "paused:reconciliation"
        (op,) = view.plan.ops
        assert (op.args["verdict"], op.args["result"]) == ("happened", {"id": 7})
        done = await approvals.approve(other.id, digest=other.digest, approver=await ann(engine))
        late = await approvals.approve(view.id, digest=view.digest, approver=await ann(engine))
        assert (done.outcome, late.outcome) == ("ok", "failed")
        for path, verdict, code in (
            ("nope", "skip", "unknown_step"),
            ("a", "perhaps", "unknown_verdict"),
        ):
            with refusal(code):
                await approvals.resolve(run_id, path, verdict, requester=ASKS)
        with refusal("unknown_run"):
            await approvals.resolve("nope", "a", "skip", requester=ASKS)
        with refusal("invalid_input"):
            await approvals.resolve(run_id, "a", "happened", float("nan"), requester=ASKS)


async def test_a_run_that_waits_for_a_person_to_put_something_right_is_listed(
    tmp_path: Path,
) -> None:
    def denied(given: Any) -> Any:
        raise StepError(Failure(Kind.AUTH, "token_expired", "log in again"))

    write(tmp_path / "documents", SEND, flow("w", STEPS))
    async with engine_over(tmp_path, {"send": PythonTask(denied, Effect.READ)}) as engine:
        run = await engine.wait((await engine.start("w", {})).id, 20)
        assert run.status == "paused:auth"
        needing = await engine.approvals.needing()
        assert [(one.run, one.status, one.step) for one in needing.blocked] == [
            (run.id, "paused:auth", "a")
        ]

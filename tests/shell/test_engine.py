"""The engine whole, on a real database: runs, retries, restarts, versions, bad input."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask, Refused, RunFilter
from engine.core.errors import Failure, Kind, Move, StepError
from engine.core.statistics import Statistics
from tests.shell.deciding import asked, say_yes
from tests.shell.documents import engine_over, flow, look, task, write

NUMBER = {"n": {"type": "integer", "required": True, "description": "A number."}}
GONE = Failure(Kind.PERMANENT, "http_404", "not there")


async def double(given: Any) -> Any:
    return {"n": given["n"] * 2}


def reads(function: Callable[[Any], Any]) -> dict[str, PythonTask]:
    return {"look": PythonTask(function, Effect.READ)}


def doubling(tmp_path: Path) -> None:
    step = {"id": "a", "taskRef": "t", "input": {"n": "{{input.n}}"}}
    output = {"n": "{{tasks.a.output.n}}"}
    write(tmp_path / "documents", look("t"), flow("w", [step], input=NUMBER, output=output))


@pytest.mark.requirement("output-mapping")
async def test_a_run_ends_with_its_output_and_its_steps(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with engine_over(tmp_path, reads(double)) as engine:
        run = await engine.wait((await engine.start("w", {"n": 4})).id, 5)
        assert (run.status, run.output, run.whose_move) == ("completed", {"n": 8}, Move.NONE)
        assert [(step.path, step.status) for step in run.steps] == [("a", "done")]
        assert await engine.run(run.id) == run


async def test_a_wrong_input_names_every_field_and_starts_nothing(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with engine_over(tmp_path, reads(double)) as engine:
        with pytest.raises(Refused) as refused:
            await engine.start("w", {"m": 1})
        assert refused.value.code == "invalid_input"
        assert [field.name for field in refused.value.details["missing"]] == ["n"]
        assert [field.name for field in refused.value.details["invalid"]] == ["m"]
        assert (await engine.runs()).rows == ()


@pytest.mark.requirement("missing-version")
@pytest.mark.parametrize(
    ("name", "version", "code"),
    [
        ("v", "", "unknown_workflow"),
        ("w", "9.9.9", "unknown_version"),
        ("x/w", "", "unknown_workflow"),
    ],
)
async def test_an_unknown_name_is_refused_with_what_is_near(
    tmp_path: Path, name: str, version: str, code: str
) -> None:
    doubling(tmp_path)
    async with engine_over(tmp_path, reads(double)) as engine:
        with pytest.raises(Refused) as refused:
            await engine.start(name, {"n": 1}, version=version)
        assert refused.value.code == code
        assert refused.value.hint


async def test_the_same_key_gives_the_same_run_and_another_input_is_refused(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with engine_over(tmp_path, reads(double)) as engine:
        runs = await asyncio.gather(*(engine.start("w", {"n": 1}, key="k") for _ in range(8)))
        assert len({run.id for run in runs}) == 1
        assert sorted(run.reused for run in runs) == [False] + [True] * 7
        with pytest.raises(Refused, match="another input"):
            await engine.start("w", {"n": 2}, key="k")


async def test_a_failed_run_is_retried_by_hand_without_repeating_what_was_done(
    tmp_path: Path,
) -> None:
    calls, broken = list[str](), [True]

    async def function(given: Any) -> Any:
        calls.append(given["step"])
        if given["step"] == "b" and broken[0]:
            raise StepError(GONE)
        return 1

    steps = [
        {"id": "a", "taskRef": "t", "input": {"step": "a"}},
        {"id": "b", "taskRef": "t", "input": {"step": "b"}, "dependsOn": ["a"]},
    ]
    write(tmp_path / "documents", look("t"), flow("w", steps))
    async with engine_over(tmp_path, reads(function)) as engine:
        failed = await engine.wait((await engine.start("w", {})).id, 5)
        assert (failed.status, failed.failed_step) == ("failed:exhausted", "b")
        assert failed.output == {"a": 1}
        broken[0] = False
        retried = await engine.retry(failed.id, actor="ann")
        assert (await engine.wait(retried.id, 5)).status == "completed"
        assert calls == ["a", "b", "b"]
        assert (await engine.run(failed.id)).retried_by == retried.id
        assert (await engine.run(retried.id)).retry_of == failed.id
        with pytest.raises(Refused, match="retried already"):
            await engine.retry(failed.id, actor="ann")


async def test_a_run_that_ended_well_is_not_retried(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with engine_over(tmp_path, reads(double)) as engine:
        run = await engine.wait((await engine.start("w", {"n": 1})).id, 5)
        for verb, code in ((engine.retry, "not_retryable"), (engine.cancel, "already_ended")):
            with pytest.raises(Refused) as refused:
                await verb(run.id, actor="ann")
            assert refused.value.code == code


async def test_cancelling_ends_a_run_at_once_and_stops_its_call(tmp_path: Path) -> None:
    entered, stopped = asyncio.Event(), asyncio.Event()

    async def stuck(given: Any) -> Any:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, reads(stuck)) as engine:
        run = await engine.start("w", {})
        await asyncio.wait_for(entered.wait(), 5)
        assert (await engine.cancel(run.id, actor="ann", reason="enough")).status == "cancelled"
        await asyncio.wait_for(stopped.wait(), 5)
        assert (await engine.run(run.id)).status == "cancelled"


async def test_a_deadline_ends_a_call_that_does_not_return(tmp_path: Path) -> None:
    async def stuck(given: Any) -> Any:
        await asyncio.Event().wait()

    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, reads(stuck)) as engine:
        run = await engine.start("w", {}, deadline=50_000)
        ended = await engine.wait(run.id, 5)
        assert ended.failure is not None
        assert ended.failure.code == "deadline"


@pytest.mark.requirement("errors-at-source")
async def test_an_error_nobody_classified_is_our_bug_and_its_text_stays_inside(
    tmp_path: Path,
) -> None:
    async def broken(given: Any) -> Any:
        raise KeyError("rate limit for password hunter2")

    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, reads(broken)) as engine:
        ended = await engine.wait((await engine.start("w", {})).id, 5)
        assert ended.status == "failed:internal"
        assert "hunter2" not in repr(ended)


async def test_an_output_that_is_not_json_fails_its_step(tmp_path: Path) -> None:
    async def odd(given: Any) -> Any:
        return object()

    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, reads(odd)) as engine:
        ended = await engine.wait((await engine.start("w", {})).id, 5)
        assert ended.failure is not None
        assert (ended.status, ended.failure.code) == ("failed:logic", "output_not_json")


async def test_what_was_begun_before_a_stop_is_finished_after_the_start(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def waits(given: Any) -> Any:
        await gate.wait()
        return 1

    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, reads(waits)) as engine:
        run = await engine.start("w", {})
        engine.patience = 0.0
    gate.set()
    async with engine_over(tmp_path, reads(waits)) as engine:
        assert (await engine.wait(run.id, 5)).status == "completed"


async def test_a_start_in_a_process_without_a_worker_is_taken_up_by_another(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with (
        engine_over(tmp_path, reads(double), work=False) as asks,
        engine_over(tmp_path, reads(double)),
    ):
        run = await asks.start("w", {"n": 3})
        assert run.status == "pending"
        assert (await asks.wait(run.id, 5)).output == {"n": 6}


async def test_a_cancel_in_another_process_reaches_the_one_that_works(tmp_path: Path) -> None:
    entered, stopped = asyncio.Event(), asyncio.Event()

    async def stuck(given: Any) -> Any:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with (
        engine_over(tmp_path, reads(stuck)) as works,
        engine_over(tmp_path, reads(stuck), work=False) as asks,
    ):
        run = await works.start("w", {})
        await asyncio.wait_for(entered.wait(), 5)
        await asks.cancel(run.id, actor="ann")
        await asyncio.wait_for(stopped.wait(), 5)


async def test_a_mutation_is_refused_whichever_way_it_is_asked_for(tmp_path: Path) -> None:
    sent: list[Any] = []
    send = task("send", type="python", python={"function": "send"})
    inner = flow("inner", [{"id": "s", "taskRef": "send"}])
    outer = flow("outer", [{"id": "i", "workflowRef": "inner"}])
    write(tmp_path / "documents", send, inner, outer)
    functions = {"send": PythonTask(sent.append)}
    async with engine_over(tmp_path, functions) as engine:
        for name in ("inner", "outer"):
            view = await asked(engine.start(name, {}))
            assert (view.kind, view.state) == ("version.accept", "pending")
            assert (await engine.dry_run(name, {})).steps
        assert (await engine.dry_run("inner", {})).mutations == 1
    assert sent == []


@pytest.mark.requirement("versions-side-by-side")
async def test_a_changed_document_is_a_new_version_and_old_runs_keep_theirs(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with engine_over(tmp_path, reads(double)) as engine:
        first = await engine.wait((await engine.start("w", {"n": 1})).id, 5)
        step = {"id": "a", "taskRef": "t", "input": {"n": "{{input.n}}"}}
        write(tmp_path / "documents", look("t"), flow("w", [step], input=NUMBER, output={"m": 0}))
        await engine.refresh()
        second = await engine.wait((await engine.start("w", {"n": 1})).id, 5)
        assert (first.version, second.version) == ("1.0.0", "1.0.1")
        old = await engine.wait((await engine.start("w", {"n": 1}, version="1.0.0")).id, 5)
        assert (old.output, second.output) == ({"n": 2}, {"m": 0})
        shown = await engine.versions("w")
        assert [(v.version, v.is_default, v.runs) for v in shown] == [
            ("1.0.0", False, {"completed": 2}),
            ("1.0.1", True, {"completed": 1}),
        ]


async def test_a_pinned_default_stays_until_it_is_unpinned(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with engine_over(tmp_path, reads(double)) as engine:
        await say_yes(engine, engine.set_default("w", "1.0.0"))
        write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
        await engine.refresh()
        assert (await engine.details("w")).info.version == "1.0.0"
        await say_yes(engine, engine.set_default("w", "latest"))
        assert (await engine.details("w")).info.version == "1.0.1"


@pytest.mark.requirement("deprecated-version")
async def test_a_deprecated_default_takes_no_new_runs_unless_asked_for(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with engine_over(tmp_path, reads(double)) as engine:
        await say_yes(engine, engine.deprecate("w", "1.0.0"))
        with pytest.raises(Refused, match="deprecated"):
            await engine.start("w", {"n": 1})
        run = await engine.start("w", {"n": 1}, version="1.0.0")
        assert (await engine.wait(run.id, 5)).status == "completed"
        assert engine.workflows() == ()
        await say_yes(engine, engine.deprecate("w", "1.0.0", undo=True))
        assert len(engine.workflows()) == 1


async def test_two_processes_publish_one_folder_as_one_version(tmp_path: Path) -> None:
    doubling(tmp_path)

    async def opened() -> Any:
        async with engine_over(tmp_path, reads(double), work=False) as engine:
            return [version.version for version in await engine.versions("w")]

    assert await asyncio.gather(*(opened() for _ in range(4))) == [["1.0.0"]] * 4


async def test_lists_are_filtered_paged_and_grouped(tmp_path: Path) -> None:
    async def odd(given: Any) -> Any:
        if given["n"] % 2:
            raise StepError(GONE)
        return 1

    step = {"id": "a", "taskRef": "t", "input": {"n": "{{input.n}}"}}
    write(tmp_path / "documents", look("t"), flow("w", [step], input=NUMBER))
    async with engine_over(tmp_path, reads(odd)) as engine:
        ids = [(await engine.start("w", {"n": n})).id for n in range(7)]
        for run_id in ids:
            await engine.wait(run_id, 5)
        page = await engine.runs(limit=3)
        assert [row.id for row in page.rows] == ids[:3:-1]
        rest = await engine.runs(limit=10, cursor=page.cursor)
        assert ([row.id for row in rest.rows], rest.cursor) == (ids[3::-1], "")
        assert len((await engine.runs(RunFilter(whose_move="person"))).rows) == 3
        assert len((await engine.runs(RunFilter(workflow="w", status="completed"))).rows) == 4
        assert (await engine.runs(RunFilter(workflow="none"))).rows == ()
        (group,) = await engine.failures()
        assert (group.workflow, group.step, group.code, group.count) == (
            "default/w", "a", "http_404", 3,
        )  # fmt: skip
        lately = await engine.statistics.of("default", "w")
        assert (lately.runs, lately.completed, lately.failed) == (7, 4, 3)
        assert lately.success_rate == 4 / 7
        assert await engine.statistics.of("default", "none") == Statistics()


@pytest.mark.parametrize("cursor", ["x", "", "cjE6MTI", "cjE6LTE", "é"])
async def test_a_cursor_that_no_list_gave_is_refused(tmp_path: Path, cursor: str) -> None:
    async with engine_over(tmp_path, {}) as engine:
        if cursor in ("", "cjE6MTI"):
            assert (await engine.runs(cursor=cursor)).rows == ()
            return
        with pytest.raises(Refused) as refused:
            await engine.runs(cursor=cursor)
        assert refused.value.code == "invalid_cursor"


@pytest.mark.requirement("circuit-breaker")
async def test_a_circuit_that_opened_is_open_for_every_process(tmp_path: Path) -> None:
    calls: list[int] = []

    async def down(given: Any) -> Any:
        calls.append(1)
        raise StepError(Failure(Kind.NETWORK, "connect_failed", "refused"))

    breaker = {"failureThreshold": 2, "breakDuration": "1h"}
    step = {"id": "a", "taskRef": "t", "circuitBreaker": breaker, "retry": "none"}
    write(tmp_path / "documents", look("t"), flow("w", [step]))
    for expected in ("connect_failed", "connect_failed", "circuit_open", "circuit_open"):
        async with engine_over(tmp_path, reads(down)) as engine:
            ended = await engine.wait((await engine.start("w", {})).id, 5)
            assert ended.failure is not None
            assert ended.failure.code == expected
    assert len(calls) == 2


@pytest.mark.requirement("projections-rebuilt")
async def test_projections_drawn_again_equal_those_drawn_live(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with engine_over(tmp_path, reads(double)) as engine:
        for n in range(5):
            await engine.wait((await engine.start("w", {"n": n}, key=f"k{n}")).id, 5)
        before = await picture(engine)
        await engine.rebuild()
        assert await picture(engine) == before
        assert not (await engine.verify()).problems


async def picture(engine: Engine) -> Any:
    page = await engine.runs(limit=100)
    return page, await engine.versions("w"), [await engine.run(row.id) for row in page.rows]


async def test_a_run_whose_function_is_missing_here_is_left_to_a_process_that_has_it(
    tmp_path: Path,
) -> None:
    inner = flow("inner", [{"id": "a", "taskRef": "t"}])
    outer = flow("outer", [{"id": "s", "workflowRef": "inner"}])
    write(tmp_path / "documents", look("t"), inner, outer)
    async with engine_over(tmp_path, reads(double), work=False) as asks:
        run = await asks.start("outer", {})
        async with engine_over(tmp_path, {}) as cannot:
            await cannot.wait(run.id, 0.3)
        assert (await asks.run(run.id)).status == "pending"


async def test_a_switch_of_the_default_in_another_process_is_noticed(tmp_path: Path) -> None:
    doubling(tmp_path)
    async with (
        engine_over(tmp_path, reads(double)) as server,
        engine_over(tmp_path, reads(double), work=False) as terminal,
    ):
        await say_yes(terminal, terminal.deprecate("w", "1.0.0"))
        async with asyncio.timeout(5):
            while server.workflows():
                await server.moved()

"""Promises to the user that no single room keeps alone: on a whole engine, with real documents."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Move, PythonTask
from engine.core.errors import Failure, Kind, StepError
from tests.shell.documents import engine_over, flow, look, write

SHORT = {
    "city": {"type": "string", "required": True, "description": "Where to look."},
    "days": {"type": "integer", "description": "How many.", "default": 3},
}
LONG = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where to look."},
        "days": {"type": "integer", "description": "How many.", "default": 3},
    },
    "required": ["city"],
}
STEP = {"id": "a", "taskRef": "t", "input": {"city": "{{input.city}}", "days": "{{input.days}}"}}


def reads(function: Any) -> dict[str, PythonTask]:
    return {"look": PythonTask(function, Effect.READ)}


async def echo(given: Any) -> Any:
    return given


@pytest.mark.requirement("input-forms")
@pytest.mark.parametrize("form", [SHORT, LONG], ids=["short fields", "JSON Schema"])
async def test_both_forms_of_an_input_ask_for_the_same_and_fill_in_the_same(
    tmp_path: Path, form: dict[str, Any]
) -> None:
    write(
        tmp_path / "documents",
        look("t"),
        flow("w", [STEP], input=form, output={"got": "{{tasks.a.output}}"}),
    )
    async with engine_over(tmp_path, reads(echo)) as engine:
        fields = (await engine.details("w")).info.inputs
        assert [(f.name, f.type, f.required, f.description) for f in fields] == [
            ("city", "string", True, "Where to look."),
            ("days", "integer", False, "How many."),
        ]
        run = await engine.wait((await engine.start("w", {"city": "Oslo"})).id, 5)
        assert run.output == {"got": {"city": "Oslo", "days": 3}}


@pytest.mark.requirement("timeouts")
async def test_a_step_that_takes_longer_than_its_timeout_fails(tmp_path: Path) -> None:
    async def never(_: Any) -> Any:
        await asyncio.Event().wait()

    step = {"id": "a", "taskRef": "t", "timeout": "50ms", "retry": {"maxAttempts": 1}}
    write(tmp_path / "documents", look("t"), flow("w", [step]))
    async with engine_over(tmp_path, reads(never)) as engine:
        run = await engine.wait((await engine.start("w", {})).id, 5)
        assert run.status == "failed:exhausted"
        assert run.failure is not None
        assert run.failure.kind == "timeout"
        assert run.whose_move is Move.PERSON


@pytest.mark.requirement("attempts-kept", "retry-policies")
async def test_every_attempt_of_a_step_is_kept_with_why_it_failed(tmp_path: Path) -> None:
    calls = 0

    async def third_time_lucky(_: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise StepError(Failure(Kind.TRANSIENT, "busy", f"busy, call {calls}"))
        return {"calls": calls}

    retry = {"maxAttempts": 3, "backoffMs": 100}
    write(
        tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t", "retry": retry}])
    )
    async with engine_over(tmp_path, reads(third_time_lucky)) as engine:
        run = await engine.wait((await engine.start("w", {})).id, 5)
        (step,) = run.steps
        assert (run.status, step.output) == ("completed", {"calls": 3})
        told = [attempt.failure and attempt.failure.message for attempt in step.attempts]
        assert told == ["busy, call 1", "busy, call 2", None]

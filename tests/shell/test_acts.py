"""How a registered function is called: on the loop or on a thread, and awaited if it has to be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, PythonTask
from engine.core.errors import Failure, Kind, StepError
from tests.shell.documents import engine_over, flow, look, write


async def answer(given: Any) -> Any:
    return given["n"] * 2


class Answers:
    """A task with a state of its own."""

    async def __call__(self, given: Any) -> Any:
        return await answer(given)


@pytest.mark.parametrize(
    "function", [answer, Answers(), lambda given: answer(given), lambda given: given["n"] * 2]
)
async def test_whatever_gives_something_to_await_is_awaited(
    tmp_path: Path, function: Callable[[Any], Any]
) -> None:
    step = {"id": "a", "taskRef": "t", "input": {"n": 4}}
    write(tmp_path / "documents", look("t"), flow("w", [step]))
    functions = {"look": PythonTask(function, Effect.READ)}
    async with engine_over(tmp_path, functions) as engine:
        ended = await engine.wait((await engine.start("w", {})).id, 5)
        assert (ended.status, ended.output) == ("completed", {"a": 8})


@pytest.mark.requirement("gate-redaction")
@pytest.mark.parametrize("how", ["returned", "raised"])
async def test_what_a_function_says_is_masked_too(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_SECRET_ACTS", "a-secret-of-functions-31")

    async def tells(given: Any) -> Any:
        if how == "returned":
            return {"said": "it is a-secret-of-functions-31"}
        raise StepError(Failure(Kind.PERMANENT, "said", "it is a-secret-of-functions-31"))

    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, {"look": PythonTask(tells, Effect.READ)}) as engine:
        ended = await engine.wait((await engine.start("w", {})).id, 5)
        assert "it is [secret]" in repr(ended)
        assert "functions-31" not in repr(ended)

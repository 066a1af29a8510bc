"""How a registered function is called: on the loop or on a thread, and awaited if it has to be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, PythonTask
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

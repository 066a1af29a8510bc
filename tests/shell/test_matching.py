"""Matching over a real catalogue: the inputs of the best hit, an input checked without a run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask, Refused
from engine.shell.models import Models
from engine.shell.redact import Redactor
from tests.messages_api import (
    KEY,
    Answer,
    MessagesApi,
    failing,
    hanging,
    messages_api,
    saying,
    texting,
)
from tests.shell.documents import engine_over, flow, look, write

NUMBER = {
    "n": {"type": "integer", "required": True, "description": "A number."},
    "unit": {"type": "string", "enum": ["cm", "inch"], "default": "cm"},
}


async def double(given: Any) -> Any:
    return given


READS = {"look": PythonTask(double, Effect.READ)}


def documents(tmp_path: Path) -> None:
    step = {"id": "a", "taskRef": "t", "input": {"n": "{{input.n}}"}}
    document = flow("double-number", [step], input=NUMBER, description="Double a number.")
    write(tmp_path / "documents", look("t"), document)


@pytest.mark.requirement("best-match")
async def test_the_best_hit_comes_with_what_the_context_gives(tmp_path: Path) -> None:
    documents(tmp_path)
    async with engine_over(tmp_path, READS) as engine:
        match = await engine.matching.match("double a number", context={"N": "4", "unit": "CM"})
        assert match.best is not None
        assert match.best.info.name == "double-number"
        assert [(each.name, each.value, each.source) for each in match.best.taken] == [
            ("n", 4, "context.N"), ("unit", "cm", "context.unit"),
        ]  # fmt: skip
        assert not match.best.missing
        assert not match.best.can_auto_execute
        run = await engine.start("double-number", {t.name: t.value for t in match.best.taken})
        assert run.input == {"n": 4, "unit": "cm"}


@pytest.mark.requirement("best-match")
async def test_nothing_that_fits_is_no_match(tmp_path: Path) -> None:
    documents(tmp_path)
    async with engine_over(tmp_path, READS) as engine:
        assert (await engine.matching.match("qwxz vvkj")).best is None
        assert (await engine.matching.match("?!")).best is None


async def test_a_context_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents(tmp_path)
    known = Redactor()
    known.learn("sesame-open-now")
    monkeypatch.setattr("engine.app.matching.KNOWN", known)
    async with engine_over(tmp_path, READS) as engine:
        for context, code in (
            ({"n": float("nan")}, "invalid_context"),
            ({"n": "x" * 30_000}, "invalid_context"),
            ({"n": "\ud800"}, "invalid_context"),
            ({f"k{i}": 1 for i in range(600)}, "context_too_large"),
            ({"n": "sesame-open-now"}, "secret_in_input"),
        ):
            with pytest.raises(Refused) as refused:
                await engine.matching.match("double a number", context=context)
            assert refused.value.code == code
            assert refused.value.hint


@pytest.mark.requirement("validate-input")
async def test_an_input_is_checked_without_a_run(tmp_path: Path) -> None:
    documents(tmp_path)
    async with engine_over(tmp_path, READS) as engine:
        fine = await engine.matching.validate_input("double-number", {"n": 4})
        assert (fine.valid, fine.input) == (True, {"n": 4, "unit": "cm"})
        wrong = await engine.matching.validate_input("double-number", {"unit": "mile"})
        assert not wrong.valid
        assert [each.name for each in wrong.missing] == ["n"]
        assert [each.name for each in wrong.invalid] == ["unit"]
        assert wrong.prompt.startswith("To run double-number I still need n (integer): A number")
        assert not (await engine.runs()).rows
        with pytest.raises(Refused, match="no workflow"):
            await engine.matching.validate_input("nothing", {})


@asynccontextmanager
async def asking(tmp_path: Path, answer: Answer) -> AsyncIterator[tuple[MessagesApi, Engine]]:
    documents(tmp_path)
    async with messages_api(answer) as api:
        models = Models(key=KEY, url=api.url)
        async with engine_over(tmp_path, READS, models=models) as engine:
            engine.matching.patience = 50  # the machine may be slow; it is not about that
            yield api, engine


@pytest.mark.requirement("inputs-read-verbatim")
async def test_a_language_model_points_at_values_and_invents_none(tmp_path: Path) -> None:
    said = {"inputs": [{"name": "n", "words": "4"}, {"name": "unit", "words": "inch"}]}
    async with asking(tmp_path, saying(said)) as (api, engine):
        match = await engine.matching.match("double a number: 4")
        assert match.best is not None
        assert [(each.name, each.value, each.source) for each in match.best.taken] == [
            ("n", 4, "llm, query")
        ]
        assert "double a number: 4" in api.asked[0].words
        known = await engine.matching.match("double a number: 4", context={"n": 5})
        assert known.best is not None
        assert known.best.taken[0].value == 5
        assert len(api.asked) == 1


async def test_a_model_that_does_not_answer_is_waited_for_a_little_only(tmp_path: Path) -> None:
    async with asking(tmp_path, hanging()) as (_, engine):
        engine.matching.patience = 0.01
        match = await engine.matching.match("double a number: 4")
        assert match.best is not None
        assert not match.best.taken


@pytest.mark.requirement("inputs-read-verbatim")
@pytest.mark.parametrize(
    "answer", [failing(529, "overloaded_error"), texting("no JSON"), saying({"inputs": "4"})]
)
async def test_a_search_is_answered_without_the_model_too(tmp_path: Path, answer: Answer) -> None:
    async with asking(tmp_path, answer) as (api, engine):
        match = await engine.matching.match("double a number: 4")
        assert match.best is not None
        assert not match.best.taken
        assert [each.field.name for each in match.best.missing] == ["n"]
        assert len(api.asked) == 1

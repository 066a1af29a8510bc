"""Matching over a real catalogue: the inputs of the best hit, an input checked without a run."""

from pathlib import Path
from typing import Any

import pytest

from engine import Effect, PythonTask, Refused
from engine.shell.redact import Redactor
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

"""Every claim that docs/expressions.md makes in a table is run."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from engine.core.errors import StepError
from engine.core.expr import FUNCTIONS, ExpressionError, limits, parse
from engine.core.expr.grammar import LEVELS
from engine.core.template import ROOTS, compile_condition, compile_template
from engine.core.transform import OPERATIONS, PIPELINE_LIMIT, compile_transform
from tests.tree import ROOT

PAGE = (ROOT / "docs/expressions.md").read_text(encoding="utf-8")

Row = tuple[str, ...]


@cache
def tables() -> tuple[tuple[Row, tuple[Row, ...]], ...]:
    """The tables of the page: the heading and the rows, code without its backquotes."""
    text = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return tuple(_table(block.splitlines()) for block in blocks)


def _table(lines: list[str]) -> tuple[Row, tuple[Row, ...]]:
    heading, _, *rows = [_cells(line) for line in lines]
    return heading, tuple(rows)


def _cells(line: str) -> Row:
    return tuple(_bare(cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1])


def _bare(cell: str) -> str:
    text = cell.strip().replace("\\|", "|")
    is_code = len(text) > 1 and text[0] == text[-1] == "`" and "`" not in text[1:-1]
    return text[1:-1] if is_code else text


def rows(*heading: str) -> list[Row]:
    """The rows of all tables whose heading begins so."""
    found = [row for head, body in tables() if head[: len(heading)] == heading for row in body]
    assert found, heading
    return found


@cache
def scope() -> dict[str, Any]:
    """The values that the page's examples read."""
    block = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    values: dict[str, Any] = json.loads(block.group(1))
    return values


def same(found: Any, written: str) -> bool:
    return repr(found) == repr(json.loads(written))


@pytest.mark.parametrize("row", rows("Expression", "Value"), ids=lambda row: row[0])
def test_an_expression_gives_what_the_page_says(row: Row) -> None:
    assert same(parse(row[0], ROOTS).evaluate(scope()), row[1])


@pytest.mark.parametrize("row", rows("Template", "Becomes"), ids=lambda row: row[0])
def test_a_template_becomes_what_the_page_says(row: Row) -> None:
    assert same(compile_template(yaml.safe_load(row[0])).render(scope()), row[1])


@pytest.mark.parametrize("row", rows("Condition", "Holds"), ids=lambda row: row[0])
def test_a_condition_holds_as_the_page_says(row: Row) -> None:
    assert same(compile_condition(row[0]).evaluate(scope()), row[1])


@pytest.mark.parametrize("row", rows("Function", "What it gives"), ids=lambda row: row[0])
def test_a_function_gives_what_the_page_says(row: Row) -> None:
    usage, about, example, value = row
    function = FUNCTIONS[usage.partition("(")[0]]
    assert (function.usage, function.about) == (usage, about)
    assert usage.partition("(")[0] + "(" in example
    assert same(parse(example, ROOTS).evaluate(scope()), value)


@pytest.mark.parametrize("row", rows("Transform", "Input"), ids=lambda row: row[0])
def test_a_transform_gives_what_the_page_says(row: Row) -> None:
    transform = compile_transform(yaml.safe_load(row[0]))
    assert same(transform.apply(json.loads(row[1])), row[2])


@pytest.mark.parametrize("row", rows("Operation", "Input"), ids=lambda row: row[0])
def test_an_operation_gives_what_the_page_says(row: Row) -> None:
    transform = compile_transform({"pipeline": [yaml.safe_load(row[0])]})
    assert same(transform.apply({"data": json.loads(row[1])}), row[2])


@pytest.mark.parametrize("row", rows("Wrong", "Hint"), ids=lambda row: row[0])
def test_a_mistake_gets_the_hint_that_the_page_shows(row: Row) -> None:
    assert hint(row[0]) == row[1]


def hint(source: str) -> str:
    """The hint that comes with the mistake, whether it shows when read or when evaluated."""
    try:
        parse(source, ROOTS).evaluate(scope())
    except ExpressionError as error:
        return error.hint
    except StepError as error:
        return error.failure.hint
    return "no mistake"


def test_every_function_operation_and_operator_is_on_the_page() -> None:
    shown = {row[0].partition("(")[0] for row in rows("Function")}
    assert shown == set(FUNCTIONS)
    assert {yaml.safe_load(row[0])["operation"] for row in rows("Operation")} == set(OPERATIONS)
    used = " ".join(row[0] for row in rows("Expression", "Value", ""))
    assert [op for op in (*LEVELS, "!", "?", "|") if op not in used] == []


def _numbers() -> Iterator[int]:
    for row in rows("What", "Bound")[:-1]:
        yield int(row[1].replace(",", ""))


def test_the_limits_are_those_of_the_code() -> None:
    assert list(_numbers()) == [
        limits.SOURCE_LIMIT,
        limits.DEPTH_LIMIT,
        limits.NODE_LIMIT,
        limits.STEP_LIMIT,
        limits.TEXT_LIMIT,
        limits.PATTERN_LIMIT,
        PIPELINE_LIMIT,
    ]

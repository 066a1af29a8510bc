"""Conditions: values in braces are values, never text that is read again."""

from typing import Any

import pytest

from engine.core.expr import EvaluationError
from engine.core.template import TemplateError, compile_condition

SCOPE: dict[str, Any] = {
    "input": {"skip": True, "n": 5, "text": "5", "name": "gold", "evil": "x' || true || 'y"},
    "tasks": {"get-order": {"output": {"total": 120, "status": "express"}, "status": "done"}},
}


def holds(text: str | bool) -> bool:
    return compile_condition(text).evaluate(SCOPE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{input.skip}} != true", False),
        ("{{input.missing}} != true", True),
        ("{{input.missing}} == true", False),
        ("{{tasks.get-order.output.total}} > 100", True),
        ("{{tasks.get-order.output.status}} == 'express'", True),
        ('{{tasks.get-order.output.status}} == "express"', True),
        ("'{{tasks.get-order.output.status}}' == 'express'", True),
        ("'{{input.n}}' == '5'", True),
        ("'{{input.missing}}' == ''", True),
        ("'Order {{input.n}} is {{input.name}}' == 'Order 5 is gold'", True),
        ("${{ input.n }} > 3 && !({{input.n}} > 10)", True),
        ("input.n > 3 && !(input.n > 10)", True),
        ("{{input.n > 3}}", True),
        ("{{input.n > 3 && input.name == 'gold'}}", True),
        ("{{tasks.get-order.output | keys | length}} == 2", True),
        ("{{input.name}} in ['gold', 'silver']", True),
        ("tasks.get-order.status == 'done'", True),
        ("{{input.missing}} > 3", False),
        ("{{input.missing}}", False),
        ("true", True),
        (True, True),
        (False, False),
    ],
)
def test_a_condition_holds_or_not(text: str | bool, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "{{input.evil}} == 'z'",
        "'{{input.evil}}' == 'z'",
        "input.evil == 'z'",
        '"{{input.evil}}" == ""',
    ],
)
def test_a_value_cannot_write_the_condition(text: str) -> None:
    assert holds(text) is False


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{input.name}}", "not_boolean"),
        ("{{input.n}}", "not_boolean"),
        ("{{input.text}} > 3", "not_comparable"),
        ("{{input.skip}} == true && {{input.name}}", "not_boolean"),
    ],
)
def test_what_has_no_answer_is_a_typed_error_with_the_source(text: str, code: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        holds(text)
    failure = caught.value.failure
    assert (failure.code, failure.details["expression"]) == (code, text)
    assert failure.hint


@pytest.mark.parametrize(
    ("text", "offset", "hint"),
    [
        ("{{taks.a}} == 1", 2, "did you mean `tasks`?"),
        ("'{{taks.a}}' == 'x'", 0, "did you mean `tasks`?"),
        ("{{input.a}} = 1", 12, "compare with `==`"),
        ("{{input.a} == 1", 11, ""),
        (
            "{{input.a}} == gold",
            15,
            "paths begin with `forEach`, `input`, `tasks`; texts need quotes",
        ),
        ("", 0, ""),
    ],
)
def test_a_mistake_has_a_place_and_a_hint(text: str, offset: int, hint: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_condition(text)
    assert (caught.value.offset, caught.value.hint) == (offset, hint)


def test_references_are_found_inside_braces_and_quotes() -> None:
    condition = compile_condition("'{{tasks.a.output}}' == {{input.b}}")
    assert condition.references() == {("tasks", "a", "output"), ("input", "b")}


def test_conditions_are_equal_when_their_sources_are() -> None:
    assert compile_condition("input.a") == compile_condition("input.a")
    assert hash(compile_condition("input.a")) == hash(compile_condition("input.a"))
    assert compile_condition(True).source == "true"
    assert repr(compile_condition("input.a")) == "compile_condition('input.a')"

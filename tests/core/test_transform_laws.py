"""Laws of transforms: nothing is changed, linear work passes, quadratic work is stopped."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import StepError
from engine.core.expr import Budget, EvaluationError, parse
from engine.core.expr.walk import Env
from engine.core.transform import Transform, compile_transform
from engine.core.transforms.chance import Dice
from engine.core.transforms.work import Rows, Work
from tests.core.operations import CASES
from tests.core.trees import VALUES

few = settings(max_examples=25, database=None)
STEPS = st.sampled_from([step for step, _, _ in CASES])
NUMBERS = st.lists(st.integers(-9, 9) | st.none())


def pipeline(*steps: dict[str, Any]) -> Transform:
    return compile_transform({"pipeline": list(steps)})


@few
@given(st.lists(STEPS, min_size=1, max_size=4), VALUES | st.lists(VALUES), st.integers())
def test_a_transform_never_changes_its_input_and_gives_a_value_or_a_failure(
    steps: list[dict[str, Any]], value: Any, seed: int
) -> None:
    before, results = copy.deepcopy(value), []
    for _ in range(2):
        try:
            results.append(repr(pipeline(*steps).apply({"data": value}, seed)))
        except StepError as error:
            results.append(repr(error.failure))
    assert repr(value) == repr(before)
    assert results[0] == results[1]


@pytest.mark.parametrize(("step", "value", "expected"), CASES)
def test_no_operation_changes_what_it_is_given(step: Any, value: Any, expected: Any) -> None:
    before = copy.deepcopy((step, value))
    pipeline(step).apply({"data": value})
    assert repr((step, value)) == repr(before)


@few
@given(NUMBERS, st.integers(0, 12))
def test_limit_and_skip_are_the_two_parts(rows: list[Any], count: int) -> None:
    head = pipeline({"operation": "limit", "count": count}).apply(rows)
    tail = pipeline({"operation": "skip", "count": count}).apply(rows)
    assert head + tail == rows


@few
@given(NUMBERS)
def test_sorting_twice_is_sorting_once_and_keeps_every_element(rows: list[Any]) -> None:
    sort = {"operation": "sortBy", "field": "$"}
    once = pipeline(sort).apply(rows)
    assert pipeline(sort, sort).apply(rows) == once
    assert sorted(map(repr, once)) == sorted(map(repr, rows))


@few
@given(NUMBERS, st.integers())
def test_a_shuffle_keeps_every_element(rows: list[Any], seed: int) -> None:
    shuffled = pipeline({"operation": "shuffle"}).apply(rows, seed)
    assert sorted(map(repr, shuffled)) == sorted(map(repr, rows))


@few
@given(NUMBERS, st.integers(1, 5))
def test_chunks_flatten_to_what_they_were(rows: list[Any], size: int) -> None:
    assert (
        pipeline({"operation": "chunk", "size": size}, {"operation": "flatten"}).apply(rows) == rows
    )


@few
@given(st.lists(st.text(alphabet="ab-", max_size=5), min_size=1))
def test_concat_undoes_split(rows: list[str]) -> None:
    split, concat = ({"operation": name, "delimiter": "-"} for name in ("split", "concat"))
    assert pipeline(split, concat).apply(rows) == rows


@few
@given(NUMBERS)
def test_groups_hold_every_element_once(rows: list[Any]) -> None:
    groups = pipeline({"operation": "groupBy", "key": "$"}).apply(rows)
    assert sorted(repr(row) for group in groups for row in group["items"]) == sorted(
        map(repr, rows)
    )
    assert [group["key"] for group in groups] == pipeline({"operation": "unique"}).apply(rows)


LINEAR: list[dict[str, Any]] = [
    {"operation": "filter", "condition": "$.a > 1 && $.b != 'x' || !($.a == 2)"},
    {"operation": "map", "expression": "{a: $.a, b: $.b, c: $.a * 2 + 1}"},
    {"operation": "enrich", "fields": {"d": "$.c / 2", "e": "upper($.b)"}},
    {"operation": "sortBy", "field": "$.c", "descending": True},
    {"operation": "unique", "field": "a"},
]


def test_work_that_grows_with_the_input_passes() -> None:
    rows = [{"a": number, "b": "text"} for number in range(1_000)]
    assert len(pipeline(*LINEAR).apply({"data": rows})) == 1_000


@pytest.mark.parametrize(
    "step",
    [
        {"operation": "filter", "condition": "$.a in input.data[*].a"},
        {"operation": "map", "expression": "sum(input.data[*].a)"},
        {"operation": "map", "expression": "size(input.data[?(@.a > 5)])"},
        {"operation": "join", "leftKey": "b", "rightKey": "b", "rightData": "input.data"},
        {"operation": "filter", "field": "$", "operator": "ne", "value": "{{input.data}}"},
    ],
)
def test_work_that_grows_with_the_square_of_the_input_is_stopped(step: dict[str, Any]) -> None:
    rows = [{"a": number, "b": "x"} for number in range(1_000)]
    with pytest.raises(EvaluationError) as caught:
        pipeline(step).apply({"data": rows})
    assert caught.value.failure.code == "too_many_steps"


def test_the_dice_are_the_published_generator() -> None:
    assert [Dice(0).below(2**64), Dice(1).below(2**64)] == [0xE220A8397B1DCDAF, 0x910A2DEC89025CC1]


def test_an_expression_over_rows_is_charged_for_each_row() -> None:
    budget = Budget(100)
    work = Work(Env({}, None, budget), seed=0)
    expr = parse("$.a + 1")
    Rows(expr).over(work, [{"a": 1}] * 10)
    assert budget.left == 100 - 10 * expr.cost


def test_a_pipeline_cannot_double_its_rows_without_end() -> None:
    twice: list[dict[str, Any]] = [
        {"operation": "map", "expression": "[$, $]"},
        {"operation": "flatten"},
    ]
    with pytest.raises(EvaluationError):
        pipeline(*twice * 30).apply([1])


@pytest.mark.parametrize(
    "last",
    [
        {"operation": "first"},
        {"operation": "map", "expression": "toJson($)"},
        {"operation": "unique"},
        {"operation": "groupBy", "key": "$"},
        {"operation": "filter", "condition": "$.a == $.b"},
        {"operation": "template", "template": "{{$}}"},
        {"operation": "concat"},
        {"operation": "uppercase"},
        {"operation": "join", "leftKey": "$", "rightKey": "$", "rightData": [1]},
    ],
)
def test_a_result_that_would_fill_the_memory_when_written_is_stopped(last: dict[str, Any]) -> None:
    twice = {"operation": "map", "expression": "{a: $, b: $}"}
    with pytest.raises(StepError):
        pipeline(*[twice] * 60, last).apply([1])


def test_a_result_may_not_nest_without_end() -> None:
    deeper = {"operation": "map", "expression": "[[[$]]]"}
    with pytest.raises(EvaluationError) as caught:
        pipeline(*[deeper] * 50).apply([1])
    assert caught.value.failure.code == "too_deep"


def test_a_value_too_deep_is_a_typed_error() -> None:
    value: Any = 1
    for _ in range(5_000):
        value = {"a": value}
    with pytest.raises(EvaluationError):
        pipeline({"operation": "unique"}).apply([value, value])

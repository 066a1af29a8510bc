"""Transforms: every operation by example, the input rule, and what is refused."""

from typing import Any

import pytest

from engine.core.errors import Kind
from engine.core.expr import EvaluationError
from engine.core.transform import OPERATIONS, Transform, TransformError, compile_transform
from tests.core.operations import CASES, CHANCES, CITIES, ROWS


def pipeline(*steps: dict[str, Any]) -> Transform:
    return compile_transform({"pipeline": list(steps)})


def failure(value: Any, *steps: dict[str, Any]) -> Any:
    with pytest.raises(EvaluationError) as caught:
        pipeline(*steps).apply(value)
    assert caught.value.failure.kind is Kind.LOGIC
    return caught.value.failure


def wrong(spec: Any) -> TransformError:
    with pytest.raises(TransformError) as caught:
        compile_transform(spec)
    return caught.value


@pytest.mark.requirement("transforms")
@pytest.mark.parametrize(("step", "value", "expected"), CASES)
def test_an_operation_gives(step: dict[str, Any], value: Any, expected: Any) -> None:
    assert repr(pipeline(step).apply({"data": value})) == repr(expected)


def test_there_are_37_operations_and_each_has_an_example() -> None:
    shown = {step.get("operation") or step.get("op") or step.get("type") for step, _, _ in CASES}
    assert shown == set(OPERATIONS)
    assert len(OPERATIONS) == 37


def test_operations_follow_each_other() -> None:
    transform = pipeline(
        {"operation": "filter", "condition": "$.status == 'active'"},
        {"operation": "map", "expression": "{ id: $.id, amount: default($.amount, 0) }"},
        {"operation": "sortBy", "field": "$.amount", "descending": True},
        {"operation": "limit", "count": 5},
    )
    assert transform.operations == ("filter", "map", "sortBy", "limit")
    assert transform.apply({"data": ROWS}) == [{"id": 1, "amount": 10.5}, {"id": 3, "amount": 0}]


@pytest.mark.parametrize(
    ("spec", "value", "expected"),
    [
        ({"pipeline": []}, {"data": [1]}, [1]),
        ({"pipeline": []}, {"data": 1, "other": 2}, {"data": 1, "other": 2}),
        ({"pipeline": []}, [1], [1]),
        ({"input": "$", "pipeline": []}, {"data": [1]}, [1]),
        ({"input": "$.orders"}, {"orders": [1]}, [1]),
        ({"input": "orders[0]"}, {"data": {"orders": [1]}}, 1),
        ({"input": "{{input.orders}}"}, {"orders": [1]}, [1]),
        (
            {"jsonPath": "$.a[?(@.total > 100)].id"},
            {"a": [{"id": 1, "total": 101}, {"total": 1}]},
            [1],
        ),
        ({"query": "$.a.b"}, {"data": {"a": {"b": 5}}}, 5),
        ({"input": "$.a", "jsonPath": "$[*].b"}, {"a": [{"b": 1}]}, [1]),
        ({"jsonPath": "$.a[*]", "pipeline": [{"operation": "last"}]}, {"a": [1, 2]}, 2),
        (
            {"query": "{n: length(@), s: sum(@[*].total)}"},
            [{"total": 2}, {"total": 3}],
            {"n": 2, "s": 5},
        ),
    ],
)
def test_the_input_is_chosen_by_paths(spec: dict[str, Any], value: Any, expected: Any) -> None:
    assert compile_transform(spec).apply(value) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"operation": "filter", "condition": "$.id >= input.least"}, ROWS[1:]),
        (
            {"operation": "filter", "field": "id", "operator": "gte", "value": "{{input.least}}"},
            ROWS[1:],
        ),
        ({"operation": "limit", "count": "{{input.least - 1}}"}, ROWS[:1]),
        ({"operation": "map", "expression": "input.least"}, [2, 2, 2]),
        ({"operation": "template", "template": "{id}-{{input.least}}"}, ["1-2", "2-2", "3-2"]),
        ({"operation": "zip", "withArray": "input.other"}, [[ROWS[0], 7]]),
        ({"operation": "aggregate", "aggregations": {"x": "sum($.id) + input.least"}}, {"x": 8}),
        (
            {
                "operation": "join",
                "leftKey": "id",
                "rightKey": "who",
                "rightData": "{{input.cities}}",
            },
            [{**ROWS[0], **CITIES[0]}],
        ),
    ],
)
def test_the_whole_input_of_the_step_is_known_to_every_operation(step: Any, expected: Any) -> None:
    if "{{" in str(step.get("template")):
        step = {**step, "template": "{{$.id}}-{{input.least}}"}
    value = {"rows": ROWS, "least": 2, "other": [7], "cities": CITIES[:1]}
    assert compile_transform({"input": "$.rows", "pipeline": [step]}).apply(value) == expected


@pytest.mark.parametrize("name", ["shuffle", "randomOne", "randomN"])
def test_chance_comes_from_the_recorded_seed(name: str) -> None:
    step = {"operation": name, **({"count": 5} if name == "randomN" else {})}
    transform = pipeline(step)
    rows = list(range(100))
    assert transform.needs_seed
    assert transform.apply(rows, seed=7) == transform.apply(rows, seed=7)
    assert len({str(transform.apply(rows, seed)) for seed in range(20)}) > 10
    assert not pipeline({**step, "seed": 1}).needs_seed
    assert not pipeline({"operation": "first"}).needs_seed


def test_a_seed_in_the_document_wins_over_the_recorded_one() -> None:
    step, value, expected = CHANCES[0]
    assert {str(pipeline(step).apply(value, seed)) for seed in range(5)} == {str(expected)}


def test_two_shuffles_of_one_pipeline_differ() -> None:
    one, two = pipeline({"operation": "shuffle"}), pipeline(*[{"operation": "shuffle"}] * 2)
    rows = list(range(20))
    once = one.apply(rows, 3)
    assert two.apply(rows, 3) != one.apply(once, 3)


@pytest.mark.parametrize(
    ("spec", "path", "hint"),
    [
        ({}, "", "add `pipeline` or `jsonPath`"),
        ([], "", "write `pipeline: [...]`"),
        ({"pipelin": []}, "pipelin", "did you mean `pipeline`?"),
        ({"pipeline": {}}, "pipeline", ""),
        ({"input": 5}, "input", "write a path like `$.orders`"),
        ({"input": "$.a["}, "input", ""),
        ({"jsonPath": "$", "query": "$"}, "query", "leave one out"),
        ({"jsonPath": "$.a..b"}, "jsonPath", "for other keys write `['any key']`"),
        ({"pipeline": ["filter"]}, "pipeline[0]", "write `operation: ...`"),
        ({"pipeline": [{}]}, "pipeline[0]", "write `operation: filter`"),
        (
            {"pipeline": [{"operation": "fliter"}]},
            "pipeline[0].operation",
            "did you mean `filter`?",
        ),
        (
            {"pipeline": [{"operation": 5}]},
            "pipeline[0].operation",
            "docs/expressions.md lists the 37 operations",
        ),
        (
            {"pipeline": [{"operation": "first"}, {"operation": "limit"}]},
            "pipeline[1]",
            "add `count: ...` to the step",
        ),
        (
            {"pipeline": [{"operation": "limit", "coun": 1, "count": 1}]},
            "pipeline[0].coun",
            "did you mean `count`?",
        ),
        ({"pipeline": [{"operation": "first", "x": 1}]}, "pipeline[0].x", "it has no options"),
    ],
)
def test_a_mistake_has_a_path_and_a_hint(spec: Any, path: str, hint: str) -> None:
    error = wrong(spec)
    assert (error.path, error.hint) == (path, hint)


@pytest.mark.parametrize(
    ("step", "option"),
    [
        ({"operation": "limit", "count": -1}, "count"),
        ({"operation": "limit", "count": "many"}, "count"),
        ({"operation": "limit", "count": "{{taks.x}}"}, "count"),
        ({"operation": "limit", "count": True}, "count"),
        ({"operation": "chunk", "size": 0}, "size"),
        ({"operation": "flatten", "depth": 65}, "depth"),
        ({"operation": "round", "decimals": 16}, "decimals"),
        ({"operation": "clamp", "min": "0"}, "min"),
        ({"operation": "split", "delimiter": 5}, "delimiter"),
        ({"operation": "shuffle", "seed": "x"}, "seed"),
        ({"operation": "zip", "withArray": {"a": 1}}, "withArray"),
        ({"operation": "zip", "withArray": "input.["}, "withArray"),
        ({"operation": "filter", "condition": "status == 'active'"}, "condition"),
        ({"operation": "filter", "condition": {"a": 1}}, "condition"),
        ({"operation": "filter", "field": "a", "operator": "like", "value": 1}, "operator"),
        ({"operation": "sortBy", "field": "a", "order": "up"}, "order"),
        ({"operation": "sortBy", "field": "a", "descending": "yes"}, "descending"),
        ({"operation": "select", "fields": []}, "fields"),
        ({"operation": "select", "fields": ["a.x", "b.x"]}, "fields[1]"),
        ({"operation": "select", "fields": ["$.a + 1"]}, "fields[0]"),
        ({"operation": "select", "fields": [5]}, "fields[0]"),
        ({"operation": "select", "fields": {}}, "fields"),
        ({"operation": "map", "mappings": []}, "mappings"),
        ({"operation": "map", "mappings": {"a": "$."}}, "mappings.a"),
        ({"operation": "map", "expression": "{id: $.id"}, "expression"),
        ({"operation": "enrich", "fields": {"a": {"b": "c d"}}}, "fields.a.b"),
        ({"operation": "template", "template": 5}, "template"),
        ({"operation": "template", "template": "{}"}, "template"),
        ({"operation": "template", "template": "{{name}}"}, "template"),
        ({"operation": "aggregate", "aggregations": {}}, "aggregations"),
        (
            {"operation": "aggregate", "aggregations": {"a": {"function": "median", "field": "x"}}},
            "aggregations.a",
        ),
        ({"operation": "aggregate", "aggregations": {"a": "smu($.x)"}}, "aggregations.a"),
        ({"operation": "aggregate", "aggregations": {"a": 5}}, "aggregations.a"),
        ({"operation": "aggregate", "aggregations": {"a": "sum()"}}, "aggregations.a"),
        ({"operation": "aggregate", "aggregations": {"a": {"function": "sum"}}}, "aggregations.a"),
        (
            {"operation": "groupBy", "key": "a", "aggregations": {"key": "count()"}},
            "aggregations.key",
        ),
        (
            {
                "operation": "join",
                "leftKey": "a",
                "rightKey": "a",
                "rightData": [],
                "joinType": "outer",
            },
            "joinType",
        ),
        ({"operation": "uppercase", "field": "$.a[*]"}, "field"),
        ({"operation": "uppercase", "field": "$"}, "field"),
    ],
)
def test_a_wrong_option_is_named(step: dict[str, Any], option: str) -> None:
    error = wrong({"pipeline": [step]})
    assert error.path == f"pipeline[0].{option}"
    assert error.message == str(error) != ""


@pytest.mark.parametrize(
    ("value", "step", "code"),
    [
        ([1], {"operation": "uppercase"}, "wrong_type"),
        (["1"], {"operation": "scale", "factor": 2}, "wrong_type"),
        ([[1]], {"operation": "round"}, "wrong_type"),
        ([1], {"operation": "uppercase", "field": "a"}, "wrong_type"),
        ([{"a": "x"}], {"operation": "floor", "field": "a"}, "wrong_type"),
        ([1], {"operation": "enrich", "fields": {"a": "b"}}, "wrong_type"),
        ([1, "a"], {"operation": "sortBy", "field": "$"}, "not_comparable"),
        ([{"a": 1}], {"operation": "filter", "condition": "$.a"}, "not_boolean"),
        (
            [{"a": "1"}],
            {"operation": "filter", "field": "a", "operator": "gt", "value": 1},
            "not_comparable",
        ),
        ([{"a": "1"}], {"operation": "aggregate", "aggregations": {"s": "sum($.a)"}}, "wrong_type"),
        (
            [{"a": "1"}],
            {"operation": "aggregate", "aggregations": {"s": "sum($.a) + 1"}},
            "wrong_type",
        ),
        ([1], {"operation": "percentage", "total": 0}, "division_by_zero"),
        ([1], {"operation": "limit", "count": "{{input.x}}"}, "wrong_type"),
        ([1], {"operation": "zip", "withArray": "input.x"}, "missing_array"),
        ([1], {"operation": "zip", "withArray": "input[0]"}, "wrong_type"),
        ([1], {"operation": "clamp", "min": 2, "max": 1}, "wrong_value"),
        (
            [1],
            {"operation": "join", "leftKey": "$", "rightKey": "$", "rightData": [1]},
            "wrong_type",
        ),
        ([2**63], {"operation": "scale", "factor": 2}, "number_too_large"),
    ],
)
def test_a_failure_names_the_operation(value: Any, step: dict[str, Any], code: str) -> None:
    wrong_ = failure(value, {"operation": "reverse"}, step)
    assert wrong_.code == code
    assert wrong_.details["operation"] == step["operation"]
    assert wrong_.details["path"] == "pipeline[1]"


def test_a_failure_in_an_expression_names_the_row_and_the_place() -> None:
    wrong_ = failure([{"a": 1}, {"a": "x"}], {"operation": "map", "expression": "1 + $.a * 2"})
    assert wrong_.details == {
        "operation": "map",
        "path": "pipeline[0]",
        "row": 1,
        "expression": "1 + $.a * 2",
        "offset": 8,
    }


def test_a_failure_in_the_input_path_is_told_apart() -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_transform({"input": "$.a + 1"}).apply({"a": "x"})
    assert caught.value.failure.details["expression"] == "$.a + 1"


def test_a_long_pipeline_is_refused() -> None:
    assert wrong({"pipeline": [{"operation": "first"}] * 101}).path == "pipeline"


def test_transforms_are_equal_when_their_sources_are() -> None:
    assert pipeline({"operation": "first"}) == pipeline({"operation": "first"})
    assert pipeline({"operation": "first"}) != pipeline({"operation": "last"})
    assert "first" in repr(pipeline({"operation": "first"}))

"""Laws of the expression language, tried on random expressions, values and texts."""

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.core.expr import Budget, EvaluationError, Expr, ExpressionError, parse
from engine.core.expr.limits import STEP_LIMIT
from engine.core.expr.printer import to_source
from engine.core.expr.tree import Node, depth
from tests.core.trees import SCOPES, TREES, VALUES, Wrong, meaning

few = settings(max_examples=25, database=None)


@few
@given(TREES)
def test_what_is_printed_reads_as_the_same_tree(node: Node) -> None:
    if depth(node) <= 32:
        assert repr(parse(to_source(node)).node) == repr(node)


@few
@given(TREES, SCOPES)
def test_the_compiled_expression_means_what_the_tree_says_and_changes_nothing(
    node: Node, scope: dict[str, Any]
) -> None:
    before, expr = copy.deepcopy(scope), Expr(node, "")
    try:
        expected = repr(meaning(node, scope, scope["$"]))
    except Wrong:
        expected = "wrong"
    assert [evaluated(expr, scope) for _ in range(2)] == [expected] * 2
    assert scope == before


def evaluated(expr: Expr, scope: dict[str, Any]) -> str:
    """The value as text, or that there is none. Any other error escapes."""
    try:
        return repr(expr.evaluate(scope))
    except EvaluationError:
        return "wrong"


SIGNS = [*"$@.[](){}|!<+-*/%?:,'\"\\", "{{", "}}", "||", "&&", "==", "!=", "<=", "[*]", "[?("]
WORDS = st.sampled_from(
    [*SIGNS, "a", "in", "1", "1.5", "'x'", "true", "null", "size(", "has(", "x-y"]
)


@few
@given(
    st.text(max_size=40) | st.lists(WORDS, max_size=30).map(" ".join) | st.lists(WORDS).map("".join)
)
@example("(" * 5_000)
@example("'" + "\\" * 5_000)
@example("a" + "-a" * 5_000)
@example("{{" * 3_000)
@example("1" * 5_000)
def test_reading_any_text_gives_an_expression_or_an_expression_error(text: str) -> None:
    for braces in (False, True):
        expr, offset = read(text, braces)
        assert 0 <= offset <= len(text)
        assert expr is None or parse(str(expr)) == expr


def read(text: str, braces: bool) -> tuple[Expr | None, int]:
    """The expression, or None and where the text went wrong. Any other error escapes."""
    try:
        return parse(text, braces=braces), 0
    except ExpressionError as error:
        return None, error.offset


@few
@given(VALUES)
def test_json_goes_to_text_and_back(value: Any) -> None:
    assert repr(parse("fromJson(toJson(x))").evaluate({"x": value})) == repr(value)


@pytest.mark.parametrize(
    "source",
    [
        "a[?(size(@[?(size($.a[?(@ in $.a)]) > 0)]) > 0)]",
        "$.a[?(@ in $.a)]",
        "a[?(sum($.a) > 0)]",
        "$.a[?($.a == $.a)]",
        "$.a[?(size(unique($.a)) > 1)]",
        "$.a[?(size($.a + $.a) > 1)]",
        "$.a[?(size($.a[0:1000]) > 1)]",
        "$.a[?([1] in $.a)]",
        "sum($.a[?(size($.text | upper) > 1)])",
        "$.a[?(matches($.text, 'b'))]",
        "$.a[?(size(toJson($.a)) > 1)]",
        "$.a[?(size(toJson($.box)) > 1)]",
    ],
)
def test_the_budget_stops_what_grows_with_the_square_of_its_input(source: str) -> None:
    rows = list(range(1_000))
    scope = {"a": rows, "$": {"a": rows, "text": "a" * 10_000, "box": [rows]}}
    with pytest.raises(EvaluationError) as caught:
        parse(source).evaluate(scope)
    assert caught.value.failure.code == "too_many_steps"


def test_a_budget_may_be_shared_by_several_evaluations() -> None:
    budget, expr = Budget(2_500), parse("sum(a)")
    scope = {"a": [1] * 1_000}
    assert [expr.evaluate(scope, budget) for _ in range(2)] == [1_000, 1_000]
    with pytest.raises(EvaluationError):
        expr.evaluate(scope, budget)


def test_steps_are_counted_from_the_text_and_not_from_the_clock() -> None:
    expr = parse("$.a[*].x")
    rows = [{"x": 1}] * ((STEP_LIMIT - 1) // 2)
    assert len(expr.evaluate({"$": {"a": rows}})) == len(rows)
    with pytest.raises(EvaluationError):
        expr.evaluate({"$": {"a": [*rows, *rows]}})


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "source", ["x == y", "toJson(x)", "unique([x, y])", "string(x)", "x in [y]"]
)
def test_values_deeper_than_the_machine_bears_are_a_typed_error(source: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        parse(source).evaluate({"x": deep(5_000), "y": deep(5_000)})
    assert caught.value.failure.code == "beyond_limits"


def doubled(levels: int) -> Any:
    """Small in memory, and two to the power of `levels` values when written down."""
    value: Any = ["x"]
    for _ in range(levels):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    "source",
    [
        "toJson(x)",
        "string(x)",
        "join([x], '')",
        "x == y",
        "x in [y]",
        "[1, x] in [[1, y]]",
        "unique([x, y])",
        "upper(x)",
        "x > 1",
        "!(1 in x) && upper(x)",
        "number(x)",
    ],
)
def test_a_value_that_refers_to_itself_over_and_over_is_never_written_out(source: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        parse(source).evaluate({"x": doubled(60), "y": doubled(60)})
    assert len(str(caught.value.failure)) < 1_000


def test_a_pattern_costs_steps_by_its_size_and_the_length_of_the_text() -> None:
    scope = {"x": "a" * 100_000}
    assert parse("matches(x, 'a$')").evaluate(scope) is True
    with pytest.raises(EvaluationError) as caught:
        parse("matches(x, '(a|b|c|d){1,900}x')").evaluate(scope)
    assert caught.value.failure.code == "too_many_steps"

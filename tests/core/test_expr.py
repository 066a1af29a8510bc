"""The expression language: what each construct means over JSON values."""

from typing import Any

import pytest

from engine.core.errors import Kind, StepError
from engine.core.expr import EvaluationError, parse

SCOPE: dict[str, Any] = {
    "input": {
        "n": 5,
        "half": 0.5,
        "name": "Ann",
        "flag": True,
        "nothing": None,
        "ids": [3, 1, 2],
        "orders": [
            {"id": 1, "total": 50, "lines": [{"sku": "a"}, {"sku": "b"}]},
            {"id": 2, "total": 150, "lines": []},
            {"id": 3, "total": 120.5},
        ],
        "by-day": {"mon": 1, "tue": 2},
    },
    "tasks": {"get-order": {"output": {"total": 120, "0": "zero"}}},
}


def value(source: str) -> Any:
    return parse(source).evaluate(SCOPE)


def failure(source: str) -> Any:
    with pytest.raises(EvaluationError) as caught:
        value(source)
    assert caught.value.failure.kind is Kind.LOGIC
    return caught.value.failure


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tasks.get-order.output.total", 120),
        ("tasks['get-order']['output'].total", 120),
        ("input.orders[0].id", 1),
        ("input.orders[-1].id", 3),
        ("input.ids[input.n - 4]", 1),
        ("input[input.name == 'Ann' ? 'n' : 'half']", 5),
        ("input.by-day.tue", 2),
        ("input.ids[0.5 * 2]", 1),
        ("(input.orders[*].id)[1]", 2),
        ("{a: [1]}.a[0]", 1),
        ("tasks.get-order.output['0']", "zero"),
    ],
)
def test_a_path_leads_to_a_member(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "input.missing",
        "input.missing.deeper[3].still",
        "input.name.first",
        "input.ids[9]",
        "input.ids[-9]",
        "input.ids.length",
        "input.name[0]",
        "input.orders['0']",
        "tasks.get-order.output[0]",
        "input[input.nothing]",
        "elsewhere.at.all",
    ],
)
def test_a_path_to_what_is_not_there_gives_null(source: str) -> None:
    assert value(source) is None


@pytest.mark.parametrize(
    "key", ["__class__", "__dict__", "__proto__", "constructor", "items", "get"]
)
def test_only_members_of_json_values_can_be_reached(key: str) -> None:
    assert value(f"input.{key}") is None
    assert value(f"input.ids.{key}") is None
    assert parse(f"input.{key}").evaluate({"input": {key: 1}}) == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("input.orders[*].id", [1, 2, 3]),
        ("input.orders[?(@.total > 100)].id", [2, 3]),
        ("input.orders[?@.total > 100 && @.id != 2].total", [120.5]),
        ("input.orders[?(@.total > input.n * 20)].id", [2, 3]),
        ("input.orders[0:2].id", [1, 2]),
        ("input.orders[::-1].id", [3, 2, 1]),
        ("input.orders[:-1].id", [1, 2]),
        ("input.orders[*].lines[*].sku", ["a", "b"]),
        ("input.orders[*].lines[0].sku", ["a"]),
        ("input.orders[?(size(@.lines[?(@.sku == 'b')]) > 0)].id", [1]),
        ("input.by-day[*]", [1, 2]),
        ("input.by-day[?(@ > 1)]", [2]),
        ("input.missing[*].x", []),
        ("input.name[*]", []),
        ("input.name[0:2]", []),
        ("input.orders[*][input.name == 'Ann' ? 'id' : 'total']", [1, 2, 3]),
        ("input.orders[*][input.nothing]", []),
    ],
)
def test_a_path_may_stand_for_many_values(source: str, expected: Any) -> None:
    assert value(source) == expected


def test_in_a_filter_the_outer_element_comes_back_after_the_inner_one() -> None:
    source = "input.orders[?(size(@.lines[?(@.sku == 'b')]) == 1 && @.id == 1)].id"
    assert value(source) == [1]


def test_the_value_at_hand_is_the_member_called_dollar() -> None:
    assert parse("$.a + $['b'] + @.c").evaluate({"$": {"a": 1, "b": 2, "c": 3}}) == 6
    assert parse("$[1]").evaluate({"$": [1, 2]}) == 2
    assert parse("$[*].x").evaluate({"$": [{"x": 1}, {}, {"x": None}]}) == [1, None]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 == 1.0", True),
        ("true == 1", False),
        ("false == 0", False),
        ("'1' == 1", False),
        ("null == false", False),
        ("input.missing == null", True),
        ("[1, {a: true}] == [1.0, {a: true}]", True),
        ("[1, {a: true}] == [1, {a: 1}]", False),
        ("{a: 1, b: 2} == {b: 2, a: 1}", True),
        ("{a: 1} == {a: 1, b: null}", False),
        ("[1, 2] == [1]", False),
        ("[] == {}", False),
        ("input.flag == true", True),
        ("input.name != 'Bob'", True),
        ("input.n != 5", False),
    ],
)
def test_equality_is_strict_by_type_at_every_depth(source: str, expected: bool) -> None:
    assert value(source) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("2 < 10", True),
        ("'2' < '10'", False),
        ("1 <= 1.0", True),
        ("input.half >= 0.5", True),
        ("'b' > 'a'", True),
        ("input.missing > 1", False),
        ("input.missing <= 1", False),
        ("1 < null", False),
        ("null <= null", False),
    ],
)
def test_numbers_and_texts_have_an_order_and_null_has_none(source: str, expected: bool) -> None:
    assert value(source) is expected


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("5 > '3'", 'the right side is the text "3"; convert it with `number(...)`'),
        ("input.name < 3", 'the left side is the text "Ann"; convert it with `number(...)`'),
        ("true < false", "only numbers and texts have an order, not boolean values"),
        ("[1] < [2]", "only numbers and texts have an order, not array values"),
        ("{} < 1", "compare two numbers or two texts"),
    ],
)
def test_different_types_have_no_order_and_the_hint_says_which_side(source: str, hint: str) -> None:
    wrong = failure(source)
    assert wrong.code == "not_comparable"
    assert wrong.hint == hint


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("true && false || true", True),
        ("!input.missing", True),
        ("input.missing || input.flag", True),
        ("input.missing && input.name > 3", False),
        ("input.flag || input.name > 3", True),
        ("true && true && !false", True),
        ("false || false || null", False),
        ("input.flag ? 'yes' : 'no'", "yes"),
        ("input.missing ? 1 : input.n == 5 ? 2 : 3", 2),
        ("!(1 > 2) && !!true", True),
    ],
)
def test_logic_takes_null_as_false_and_stops_early(source: str, expected: Any) -> None:
    assert value(source) is expected or value(source) == expected


@pytest.mark.parametrize(
    "source", ["input.name && true", "!input.n", "input.ids ? 1 : 2", "false || 0"]
)
def test_logic_refuses_what_is_neither_true_nor_false(source: str) -> None:
    assert failure(source).code == "not_boolean"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", 5),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3.5),
        ("6 / 2", 3),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("7.5 % 2", 1.5),
        ("10 - 2 - 3", 5),
        ("-input.n", -5),
        ("--5", 5),
        ("3-1", 2),
        ("input.n -1", 4),
        ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]),
        ("1e3 + 0.5", 1000.5),
    ],
)
def test_arithmetic(source: str, expected: Any) -> None:
    found = value(source)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("1 / 0", "division_by_zero"),
        ("1 % 0", "division_by_zero"),
        ("1 + '1'", "wrong_type"),
        ("input.missing + 1", "wrong_type"),
        ("true + 1", "wrong_type"),
        ("'a' * 1000000000", "wrong_type"),
        ("'%1000000000d' % 1", "wrong_type"),
        ("-input.name", "wrong_type"),
        ("9223372036854775807 * 9223372036854775807", "number_too_large"),
        ("9223372036854775808 + 1", "number_too_large"),
        ("1e308 * 10", "number_too_large"),
        ("-9223372036854775808 - 1", "number_too_large"),
    ],
)
def test_arithmetic_that_has_no_answer_is_a_typed_error(source: str, code: str) -> None:
    assert failure(source).code == code


def test_numbers_beyond_arithmetic_are_passed_on_untouched() -> None:
    huge = 10**400
    scope = {"input": {"huge": huge}}
    assert parse("input.huge").evaluate(scope) == huge
    assert parse("input.huge == 1").evaluate(scope) is False
    assert parse("input.huge > 1.5").evaluate(scope) is True
    with pytest.raises(EvaluationError):
        parse("input.huge * 1.5").evaluate(scope)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("2 in input.ids", True),
        ("2.0 in [1, 2]", True),
        ("true in [1]", False),
        ("'mon' in input.by-day", True),
        ("1 in input.by-day", False),
        ("'nn' in input.name", True),
        ("1 in null", False),
        ("null in 'a'", False),
        ("[1] in [[1]]", True),
    ],
)
def test_in_looks_into_arrays_objects_and_texts(source: str, expected: bool) -> None:
    assert value(source) is expected


@pytest.mark.parametrize("source", ["1 in 5", "1 in 'a'", "1 in true"])
def test_in_refuses_what_has_no_inside(source: str) -> None:
    assert failure(source).code == "wrong_type"


def test_objects_and_arrays_are_built_from_values() -> None:
    built = value("{id: input.n, 'full name': input.name, in: [input.half, {}], true: 1}")
    assert built == {"id": 5, "full name": "Ann", "in": [0.5, {}], "true": 1}


@pytest.mark.parametrize("source", ["input.ids[input.half]", "input.ids[input.flag]", "input[[1]]"])
def test_a_computed_key_is_a_text_or_a_whole_number(source: str) -> None:
    assert failure(source).code == "wrong_type"


def test_a_filter_is_a_call_with_the_value_first() -> None:
    assert value("input.missing | default('x') | upper") == "X"
    assert parse("a | split(',') | first") == parse("first(split(a, ','))")
    assert parse("a + b | size") == parse("size(a + b)")


def test_has_tells_a_null_member_from_none() -> None:
    assert value("has(input.nothing)") is True
    assert value("has(input.missing)") is False
    assert value("has(input.ids[2])") is True
    assert value("has(input.ids[3])") is False
    assert value("has(input.missing.deeper)") is False
    assert value("has(input['by-' + 'day'])") is True
    assert value("has(input.name.x)") is False


@pytest.mark.parametrize(
    ("source", "references"),
    [
        (
            "tasks.a.output.x[0].y > input.n",
            {("tasks", "a", "output", "x", 0, "y"), ("input", "n")},
        ),
        ("tasks[input.which].output", {("tasks",), ("input", "which")}),
        ("tasks.a.output[*].x", {("tasks", "a", "output")}),
        ("tasks.a.list[?(@.x == input.y)]", {("tasks", "a", "list"), ("input", "y")}),
        ("$.a + @.b", set()),
        ("upper(input.name)", {("input", "name")}),
        ("{a: input, b: [tasks.b]}", {("input",), ("tasks", "b")}),
        ("first(tasks.a.output).name", {("tasks", "a", "output")}),
        ("input.a ? -input.b : !input.c", {("input", "a"), ("input", "b"), ("input", "c")}),
    ],
)
def test_references_are_what_the_text_shows(source: str, references: set[Any]) -> None:
    assert parse(source).references() == references


def test_a_failure_says_where_in_which_expression() -> None:
    wrong = failure("input.flag && input.name > 3")
    assert wrong.details == {"expression": "input.flag && input.name > 3", "offset": 25}


def test_every_failure_of_the_language_is_a_failure_of_the_step() -> None:
    assert issubclass(EvaluationError, StepError)


def test_expressions_are_equal_when_they_mean_the_same_tree() -> None:
    assert parse("a.b") == parse(" a [ 'b' ] ")
    assert hash(parse("a.b")) == hash(parse("a['b']"))
    assert parse("a.b") != parse("a.c")
    assert parse("a") != "a"
    assert repr(parse("a['b']")) == "parse('a.b')"

"""The fixed table of functions: what each gives, and what each refuses."""

from typing import Any

import pytest

from engine.core.expr import FUNCTIONS, EvaluationError, parse
from engine.core.expr.limits import TEXT_LIMIT

CASES: list[tuple[str, Any]] = [
    ("default(null, 1)", 1),
    ("default(0, 1)", 0),
    ("type(1.5)", "number"),
    ("type([])", "array"),
    ("type(missing)", "null"),
    ("string(1, null, true, 'x', {a: [1, 'é']}, 1.5)", '1truex{"a":[1,"é"]}1.5'),
    ("string(null)", ""),
    ("number(' -12 ')", -12),
    ("number('1.5e3')", 1500.0),
    ("number(7)", 7),
    ("number(null)", None),
    ("bool('true')", True),
    ("bool('false')", False),
    ("bool(true)", True),
    ("bool(null)", False),
    ("toJson({a: [1, null, true, 'é\"']})", '{"a":[1,null,true,"é\\""]}'),
    ("toJson('a')", '"a"'),
    ("toJson(7)", "7"),
    ("fromJson('{\"a\": [1.5, null]}')", {"a": [1.5, None]}),
    ("fromJson(null)", None),
    ("size('héé')", 3),
    ("size([1, 2])", 2),
    ("size({a: 1})", 1),
    ("size(null)", 0),
    ("length([1])", 1),
    ("upper('straße')", "STRASSE"),
    ("lower('ABC')", "abc"),
    ("trim('  a b ')", "a b"),
    ("upper(null)", None),
    ("split('a,b,', ',')", ["a", "b", ""]),
    ("split('abc', '')", ["a", "b", "c"]),
    ("split(null, ',')", []),
    ("join([1, 'a', null, true], '-')", "1-a--true"),
    ("join(['a', 'b'])", "ab"),
    ("join(null, ',')", ""),
    ("replace('a-b-c', '-', '+')", "a+b+c"),
    ("replace(null, 'a', 'b')", None),
    ("substring('hello', 1, 3)", "ell"),
    ("substring('hello', -2)", "lo"),
    ("substring('hello', 9, 3)", ""),
    ("substring('hello', 1, -3)", ""),
    ("substring(null, 1)", None),
    ("startsWith('abc', 'ab')", True),
    ("endsWith('abc', 'bc')", True),
    ("startsWith(null, 'ab')", False),
    ("endsWith('abc', null)", False),
    ("contains([1, 2], 2)", True),
    ("contains('abc', 'b')", True),
    ("contains(null, 'b')", False),
    ("matches('order-17', '^order-[0-9]+$')", True),
    ("matches(null, 'a')", False),
    ("keys({b: 1, a: 2})", ["b", "a"]),
    ("values({b: 1, a: 2})", [1, 2]),
    ("keys(null)", []),
    ("merge({a: 1, b: 1}, null, {b: 2})", {"a": 1, "b": 2}),
    ("first([3, 4])", 3),
    ("last([3, 4])", 4),
    ("first([])", None),
    ("last(null)", None),
    ("reverse([1, 2])", [2, 1]),
    ("sort([3, null, 1.5])", [1.5, 3, None]),
    ("sort(['b', 'a'])", ["a", "b"]),
    ("unique([1, 1.0, true, '1', [1], [1]])", [1, True, "1", [1]]),
    ("flatten([1, [2, [3]]])", [1, 2, [3]]),
    ("count([1, null, 2])", 2),
    ("sum([1, 2, null])", 3),
    ("sum([0.1, 0.2, 0.3])", 0.6),
    ("sum(null)", 0),
    ("avg([1, 2])", 1.5),
    ("avg([1, 3])", 2),
    ("avg([])", None),
    ("min([3, 1, 2])", 1),
    ("min(3, 1)", 1),
    ("max('a', 'b')", "b"),
    ("max([])", None),
    ("min(null, 2)", 2),
    ("round(2.5)", 3),
    ("round(-2.5)", -3),
    ("round(2.675, 2)", 2.68),
    ("round(7, 2)", 7),
    ("round(1e300, 2)", 1e300),
    ("round(1e15)", 10**15),
    ("round(null)", None),
    ("floor(-1.5)", -2),
    ("ceil(-1.5)", -1),
    ("abs(-3)", 3),
    ("floor(null)", None),
    ("epoch('1970-01-02')", 86400),
    ("epoch('2026-11-21T10:00:00.5+01:00')", 1795251600.5),
    ("epoch(null)", None),
    ("timestamp(0)", "1970-01-01T00:00:00Z"),
    ("timestamp(1795251600.5)", "2026-11-21T09:00:00.500000Z"),
    ("timestamp(null)", None),
    ("has(a.b)", False),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_a_function_gives(source: str, expected: Any) -> None:
    found = parse(source).evaluate({})
    assert found == expected
    assert type(found) is type(expected)


def test_every_function_has_a_case() -> None:
    used = {source.partition("(")[0] for source, _ in CASES}
    assert used == set(FUNCTIONS)


def test_functions_take_times_apart_and_put_them_together() -> None:
    assert (
        parse("timestamp(epoch('2026-01-31T23:59:59Z') + 1)").evaluate({}) == "2026-02-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("upper(1)", "wrong_type"),
        ("lower([])", "wrong_type"),
        ("split('a', 1)", "wrong_type"),
        ("join('abc', ',')", "wrong_type"),
        ("replace('a', '', 'b')", "wrong_value"),
        ("substring('a', 0.5)", "wrong_type"),
        ("number('0x10')", "wrong_value"),
        ("number('1_000')", "wrong_value"),
        ("number('nan')", "wrong_value"),
        ("number('')", "wrong_value"),
        ("number('1e999')", "number_too_large"),
        ("number([])", "wrong_value"),
        ("bool('yes')", "wrong_value"),
        ("bool(1)", "wrong_value"),
        ("fromJson('{')", "bad_json"),
        ("fromJson('NaN')", "bad_json"),
        ("fromJson('1e999')", "bad_json"),
        ("fromJson(5)", "wrong_type"),
        ("size(5)", "wrong_type"),
        ("keys([1])", "wrong_type"),
        ("first('abc')", "wrong_type"),
        ("sort([1, 'a'])", "not_comparable"),
        ("sort([true, false])", "not_comparable"),
        ("count()", "wrong_value"),
        ("sum([1, '2'])", "wrong_type"),
        ("sum({a: 1})", "wrong_type"),
        ("sum([9223372036854775807, 2])", "number_too_large"),
        ("max([1, 'a'])", "not_comparable"),
        ("max([true])", "not_comparable"),
        ("round(1, 99)", "wrong_value"),
        ("round('1')", "wrong_type"),
        ("abs(true)", "wrong_type"),
        ("epoch('yesterday')", "bad_time"),
        ("epoch('2026-13-01')", "bad_time"),
        ("timestamp(1e15)", "bad_time"),
        ("timestamp('0')", "bad_time"),
        ("matches('a', '(')", "bad_pattern"),
    ],
)
def test_a_function_refuses_with_a_typed_error(source: str, code: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        parse(source).evaluate({})
    assert caught.value.failure.code == code


@pytest.mark.parametrize("pattern", [r"(a)\1", "a{1000}{1000}", "(?=a)", "x" * 1001, "\ud800"])
def test_patterns_without_a_linear_bound_are_refused(pattern: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        parse("matches('aaa', input.pattern)").evaluate({"input": {"pattern": pattern}})
    assert caught.value.failure.code == "bad_pattern"


def test_a_pattern_that_ruins_other_engines_is_linear_here() -> None:
    scope = {"input": {"text": "a" * 50_000 + "!"}}
    assert parse("matches(input.text, '^(a+)+$')").evaluate(scope) is False


@pytest.mark.parametrize(
    "source",
    [
        "input.text + input.text",
        "replace(input.text, 'a', 'bb')",
        "join([input.text, input.text], '')",
        "string(input.text, 'x', input.text)",
        "toJson([input.text, 1, 2])",
        "upper(replace(input.text, 'a', 'ß'))",
    ],
)
def test_a_text_cannot_outgrow_its_limit(source: str) -> None:
    scope = {"input": {"text": "a" * (TEXT_LIMIT - 3)}}
    with pytest.raises(EvaluationError) as caught:
        parse(source).evaluate(scope)
    assert caught.value.failure.code == "text_too_long"


@pytest.mark.parametrize("depth", [65, 2_000, 100_000])
def test_deep_json_in_a_text_is_refused(depth: int) -> None:
    text = "[" * depth + "]" * depth
    with pytest.raises(EvaluationError) as caught:
        parse("fromJson(input)").evaluate({"input": text})
    assert caught.value.failure.code == "bad_json"

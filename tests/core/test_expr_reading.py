"""Reading expressions: what is refused, where, and what to write instead; and the bounds."""

import pytest

from engine.core.expr import Expr, ExpressionError, parse

ROOTS = ("input", "tasks", "forEach")


def wrong(source: str, roots: tuple[str, ...] | None = ROOTS) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(source, roots)
    return caught.value


@pytest.mark.parametrize(
    ("source", "offset", "hint"),
    [
        ("taks.a", 0, "did you mean `tasks`?"),
        ("Input.a", 0, "did you mean `input`?"),
        (
            "input.a == active",
            11,
            "paths begin with `forEach`, `input`, `tasks`; texts need quotes",
        ),
        ("input.a | lenght", 10, "did you mean `length`?"),
        ("Upper(input.a)", 0, "did you mean `upper`?"),
        ("input.name.upper()", 11, "write `upper(value)` or `value | upper`"),
        ("input.a = 1", 8, "compare with `==`"),
        ("input.a & input.b", 8, "write `&&`"),
        ("input.a and input.b", 8, "write `&&`"),
        ("not input.a", 0, "write `!`"),
        ("input.a == None", 11, "write `null`"),
        ("input.a | size > 3", 15, "put the part before it in parentheses"),
        ("input.items[]", 12, "for all elements write `[*]`"),
        ("input.items.0", 12, "write `[0]` for an element of an array"),
        ("input..a", 6, "for other keys write `['any key']`"),
        ("1 < 2 < 3", 6, "write `a < b && b < c`"),
        ("'abc", 0, "the text has no closing quote"),
        ("input.a; input.b", 7, "write one expression"),
        ("2 ** 3", 3, "there is no `**`"),
        ("007", 0, "leave the zero out"),
        ("input.a b", 8, "texts need quotes, and a minus needs spaces round it"),
        ("{{input.a}}", 0, "one pair of `{{ }}` is enough; inside it write the path itself"),
        ("has(1)", 0, "write `has(input.name)`"),
        ("round()", 0, "write `round(x, 2)`"),
        (r"'a\q'", 0, r"write `\\` for a backslash"),
    ],
)
def test_a_mistake_has_a_place_and_a_hint(source: str, offset: int, hint: str) -> None:
    error = wrong(source)
    assert (error.offset, error.hint) == (offset, hint)
    assert error.message == str(error) != ""


def test_a_bare_name_in_a_transform_is_taken_for_a_forgotten_dollar() -> None:
    assert wrong("status == 'active'", ("$", "input")).hint == "did you mean `$.status`?"


@pytest.mark.parametrize(
    "source",
    [
        "",
        "   ",
        "(",
        ")",
        "a.",
        "a[",
        "a[1",
        "a[1:2:0]",
        "a[1:x]",
        "a[1.5]",
        "a[true]",
        "{a}",
        "{a: 1, a: 2}",
        "{1: 2}",
        "[1 2]",
        "f(1)",
        "a |",
        "a | 5",
        "a ? b",
        "a ? b :",
        "1 +",
        "* 2",
        "1e999",
        "1.",
        ".5",
        "+1",
        "a..b",
        "'\\ud800'",
        "().__class__",
        "lambda: 1",
        "[x for x in y]",
        "a if b else c",
        "`ls`",
        "a := 1",
        "${a}",
        "#",
        "\x00",
    ],
)
def test_what_is_no_expression_is_refused(source: str) -> None:
    assert 0 <= wrong(source, None).offset <= len(source)


def test_without_a_list_of_roots_any_name_may_begin_a_path() -> None:
    assert parse("whatever.it.is").references() == {("whatever", "it", "is")}


@pytest.mark.parametrize(
    ("source", "canonical"),
    [
        ("input.a|default( 'x' )", "default(input.a, 'x')"),
        ('"it\'s"', r"'it\'s'"),
        (r"'\u00e9\n'", r"'é\n'"),
        ("a['b'][\"c d\"][0]", "a.b['c d'][0]"),
        ("((a + b)) + (c + d)", "a + b + (c + d)".replace("a + b +", "(a + b) +")),
        ("(a && b) || c", "a && b || c"),
        ("a && (b || c)", "a && (b || c)"),
        ("(a ? b : c) ? d : (e ? f : g)", "(a ? b : c) ? d : e ? f : g"),
        ("-(5)", "-(5)"),
        ("- 5", "-5"),
        ("(a.b).c", "a.b.c"),
        ("(a[*]).c", "(a[*]).c"),
        ("a[?@.x]", "a[?(@.x)]"),
        ("{ 'a-b': 1, true: 2, 'x y': [ ] }", "{a-b: 1, 'true': 2, 'x y': []}"),
        ("a[ 1 : ]", "a[1:]"),
        ("'{{'", r"'{\{'"),
        ("forEach.$parent.item", "forEach.$parent.item"),
    ],
)
def test_the_printed_form_is_canonical(source: str, canonical: str) -> None:
    assert str(parse(source)) == canonical
    assert parse(canonical) == parse(source)


def nested(opening: str, inner: str, closing: str, depth: int) -> str:
    return opening * depth + inner + closing * depth


@pytest.mark.parametrize(
    "source",
    [
        nested("(", "1", ")", 10_000),
        nested("[", "", "]", 1_000),
        nested("{a:", "1", "}", 40),
        "!" * 3_000 + "true",
        "1" + " | abs" * 40,
        "a" + "[a" * 300 + "]" * 300,
        "a ? 1 : " * 100 + "2",
        "-" * 4_000 + "1",
        nested("upper(", "a", ")", 33),
    ],
)
def test_nesting_is_bounded(source: str) -> None:
    wrong(source, None)


def test_the_size_of_an_expression_is_bounded() -> None:
    assert isinstance(parse(" || ".join(["a.b"] * 160)), Expr)
    assert "more than 500 parts" in wrong(" || ".join(["a.b"] * 170), None).message
    assert "longer than 4,096 characters" in wrong("'" + "a" * 5_000 + "'", None).message
    assert "longer than 4,096 characters" in wrong(" " * 5_000 + "1", None).message


def test_the_deepest_expression_allowed_can_be_printed_and_read_again() -> None:
    for source in (
        nested("(1 + ", "1", ")", 30),
        nested("[", "1", "]", 31),
        "a" + " | trim" * 31,
        "-" * 30 + "(1)",
        nested("{a: ", "1", "}", 31),
    ):
        deep = parse(source)
        assert parse(str(deep)) == deep

"""Templates: types are kept, texts are made once, JSON texts stay JSON."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.expr import EvaluationError
from engine.core.expr.limits import TEXT_LIMIT
from engine.core.template import Piece, TemplateError, compile_template
from tests.core.trees import VALUES

few = settings(max_examples=20, database=None)

SCOPE: dict[str, Any] = {
    "input": {
        "id": 7,
        "price": 1.5,
        "flag": False,
        "none": None,
        "name": "Ann",
        "list": [1, {"a": None}],
        "evil": '", "admin": true, "x": "',
    },
    "tasks": {"get-order": {"output": {"total": 120}, "status": "done"}},
    "forEach": {"user": {"id": 9}, "index": 0, "$parent": {"index": 4}},
}


def render(value: Any) -> Any:
    return compile_template(value).render(SCOPE)


def wrong(value: Any) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        compile_template(value)
    return caught.value


@pytest.mark.requirement("templates")
@pytest.mark.parametrize("form", ["{{%s}}", "{{ %s }}", "${{ %s }}", "${{%s}}"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("input.id", 7),
        ("input.flag", False),
        ("input.none", None),
        ("input.missing.deeper", None),
        ("input.list", [1, {"a": None}]),
        ("tasks.get-order.output", {"total": 120}),
        ("input.list | length", 2),
        ("forEach.user.id", 9),
        ("forEach.$parent.index", 4),
    ],
)
def test_a_text_that_is_one_expression_keeps_the_type(form: str, path: str, expected: Any) -> None:
    found = render(form % path)
    assert found == expected
    assert type(found) is type(expected)


def test_a_whole_value_is_passed_by_reference() -> None:
    assert render("{{input.list}}") is SCOPE["input"]["list"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order {{input.id}} of {{ input.name }}", "order 7 of Ann"),
        (" {{input.id}}", " 7"),
        ("{{input.id}}{{input.none}}{{input.missing}}", "7"),
        ("{{input.flag}}/{{input.price}}/{{input.list}}", 'false/1.5/[1,{"a":null}]'),
        ("cost: $${{input.price}}", "cost: $1.5"),
        ("a ${{input.id}} b", "a 7 b"),
        ("{{ '{{' }}x{{ '}}' }}", "{{x}}"),
        ("{{ {a: {b: input.id}} }}!", '{"a":{"b":7}}!'),
        ("}} { { }", "}} { { }"),
        ("http://x/{{input.id}}/{{input.name | lower}}", "http://x/7/ann"),
    ],
)
def test_inside_a_text_values_become_text(text: str, expected: str) -> None:
    assert render(text) == expected


def test_templates_are_found_at_any_depth_and_the_rest_stays_the_same_object() -> None:
    inner = {"x": [1, "no braces"]}
    source = {"a": [{"b": "{{input.id}}"}, inner, 3], "c": "n {{input.id}}", "d": None}
    found = render(source)
    assert found == {"a": [{"b": 7}, inner, 3], "c": "n 7", "d": None}
    assert found["a"][1] is inner


@pytest.mark.parametrize("value", [None, 5, "text", "a } b {", {"a": [1, "$x"]}, [], {}, "{ {x} }"])
def test_a_value_without_expressions_is_constant_and_returned_itself(value: Any) -> None:
    template = compile_template(value)
    assert template.constant
    assert template.render(SCOPE) is value
    assert template.references() == frozenset()


@few
@given(VALUES)
def test_any_json_without_double_braces_is_rendered_as_it_is(value: Any) -> None:
    if "{{" not in json.dumps(value, ensure_ascii=False):
        assert compile_template(value).render({}) is value


@few
@given(VALUES)
def test_rendering_is_a_single_pass(value: Any) -> None:
    scope: dict[str, Any] = {"input": {"x": value, "secret": "s"}, "y": "{{input.secret}}"}
    assert compile_template("{{input.x}}").render(scope) is value
    scope["input"]["x"] = "{{input.secret}} ${{input.secret}}"
    assert compile_template("a {{input.x}}").render(scope) == "a {{input.secret}} ${{input.secret}}"
    assert compile_template({"k": "{{input.x}}"}).render(scope) == {"k": scope["input"]["x"]}


@few
@given(VALUES)
def test_rendering_changes_nothing(value: Any) -> None:
    scope = {"input": {"x": value}}
    before = copy.deepcopy(scope)
    compile_template({"a": "{{input.x}}", "b": "- {{input.x}}", "c": ["{{input.x[*]}}"]}).render(
        scope
    )
    assert scope == before


def test_a_json_text_stays_json_whatever_a_value_holds() -> None:
    text = '{"user": "{{input.evil}}", "n": "{{input.id}}"}'
    assert json.loads(render(text)) == {"user": SCOPE["input"]["evil"], "n": "7"}


@few
@given(VALUES, VALUES)
def test_in_a_json_text_every_value_lands_where_its_place_is(one: Any, other: Any) -> None:
    template = compile_template(
        '{"quoted": "<{{input.one}}>", "bare": {{input.other}}, "list": [{{input.one}}, 1],'
        ' "made": {{input.one | toJson}}, "esc\\"aped": "{{input.other}}"}'
    )
    found = json.loads(template.render({"input": {"one": one, "other": other}}))
    assert repr([found["bare"], found["list"][0], found["made"]]) == repr([other, one, one])
    assert list(found) == ["quoted", "bare", "list", "made", 'esc"aped']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"amount": {{tasks.get-order.output.total}}}', '{"amount": 120}'),
        ('{"amount": {{input.missing}}}', '{"amount": null}'),
        ('{"name": {{input.name}}}', '{"name": "Ann"}'),
        ('[{"id": {{input.id}}}, "{{input.name}}"]', '[{"id": 7}, "Ann"]'),
        ("[{{input.name}}] started", "[Ann] started"),
        ("[{{input.name}}]", "[Ann]"),
        ('{"broken": {{input.name}}', '{"broken": Ann'),
        ("{not json: {{input.name}}}", "{not json: Ann}"),
    ],
)
def test_only_a_text_that_is_json_is_treated_as_json(text: str, expected: str) -> None:
    assert render(text) == expected


def test_references_come_from_every_part() -> None:
    template = compile_template(
        {"a": "{{tasks.x.output.y}} {{input.b[0]}}", "c": ["{{tasks.z.output | toJson}}"]}
    )
    assert template.references() == {
        ("tasks", "x", "output", "y"),
        ("input", "b", 0),
        ("tasks", "z", "output"),
    }


def test_pieces_tell_what_was_inserted() -> None:
    template = compile_template("/users/{{input.name}}/{{input.id}}")
    assert template.pieces(SCOPE) == (
        Piece("/users/", False),
        Piece("Ann", True),
        Piece("/", False),
        Piece("7", True),
    )
    assert compile_template("plain").pieces(SCOPE) == (Piece("plain", False),)
    assert compile_template("{{input.id}}").pieces(SCOPE) == (Piece("7", True),)


@pytest.mark.parametrize(
    ("value", "path", "offset", "hint"),
    [
        ("{{taks.a}}", "", 2, "did you mean `tasks`?"),
        ({"a": [1, "x {{input.b | lenght}}"]}, "a[1]", 14, "did you mean `length`?"),
        ({"a": {"b": "{{input.c"}}, "a.b", 9, ""),
        ("{{}}", "", 2, ""),
        (
            "{{input.a}} {{input.b c}}",
            "",
            22,
            "texts need quotes, and a minus needs spaces round it",
        ),
        (
            "{{ {{input.a}} }}",
            "",
            3,
            "one pair of `{{ }}` is enough; inside it write the path itself",
        ),
        ("{{ ().__class__ }}", "", 4, ""),
        ("{{ 9**9**9 }}", "", 5, "there is no `**`"),
        ("{{input.a | size > 3}}", "", 17, "put the part before it in parentheses"),
        ("{{#if input.a}}", "", 2, ""),
        ("{{ $.a }}", "", 3, "paths begin with `forEach`, `input`, `tasks`; texts need quotes"),
    ],
)
def test_a_mistake_has_a_place_in_the_value_and_in_its_text(
    value: Any, path: str, offset: int, hint: str
) -> None:
    error = wrong(value)
    assert (error.path, error.offset, error.hint) == (path, offset, hint)
    assert error.message == str(error) != ""


def test_the_name_of_a_field_cannot_be_a_template() -> None:
    assert wrong({"a": {"{{input.x}}": 1}}).path == "a"


def test_a_template_too_deep_to_read_is_refused() -> None:
    value: Any = "{{input.x}}"
    for _ in range(5_000):
        value = [value]
    assert "nested deeper" in wrong(value).message


def test_known_roots_can_be_narrowed() -> None:
    with pytest.raises(TemplateError):
        compile_template("{{tasks.a}}", ("input",))


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        ({"a": "{{input.name + 1}}"}, "wrong_type", "a"),
        (["x {{ 'a' * 10 }}"], "wrong_type", "[0]"),
        ("{{input.name > 1}}", "not_comparable", ""),
    ],
)
def test_a_failure_names_the_place_in_the_value(value: Any, code: str, path: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        render(value)
    assert (caught.value.failure.code, caught.value.failure.details["path"]) == (code, path)


@pytest.mark.parametrize(
    "text", ["{{input.x}}{{input.x}}", "a {{input.x | toJson}}", "{{input.x}}!!!"]
)
def test_a_text_cannot_outgrow_its_limit(text: str) -> None:
    scope = {"input": {"x": "a" * (TEXT_LIMIT - 1)}}
    with pytest.raises(EvaluationError) as caught:
        compile_template(text).render(scope)
    assert caught.value.failure.code == "text_too_long"
    assert compile_template("{{input.x}}").render(scope) is scope["input"]["x"]


def test_a_value_that_refers_to_itself_over_and_over_does_not_fill_a_text() -> None:
    value: Any = ["x"]
    for _ in range(60):
        value = [value, value]
    for text in ("a {{input}}", '{"a": {{input}}}', '{"a": "{{input}}"}'):
        with pytest.raises(EvaluationError):
            compile_template(text).render({"input": value})


def test_a_value_too_deep_for_a_text_is_a_typed_error() -> None:
    value: Any = 1
    for _ in range(5_000):
        value = [value]
    with pytest.raises(EvaluationError):
        compile_template("a {{input}}").render({"input": value})


def test_templates_are_equal_when_their_sources_are() -> None:
    assert compile_template({"a": "{{input.x}}"}) == compile_template({"a": "{{input.x}}"})
    assert compile_template("{{input.x}}") != compile_template("{{input.y}}")
    assert repr(compile_template("{{input.x}}")) == "compile_template('{{input.x}}')"


@few
@given(st.text(alphabet="{}$ input.a'|\\\"-[]", max_size=30))
def test_compiling_any_text_gives_a_template_or_a_template_error(text: str) -> None:
    source, offset = read(text)
    assert source == text
    assert 0 <= offset <= len(text)


def read(text: str) -> tuple[str, int]:
    """The source of the template, or where the text went wrong. Any other error escapes."""
    try:
        return compile_template(text).source, 0
    except TemplateError as error:
        return text, error.offset

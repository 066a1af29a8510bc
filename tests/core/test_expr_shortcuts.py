"""The short ways of the parser, for what nearly every text is, give what the parser gives."""

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.core.errors import StepError
from engine.core.expr import ExpressionError, parser, shortcuts
from engine.core.expr.lexer import Lexer
from engine.core.template import ROOTS, TemplateError, compile_condition, compile_template

_NAME = st.sampled_from(
    [
        "input",
        "tasks",
        "forEach",
        "tasks-x",
        "id",
        "get-order",
        "output",
        "a_1",
        "9",
        "1a",
        "²",
        "$parent",
        "$",
        "true",
        "null",
        "in",
        "é",
        "a-",
        "-",
        "",
        "x.y",
        "item[0]",
        " ",
        "a b",
    ]
)
_BLANK = st.sampled_from(["", " ", "\n ", "\t", "\u00a0"])
_WAY = st.lists(_NAME, min_size=1, max_size=5).map(".".join)
_OPEN = st.sampled_from(["{{", "${{", "$${{", "{{{", "{", "$", "{{ {{"])
_CLOSE = st.sampled_from(["}}", "}}}", "}", "", " | upper}}", "(1)}}", " + 1}}"])
_SLOT = st.tuples(_OPEN, _BLANK, _WAY, _BLANK, _CLOSE).map("".join)
_PLAIN = st.tuples(st.just("{{"), _WAY, st.just("}}")).map("".join)
_TEXT = st.lists(_SLOT | _PLAIN | st.text("ab{}$ \n", max_size=4), max_size=5).map("".join)
_LITERAL = st.sampled_from(
    ["0", "7", "007", "12.5", "-3", "'a'", '"b"', "'{{input.x}}'", "'it\\'s'", "'", "true", "x"]
)
_OP = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "=", "in", "+", "&&", "= =", "<>"])
_TEST = st.tuples(_BLANK, _WAY, _BLANK, _OP, _BLANK, _LITERAL, _BLANK).map("".join)
SCOPE = {"input": {"id": 7, "output": {"a_1": "x"}}, "tasks": {"get-order": {"output": [1, 2]}}}


def _slowly(work: Callable[[], Any]) -> Any:
    """What `work` gives where nothing is read by a short way."""
    with (
        patch.object(shortcuts, "_INSIDE", _Never()),
        patch.object(shortcuts, "_REFERENCES", _Never()),
        patch.object(shortcuts, "_COMPARISON", _Never()),
        patch.object(Lexer, "members", lambda _: []),
    ):
        return work()


class _Never:
    """A pattern that is nowhere."""

    def match(self, *_: object) -> None:
        return None

    def fullmatch(self, _: str) -> None:
        return None

    def split(self, text: str) -> list[str]:
        return [text]


def _outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except (ExpressionError, TemplateError) as error:
        return str(error), error.offset, error.hint
    except StepError as error:
        return error.failure


def _exact(value: Any) -> Any:
    """The value with the offsets that equality leaves out."""
    if isinstance(value, tuple | list):
        return [_exact(one) for one in value]
    names = getattr(value, "__slots__", None)
    return (
        value
        if names is None
        else (type(value).__name__, [_exact(getattr(value, name)) for name in names])
    )


@settings(max_examples=400)
@given(_TEXT)
@example("{{tasks.get-order.output.total}} and ${{ input.id }}")
@example("{{{input.id}}}")
@example("{${{input.id}}")
@example("{{input.id}}{{input." + ".".join(["k"] * 600) + "}}")
@example("{{input.a.9}}")
def test_slots_are_the_same_by_the_short_way(text: str) -> None:
    for roots in (ROOTS, None):
        read = partial(_outcome, partial(parser.slots, text, roots))
        found, slow = read(), _slowly(read)
        assert _exact(found) == _exact(slow)


@settings(max_examples=400)
@given(_TEXT)
@example("{{input.id}}")
@example('{"a": "{{input.id}}", "b": {{input.output}}}')
@example("{{input." + ".".join(["k"] * 600) + "}}")
def test_a_template_is_the_same_by_the_short_way(text: str) -> None:
    def made() -> Any:
        template = compile_template({"text": text})
        return (
            template.references(),
            template.constant,
            template.render(SCOPE),
            compile_template(text).pieces(SCOPE),
        )

    assert _outcome(made) == _slowly(lambda: _outcome(made))


_NESTED = st.recursive(
    _TEXT | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.sampled_from(["a", "b", 7, "{{input.id}}"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=400)
@given(_NESTED)
@example({"a": [{"b": "{{input.id}}"}, None, 1.5], "b": "of {{input.output.a_1}}"})
@example({"a": [{"{{input.id}}": 1}]})
def test_a_value_is_the_same_template_by_the_short_way(value: Any) -> None:
    def made() -> Any:
        template = compile_template(value)
        return template.references(), template.constant, template.render(SCOPE)

    assert _outcome(made) == _slowly(lambda: _outcome(made))


@pytest.mark.parametrize("levels", [63, 64, 65])
@pytest.mark.parametrize("inmost", ["{{input.id}}", "{{input.id + 1}}"])
def test_a_template_may_be_as_deep_by_the_short_way(levels: int, inmost: str) -> None:
    value: Any = inmost
    for _ in range(levels):
        value = [value]

    def made() -> Any:
        return compile_template(value).references()

    assert _outcome(made) == _slowly(lambda: _outcome(made))
    assert (_outcome(made) == {("input", "id")}) is (levels <= 64)


@settings(max_examples=400)
@given(_TEST | _TEXT)
@example("tasks.get-order.output.total >= 100")
@example("input.id == '{{input.id}}'")
def test_a_condition_is_the_same_by_the_short_way(text: str) -> None:
    for braces in (True, False):
        read = partial(_outcome, partial(parser.whole, text, ROOTS, braces))
        assert _exact(read()) == _exact(_slowly(read))

    def made() -> Any:
        condition = compile_condition(text)
        return condition.references(), condition.evaluate(SCOPE)

    assert _outcome(made) == _slowly(lambda: _outcome(made))

"""Reading the options of one operation, with an error that names the option.

An option is a constant, checked when the document is read, or a text with `{{ expression }}`
over `input`, evaluated once per run and checked then. Where an element's member is meant, a
plain path (`name`, `address.city`) is short for `$.name`; everything else is an expression.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from engine.core.expr import Expr, ExpressionError, did_you_mean, parse
from engine.core.expr.trouble import Trouble
from engine.core.template import TemplateError, compile_template
from engine.core.transforms.work import Given, Rows

T = TypeVar("T")

ROOTS = ("$", "input")
"""What expressions in a transform may begin with; `@` is the element inside `[?(...)]`."""

NAMES = ("operation", "op", "type")
"""The keys that may name the operation of a step."""

_COMMENTS = ("description", "name", "id")
_PLAIN = re.compile(r"[^\W\d]\w*(?:-\w+)*(?:\.\w+(?:-\w+)*|\[-?\d+\])*")


class TransformError(ValueError):
    """A transform cannot be read. `path` is the place in its specification."""

    def __init__(self, message: str, path: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint


def read_expression(text: str, path: str) -> Expr:
    """An expression over `$` and `input`; a plain path is one of the element."""
    plain = _PLAIN.fullmatch(text)
    is_member = plain is not None and re.split(r"[.\[]", text, maxsplit=1)[0] not in _RESERVED
    try:
        return parse(f"$.{text}" if is_member else text, ROOTS, braces=True)
    except ExpressionError as error:
        message = f"{error.message} (at character {error.offset})"
        raise TransformError(message, path, error.hint) from None


_RESERVED = ("input", "true", "false", "null")


class Options:
    """The options of the step at `path`. Every option read is known; `finish` refuses others."""

    def __init__(self, operation: str, step: Mapping[str, Any], path: str) -> None:
        self.operation = operation
        self.path = path
        self._step = step
        self._known: set[str] = {*NAMES, *_COMMENTS}
        self.weight = 0
        self.needs_seed = False

    def has(self, *names: str) -> bool:
        """Whether one of the options is there, null not counting."""
        self._known.update(names)
        return any(self._step.get(name) is not None for name in names)

    def raw(self, *names: str) -> Any:
        """The option under the first of its names that is there; `TransformError` for none."""
        if not self.has(*names):
            hint = f"add `{names[0]}: ...` to the step"
            raise TransformError(f"`{self.operation}` needs `{names[0]}`", self.path, hint)
        return next(self._step[name] for name in names if self._step.get(name) is not None)

    def where(self, *names: str) -> str:
        """The path of the option in the specification, for messages."""
        present = next((name for name in names if self._step.get(name) is not None), names[0])
        return f"{self.path}.{present}"

    def finish(self) -> None:
        """Refuse options that the operation does not have."""
        for name in self._step:
            if name not in self._known:
                options = self._known.difference(NAMES, _COMMENTS)
                listed = ", ".join(f"`{each}`" for each in sorted(options)) or "no options"
                hint = did_you_mean(str(name), options, f"it has {listed}")
                message = f"`{self.operation}` has no option `{name}`"
                raise TransformError(message, f"{self.path}.{name}", hint)

    def given(self, check: Callable[[Any], T], *names: str, default: Any = None) -> Given[T]:
        """An option that is a constant or a template over `input`, checked by `check`.

        `check` returns the value to use and raises `Trouble` for a wrong one.
        """
        present = self.has(*names)
        if not present and default is None:
            self.raw(*names)
        value = self.raw(*names) if present else default
        if isinstance(value, str) and "{{" in value:
            return self._templated(value, check, self.where(*names))
        return _constant(self._checked(check, value, self.where(*names)))

    def _templated(self, text: str, check: Callable[[Any], T], path: str) -> Given[T]:
        try:
            template = compile_template(text, ("input",))
        except TemplateError as error:
            raise TransformError(error.message, path, error.hint) from None
        return lambda work: check(template.render(work.env.scope))

    def _checked(self, check: Callable[[Any], T], value: Any, path: str) -> T:
        try:
            return check(value)
        except Trouble as trouble:
            raise TransformError(trouble.message, path, trouble.hint) from None

    def choice(self, values: Sequence[str], *names: str, default: str = "") -> str:
        """An option that is one of a few words."""
        value = self.raw(*names) if self.has(*names) or not default else default
        if value not in values:
            listed = ", ".join(f"`{each}`" for each in values)
            hint = did_you_mean(str(value), values, f"one of {listed}")
            raise TransformError(f"`{names[0]}` cannot be `{value}`", self.where(*names), hint)
        return str(value)

    def expression(self, *names: str) -> Rows:
        """An option that is an expression over each element."""
        return self.compiled(self.raw(*names), self.where(*names))

    def compiled(self, value: Any, path: str) -> Rows:
        """The expression that `value` writes."""
        if not isinstance(value, str):
            hint = "write a path like `$.name` or an expression in quotes"
            raise TransformError("an expression must be a text", path, hint)
        return self.weighed(read_expression(value, path))

    def weighed(self, expr: Expr) -> Rows:
        """The expression over rows; its cost counts for the budget of the pipeline."""
        self.weight += expr.cost
        return Rows(expr)


def _constant(value: T) -> Given[T]:
    return lambda _: value

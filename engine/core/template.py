"""JSON values with `{{ expression }}` in their texts, compiled once and rendered many times.

A text that is nothing but one expression keeps the type of its value; inside a text a value
becomes text. A text that is JSON with expressions in it stays JSON whatever the values hold.
Rendering is a single pass: what an expression gives is never read again. A value without
expressions is returned itself, and values are passed on by reference, so nobody may change
what `render` returns. The module knows the language and nothing of workflows.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from engine.core.expr import EvaluationError, Expr, ExpressionError, Scope, parse
from engine.core.expr.expression import beyond
from engine.core.expr.functions_text import joined
from engine.core.expr.limits import VALUE_DEPTH_LIMIT
from engine.core.expr.parser import Slot, slots
from engine.core.expr.shortcuts import Way, compared, ways
from engine.core.expr.shortcuts import references as plain_references
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import to_text, truth
from engine.core.expr.walk import walker
from engine.core.interpolation import to_texts

Reference = tuple[str | int, ...]
Render = Callable[[Scope], Any]

ROOTS = frozenset({"input", "tasks", "forEach"})
"""What paths in a workflow document may begin with."""

_SCALARS: frozenset[type[Any]] = frozenset({int, float, bool, type(None)})
_NESTED: frozenset[type[Any]] = frozenset({dict, list})


class TemplateError(ValueError):
    """A template cannot be read. `path` is the place in the value, `offset` in its text."""

    def __init__(self, message: str, path: str = "", offset: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.offset = offset
        self.hint = hint


class Piece(NamedTuple):
    """A part of a rendered text: as written in the document, or `inserted` by an expression."""

    text: str
    inserted: bool


class Template:
    """A compiled template. Immutable; equal to another with the same source.

    `source` is the JSON value it was compiled from. One that has no other expressions than
    references is certainly right, and compiled when it is first rendered: most templates of
    what is read are never rendered in this process.
    """

    __slots__ = ("_made", "_references", "source")

    def __init__(
        self, source: Any, references: frozenset[Reference], made: "_Compiled | None"
    ) -> None:
        self.source = source
        self._references = references
        self._made = made

    @property
    def constant(self) -> bool:
        """Whether no expression is in it."""
        return self._compiled().render is None

    def render(self, scope: Scope) -> Any:
        """Its value over a scope. Raises `EvaluationError`."""
        render = self._compiled().render
        return self.source if render is None else render(scope)

    def references(self) -> frozenset[Reference]:
        """Static paths that the expressions read, from names of the scope."""
        return self._references

    def pieces(self, scope: Scope) -> tuple[Piece, ...]:
        """The rendered text in pieces, for callers that escape what was inserted.

        Concatenated they are the text that stands for the value. Raises `EvaluationError`.
        """
        parts = self._compiled().parts
        if not parts:
            return (Piece(to_text(self.render(scope)), not self.constant),)
        return tuple(
            Piece(part, False) if isinstance(part, str) else Piece(to_text(part(scope)), True)
            for part in parts
        )

    def _compiled(self) -> "_Compiled":
        if self._made is None:
            self._made = _compile(self.source, "", _roots_of(self._references), 0)
        return self._made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.source == other.source

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"compile_template({self.source!r})"


class _Compiled(NamedTuple):
    """What compiling a part gave; `render` is None when it is constant."""

    render: Render | None
    references: frozenset[Reference] = frozenset()
    parts: tuple[str | Render, ...] = ()


_CONSTANT = _Compiled(None)


def compile_template(value: Any, roots: Collection[str] = ROOTS) -> Template:
    """Compile a JSON value whose texts may hold `{{ expression }}` or `${{ expression }}`.

    `roots` are the names that paths may begin with. Raises `TemplateError`.

    >>> template = compile_template({"id": "{{input.id}}", "to": "user {{input.id}}"})
    >>> template.render({"input": {"id": 7}})
    {'id': 7, 'to': 'user 7'}
    """
    found: set[Reference] = set()
    if _gathered((value,), roots, found, 0):
        return Template(value, frozenset(found), None if found else _CONSTANT)
    made = _compile(value, "", roots, 0)
    return Template(value, made.references, made)


def _gathered(
    values: Iterable[Any], roots: Collection[str], found: set[Reference], depth: int
) -> bool:
    """Put the references of `values` into `found`; False where anything else stands in them.

    False is no mistake yet: whoever compiles the value finds out.
    """
    for value in values:
        kind = value.__class__
        if kind is str:
            if "{{" in value and not _gathered_text(value, roots, found):
                return False
        elif kind in _NESTED:
            if depth == VALUE_DEPTH_LIMIT or (kind is dict and not _named_plainly(value)):
                return False
            inner = value.values() if kind is dict else value
            if not _gathered(inner, roots, found, depth + 1):
                return False
        elif kind not in _SCALARS:
            return False
    return True


def _gathered_text(text: str, roots: Collection[str], found: set[Reference]) -> bool:
    read = ways(text, roots)
    if read is None:
        return False
    found.update(read)
    return True


def _named_plainly(value: Mapping[Any, Any]) -> bool:
    return not [key for key in value if key.__class__ is not str or "{{" in key]


def _roots_of(references: Collection[Reference]) -> Collection[str]:
    """The roots of references that were allowed: enough to read the same text again."""
    return {str(reference[0]) for reference in references}


def _compile(value: Any, path: str, roots: Collection[str], depth: int) -> _Compiled:
    if depth > VALUE_DEPTH_LIMIT:
        raise TemplateError(f"nested deeper than {VALUE_DEPTH_LIMIT}", path)
    if isinstance(value, str):
        return _compile_text(value, path, roots)
    if isinstance(value, dict | Mapping):
        return _compile_object(value, path, roots, depth)
    if isinstance(value, list | tuple):
        return _compile_array(value, path, roots, depth)
    return _CONSTANT


def _compile_object(
    value: Mapping[Any, Any], path: str, roots: Collection[str], depth: int
) -> _Compiled:
    for key in value:
        if isinstance(key, str) and "{{" in key:
            hint = "build the object with an expression: `{{ {'a key': input.x} }}`"
            raise TemplateError("the name of a field cannot be a template", path, 0, hint)
    made = [
        _CONSTANT
        if _is_plain(item)
        else _compile(item, f"{path}.{key}" if path else str(key), roots, depth + 1)
        for key, item in value.items()
    ]
    if not any(part.render for part in made):
        return _CONSTANT
    fields = [
        (key, part.render or _same(item))
        for part, (key, item) in zip(made, value.items(), strict=True)
    ]
    return _Compiled(lambda scope: {key: render(scope) for key, render in fields}, _all(made))


def _is_plain(value: Any) -> bool:
    kind = value.__class__
    return (kind is str and "{{" not in value) or kind is int or kind is bool


def _compile_array(
    value: Sequence[Any], path: str, roots: Collection[str], depth: int
) -> _Compiled:
    made = [
        _compile(item, f"{path}[{index}]", roots, depth + 1) for index, item in enumerate(value)
    ]
    if all(part.render is None for part in made):
        return _CONSTANT
    renders = [part.render or _same(item) for part, item in zip(made, value, strict=True)]
    return _Compiled(lambda scope: [render(scope) for render in renders], _all(made))


def _same(value: Any) -> Render:
    return lambda _: value


def _all(parts: Collection[_Compiled]) -> frozenset[Reference]:
    return frozenset().union(*[part.references for part in parts if part.render])


def _compile_text(text: str, path: str, roots: Collection[str]) -> _Compiled:
    if "{{" not in text:
        return _CONSTANT
    plain = plain_references(text, roots)
    if plain is not None:
        return _compile_plain(text, plain, path, roots)
    try:
        parts = slots(text, roots)
    except ExpressionError as error:
        raise TemplateError(error.message, path, error.offset, error.hint) from None
    exprs = _exprs(parts, text)
    references = frozenset().union(*(e.references() for e in exprs if isinstance(e, Expr)))
    if len(exprs) == 1 and isinstance(exprs[0], Expr):
        return _Compiled(_value(exprs[0], path), references)
    values = tuple(part if isinstance(part, str) else _value(part, path) for part in exprs)
    return _Compiled(_text(lambda: exprs, values, path), references, values)


def _compile_plain(
    text: str, parts: list[str | Way], path: str, roots: Collection[str]
) -> _Compiled:
    references = frozenset([part for part in parts if not isinstance(part, str)])
    values = tuple([part if isinstance(part, str) else walker(part) for part in parts])
    if len(values) == 1 and not isinstance(values[0], str):
        return _Compiled(values[0], references)
    # How a value is put into the text is found out when that is first done, by the parser.
    return _Compiled(
        _text(lambda: _exprs(slots(text, roots), text), values, path), references, values
    )


def _exprs(parts: Sequence[str | Slot], text: str) -> list[str | Expr]:
    return [part if isinstance(part, str) else _expr(part, text) for part in parts]


def _expr(slot: Slot, text: str) -> Expr:
    return Expr(slot.node, text[slot.start : slot.end].strip(), slot.start)


def _value(expr: Expr, path: str) -> Render:
    if expr.walk is not None:
        return expr.walk

    def render(scope: Scope) -> Any:
        try:
            return expr.evaluate(scope)
        except EvaluationError as error:
            raise error.within(path=path) from None

    return render


def _text(
    exprs: Callable[[], Sequence[str | Expr]], values: Sequence[str | Render], path: str
) -> Render:
    parts: list[Callable[[Scope], str]] = []

    def render(scope: Scope) -> str:
        try:
            if not parts:
                parts.extend(_converted(exprs(), values))
            return joined([part(scope) for part in parts])
        except Trouble as trouble:
            raise trouble.error("", path=path) from None
        except (RecursionError, ValueError) as error:
            raise beyond(error).error("", path=path) from None

    return render


def _converted(
    exprs: Sequence[str | Expr], values: Sequence[str | Render]
) -> list[Callable[[Scope], str]]:
    convert = to_texts(exprs)
    return [_literal(v) if isinstance(v, str) else _slot(next(convert), v) for v in values]


def _literal(text: str) -> Callable[[Scope], str]:
    return lambda _: text


def _slot(convert: Callable[[Any], str], value: Render) -> Callable[[Scope], str]:
    return lambda scope: convert(value(scope))


class Condition:
    """A compiled condition. Immutable; equal to another with the same source.

    `source` is the text as written. One that does nothing but compare a reference is certainly
    right, and compiled when it is first evaluated.
    """

    __slots__ = ("_expr", "_references", "source")

    def __init__(
        self, source: str, references: frozenset[Reference], expr: Expr | None = None
    ) -> None:
        self.source = source
        self._references = references
        self._expr = expr

    def evaluate(self, scope: Scope) -> bool:
        """Whether it holds over `scope`; null does not.

        Raises `EvaluationError` where the value is neither true, false nor null.
        """
        expr = self._compiled()
        value = expr.evaluate(scope)
        if value is True or value is False:
            return value
        try:
            return truth(value, "a condition")
        except Trouble as trouble:
            raise expr.failed(trouble) from None

    def _compiled(self) -> Expr:
        if self._expr is None:
            self._expr = parse(self.source, _roots_of(self._references), braces=True)
        return self._expr

    def references(self) -> frozenset[Reference]:
        """Static paths that the condition reads, from names of the scope."""
        return self._references

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self.source == other.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"compile_condition({self.source!r})"


def compile_condition(text: str | bool, roots: Collection[str] = ROOTS) -> Condition:
    """Compile a condition: an expression in which paths may stand in `{{ }}`.

    What stands in braces is a value, never text that is read again. Raises `TemplateError`.

    >>> compile_condition("{{input.skip}} != true").evaluate({"input": {"skip": "x' || true"}})
    True
    """
    source = str(text).lower() if isinstance(text, bool) else text
    way = compared(source, roots)
    if way is not None:
        return Condition(source, frozenset((way,)))
    try:
        expr = parse(source, roots, braces=True)
        return Condition(source, expr.references(), expr)
    except ExpressionError as error:
        raise TemplateError(error.message, "", error.offset, error.hint) from None

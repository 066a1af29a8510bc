"""Random expressions, random JSON, and a second evaluator that is slow and obvious.

The second evaluator walks the tree by the words of docs/expressions.md and shares no code with
the compiled one but the function table; the two must agree on every expression.
"""

import math
from typing import Any

from hypothesis import strategies as st

from engine.core.expr.functions import FUNCTIONS
from engine.core.expr.tree import (
    Call,
    Chain,
    Computed,
    Every,
    Key,
    Literal,
    Node,
    Path,
    Record,
    Root,
    Segment,
    Sequence,
    Slice,
    Term,
    Ternary,
    Unary,
    Where,
    children,
)

NAMES = st.sampled_from(["a", "b", "a-b", "x1"])
KEYS = NAMES | st.sampled_from(["", "é", "1", "$p", "a b", "true", "it's", "{{", "\n", '"'])
TEXTS = KEYS | st.text(max_size=4)
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 300) | st.sampled_from([0.5, -1.5, 1e22]) | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SCOPES = st.fixed_dictionaries({"a": VALUES, "b": VALUES, "$": VALUES})

_BOUNDS = st.none() | st.integers(-2, 2)
_SEGMENTS: st.SearchStrategy[Segment] = st.one_of(
    st.builds(Key, KEYS | st.integers(-2, 2)),
    st.builds(Every),
    st.builds(Slice, _BOUNDS, _BOUNDS, _BOUNDS.filter(lambda step: step != 0)),
)
_ROOTS = st.builds(Root, st.sampled_from(["a", "b", "$"]))
_ONE = st.sampled_from(["size", "upper", "toJson", "string", "type", "first", "sum", "keys"])


def _path(base: Node, segments: list[Segment]) -> Node:
    if isinstance(base, Path):  # what the reader gives for parentheses round a plain path
        plain = not any(isinstance(part, Every | Slice | Where) for part in base.segments)
        return (
            Path(base.base, (*base.segments, *segments)) if plain else Path(base, tuple(segments))
        )
    return Path(base, tuple(segments))


def _chain(level: tuple[str, ...], most: int) -> Any:
    def build(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        terms = st.lists(st.builds(Term, st.sampled_from(level), inner), min_size=1, max_size=most)
        return st.builds(lambda first, rest: Chain(first, tuple(rest)), inner, terms)

    return build


_LEVELS = (
    _chain(("||",), 3),
    _chain(("&&",), 3),
    _chain(("==", "!=", "<", "<=", ">", ">=", "in"), 1),
    _chain(("+", "-"), 3),
    _chain(("*", "/", "%"), 3),
)


def _extend(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    computed = inner.filter(lambda node: not isinstance(node, Literal))
    segments = _SEGMENTS | st.builds(Computed, computed) | st.builds(Where, inner)
    fields = st.dictionaries(KEYS, inner, max_size=2).map(lambda each: Record(tuple(each.items())))
    return st.one_of(
        st.builds(_path, inner, st.lists(segments, min_size=1, max_size=3)),
        *(level(inner) for level in _LEVELS),
        st.builds(Unary, st.sampled_from(["!", "-"]), inner),
        st.builds(Ternary, inner, inner, inner),
        st.builds(lambda name, node: Call(name, (node,)), _ONE, inner),
        st.builds(lambda *nodes: Call("default", nodes), inner, inner),
        fields,
        st.lists(inner, max_size=2).map(lambda items: Sequence(tuple(items))),
    )


TREES: st.SearchStrategy[Node] = st.recursive(
    st.builds(Literal, SCALARS)
    | _ROOTS
    | st.builds(_path, _ROOTS, st.lists(_SEGMENTS, min_size=1)),
    _extend,
    max_leaves=6,
)


class Wrong(Exception):
    """The second evaluator has no value for this."""


def meaning(node: Node, scope: dict[str, Any], at: Any) -> Any:
    """The value of a tree; `at` is `@`. Raises `Wrong` where the language gives an error."""
    match node:
        case Literal(value):
            return value
        case Root(name):
            return at if name == "@" else scope.get(name)
        case Path(base, segments):
            return _along(meaning(base, scope, at), segments, scope, at)
        case Ternary(test, yes, no):
            return meaning(yes if _test(meaning(test, scope, at)) else no, scope, at)
        case Chain(first, rest):
            return _folded(first, rest, scope, at)
        case _:
            return _built(node, [meaning(each, scope, at) for each in children(node)])


def _built(node: Node, values: list[Any]) -> Any:
    """The value of a node whose parts all have their values."""
    match node:
        case Unary("!"):
            return not _test(values[0])
        case Unary():
            return _number(-_need_number(values[0]))
        case Record(fields):
            return dict(zip((name for name, _ in fields), values, strict=True))
        case Call(name):
            return _called(name, values)
        case _:
            return values


def _called(name: str, values: list[Any]) -> Any:
    try:
        return FUNCTIONS[name].run(*values)
    except Exception as error:
        raise Wrong from error


def _folded(first: Node, rest: tuple[Term, ...], scope: dict[str, Any], at: Any) -> Any:
    left = meaning(first, scope, at)
    for term in rest:
        if term.op in ("&&", "||"):
            decided = _test(left)
            if decided is (term.op == "||"):
                return decided
            left = _test(meaning(term.operand, scope, at))
        else:
            left = _operate(term.op, left, meaning(term.operand, scope, at))
    return left


def _operate(op: str, left: Any, right: Any) -> Any:
    if op in ("==", "!="):
        return _same(left, right) is (op == "==")
    if op == "in":
        return _in(left, right)
    if op in ("<", "<=", ">", ">="):
        return _order(op, left, right)
    if op == "+" and type(left) is type(right) and isinstance(left, str | list):
        return left + right
    one, other = _need_number(left), _need_number(right)
    if op in ("/", "%") and other == 0:
        raise Wrong
    if op == "/":
        return _number(_quotient(one, other))
    if op == "%":
        return _number(math.copysign(abs(one) % abs(other), one) if one % other else one * 0)
    return _number({"+": one + other, "-": one - other, "*": one * other}[op])


def _quotient(one: Any, other: Any) -> Any:
    exact = isinstance(one, int) and isinstance(other, int) and one % other == 0
    return one // other if exact else one / other


def _order(op: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    kinds = {_kind(left), _kind(right)}
    if kinds not in ({"number"}, {"text"}):
        raise Wrong
    return bool(
        {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "other"


def _in(left: Any, right: Any) -> bool:
    if isinstance(right, list):
        return any(_same(left, each) for each in right)
    if isinstance(right, dict):
        return isinstance(left, str) and left in right
    if right is None or (isinstance(right, str) and left is None):
        return False
    if isinstance(right, str) and isinstance(left, str):
        return left in right
    raise Wrong


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            _same(*pair) for pair in zip(left, right, strict=True)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return set(left) == set(right) and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)


def _test(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise Wrong


def _need_number(value: Any) -> Any:
    if _kind(value) != "number":
        raise Wrong
    return value


def _number(value: Any) -> Any:
    if abs(value) > 2**63:
        raise Wrong
    return value


def _along(value: Any, segments: tuple[Segment, ...], scope: dict[str, Any], at: Any) -> Any:
    nodes, many = [value], False
    for segment in segments:
        many = many or not isinstance(segment, Key | Computed)
        if isinstance(segment, Computed):
            segment = Key(_key(meaning(segment.key, scope, at)))
        nodes = [found for node in nodes for found in _below(node, segment, scope)]
    return nodes if many else (nodes[0] if nodes else None)


def _key(found: Any) -> Any:
    if found is None or isinstance(found, str):
        return found
    if _kind(found) != "number" or int(found) != found:
        raise Wrong
    return int(found)


def _below(value: Any, segment: Segment, scope: dict[str, Any]) -> list[Any]:
    match segment:
        case Key(name):
            return _member(value, name)
        case Slice(start, stop, step):
            return value[start:stop:step] if isinstance(value, list) else []
        case _:
            inside = value.values() if isinstance(value, dict) else value
            each = list(inside) if isinstance(inside, list) or isinstance(value, dict) else []
            if isinstance(segment, Where):
                return [one for one in each if _test(meaning(segment.predicate, scope, one))]
            return each


def _member(value: Any, key: Any) -> list[Any]:
    if isinstance(value, dict) and isinstance(key, str) and key in value:
        return [value[key]]
    if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        return [value[key]]
    return []

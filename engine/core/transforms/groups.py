"""Operations over many elements at once: aggregate, groupBy, join.

In an aggregation `$` is an element: `sum($.price * $.count)`. `sum avg min max count` take the
values of all elements, nulls left out; around them any expression may stand:
`sum($.amount) / count()`. Elsewhere `$.city` is the array of all cities: `unique($.city)`,
and so it is before a projection: `sum($.lines[*].price)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.core.expr import Expr
from engine.core.expr.functions import FUNCTIONS
from engine.core.expr.rewrite import rewrite
from engine.core.expr.tree import Call, Every, Key, Node, Path, Root, children, projects
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import type_name
from engine.core.expr.walk import Env
from engine.core.transforms.options import Options, TransformError, read_expression
from engine.core.transforms.rows import other_array
from engine.core.transforms.work import Operate, Work, rows_of

AGGREGATES = ("sum", "avg", "count", "min", "max")
Aggregation = Callable[[Work, list[Any]], Any]

_ELEMENT = (Root("$"), Root("@"))
_STEPS_A_PAIR = 8  # merging two objects takes that much longer than looking at one


def aggregate(options: Options) -> Operate:
    """One object with the `aggregations` of all elements, null for an empty `avg min max`."""
    made = aggregations(options)
    return lambda work, value: {name: run(work, rows_of(value)) for name, run in made.items()}


def aggregations(options: Options) -> dict[str, Aggregation]:
    """The option `aggregations`: name to expression, or to `{function, field}`."""
    raw, path = options.raw("aggregations"), options.where("aggregations")
    if not isinstance(raw, Mapping) or not raw:
        raise TransformError("a map of name to aggregation is needed", path, 'write `n: "count()"`')
    return {str(name): _aggregation(options, item, f"{path}.{name}") for name, item in raw.items()}


def _aggregation(options: Options, item: Any, path: str) -> Aggregation:
    expr = read_expression(_as_text(item, path), path)
    options.weight += expr.cost
    parts: list[Aggregation] = []

    def change(node: Node) -> Node | None:
        if isinstance(node, Call) and node.name in AGGREGATES and _is_by_element(node):
            parts.append(_aggregate(options, node, expr))
            return Root(f"#{len(parts) - 1}")
        if isinstance(node, Path) and _is_member_of_element(node):
            return replace(node, segments=(Every(), *node.segments))
        return None

    changed = rewrite(expr.node, change)
    if changed == Root("#0"):
        return parts[0]
    return _composed(Expr(changed, expr.source), tuple(parts))


def _as_text(item: Any, path: str) -> str:
    if isinstance(item, str):
        return item if "(" in item or item not in AGGREGATES else f"{item}()"
    if isinstance(item, Mapping) and item.get("function") in AGGREGATES:
        field = item.get("field")
        return f"{item['function']}({_field(field, path) if field else ''})"
    listed = ", ".join(f"`{name}`" for name in AGGREGATES)
    hint = f'write `"sum($.amount)"` or `{{function: sum, field: amount}}`; functions are {listed}'
    raise TransformError("not an aggregation", path, hint)


def _field(field: Any, path: str) -> str:
    return str(read_expression(str(field), f"{path}.field"))


def _is_member_of_element(node: Node) -> bool:
    if not isinstance(node, Path) or node.base not in _ELEMENT:
        return False
    first = node.segments[0]
    return isinstance(first, Key) and isinstance(first.name, str)


def _is_by_element(call: Call) -> bool:
    """Whether the call is about each element: `count()`, or a member of `$` in its argument."""
    if len(call.arguments) != 1:
        return not call.arguments
    (argument,) = call.arguments
    # `$.lines[*].price` is about every line of every element: one long array, not one for each.
    is_many = isinstance(argument, Path) and projects(argument)
    return not is_many and _mentions_member(argument)


def _mentions_member(node: Node) -> bool:
    if _is_member_of_element(node):
        return True
    if isinstance(node, Path):  # `@` inside brackets is another element
        return _mentions_member(node.base) or any(map(_mentions_dollar, children(node)[1:]))
    return any(map(_mentions_member, children(node)))


def _mentions_dollar(node: Node) -> bool:
    is_dollar = isinstance(node, Path) and node.base == Root("$")
    return is_dollar or any(map(_mentions_dollar, children(node)))


def _aggregate(options: Options, call: Call, expr: Expr) -> Aggregation:
    if not call.arguments:
        return _count  # the only one that may stand without a value
    rows = options.weighed(Expr(call.arguments[0], expr.source))
    function = FUNCTIONS[call.name].run

    def run(work: Work, elements: list[Any]) -> Any:
        values = rows.over(work, elements)
        try:
            return function(values)
        except Trouble as trouble:
            raise expr.failed(trouble.placed(call.at)) from None

    return run


def _count(_: Work, elements: list[Any]) -> int:
    return len(elements)


def _composed(expr: Expr, parts: tuple[Aggregation, ...]) -> Aggregation:
    def run(work: Work, elements: list[Any]) -> Any:
        found = {f"#{at}": part(work, elements) for at, part in enumerate(parts)}
        work.spend(expr.cost)
        return expr.over(Env({**work.env.scope, **found}, elements, work.env.budget))

    return run


def group_by(options: Options) -> Operate:
    """One object for each value of `key`, in the order they come: `key`, and its
    `aggregations`, or its `items` where none are asked for."""
    key = options.expression("key", "field", "by")
    made = aggregations(options) if options.has("aggregations") else {"items": _items}
    if "key" in made:
        path = f"{options.where('aggregations')}.key"
        raise TransformError("an aggregation cannot be called `key`", path, "rename it")

    def run(work: Work, value: Any) -> Any:
        groups: dict[Any, tuple[Any, list[Any]]] = {}
        rows = rows_of(value)
        for each, row in zip(key.over(work, rows), rows, strict=True):
            groups.setdefault(work.comparable(each), (each, []))[1].append(row)
        return [
            {"key": each, **{name: result(work, members) for name, result in made.items()}}
            for each, members in groups.values()
        ]

    return run


def _items(_: Work, elements: list[Any]) -> list[Any]:
    return elements


def join(options: Options) -> Operate:
    """Elements joined with those of `rightData` whose `rightKey` equals their `leftKey`.

    Fields of the right win where names meet; `as` puts the right under one name instead. A
    null key matches nothing. `joinType` is `inner`, `left` or `right`.
    """
    left_key = options.expression("leftKey")
    right_key = options.expression("rightKey")
    right = other_array(options, "rightData", "right")
    kind = options.choice(("inner", "left", "right"), "joinType", default="inner")
    name = str(options.raw("as")) if options.has("as") else ""

    def run(work: Work, value: Any) -> Any:
        left_rows, right_rows = rows_of(value), right(work)
        if kind == "right":
            index = _index(work, left_key.over(work, left_rows), left_rows)
            keys = right_key.over(work, right_rows)
            pairs = ((left, row) for row, left in _pairs(work, keys, right_rows, index, True))
            return [_merged(left, row, name) for left, row in pairs]
        index = _index(work, right_key.over(work, right_rows), right_rows)
        keys = left_key.over(work, left_rows)
        found = _pairs(work, keys, left_rows, index, kind == "left")
        return [_merged(row, other, name) for row, other in found]

    return run


Pairs = list[tuple[Any, Any]]


def _index(work: Work, keys: list[Any], rows: list[Any]) -> dict[Any, list[Any]]:
    index: dict[Any, list[Any]] = {}
    for key, row in zip(keys, rows, strict=True):
        if key is not None:
            index.setdefault(work.comparable(key), []).append(row)
    return index


def _pairs(
    work: Work, keys: list[Any], rows: list[Any], index: Mapping[Any, list[Any]], keep: bool
) -> Pairs:
    found: Pairs = []
    for key, row in zip(keys, rows, strict=True):
        matches = index.get(work.comparable(key), [])
        work.spend(1 + _STEPS_A_PAIR * len(matches))
        found.extend((row, match) for match in matches)
        if keep and not matches:
            found.append((row, None))
    return found


def _merged(left: Any, right: Any, name: str) -> dict[str, Any]:
    for row in (left, right):
        if row is not None and not isinstance(row, Mapping):
            raise Trouble("wrong_type", f"`join` needs objects, not {type_name(row)}")
    if name:
        return {**(left or {}), name: right}
    return {**(left or {}), **(right or {})}

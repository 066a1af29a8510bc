"""Operations that choose and order elements: filter, sortBy, limit, skip, unique and the like."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.core.expr.functions_array import flatten as flatten_once
from engine.core.expr.functions_array import in_order
from engine.core.expr.functions_text import ends_with, starts_with
from engine.core.expr.measure import extent
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import contained, ordered, same, truth
from engine.core.transforms import checks
from engine.core.transforms.options import Options, TransformError
from engine.core.transforms.work import MOST_STEPS, Operate, Rows, Work, rows_of

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": same,
    "ne": lambda left, right: not same(left, right),
    "gt": ordered(">"),
    "lt": ordered("<"),
    "gte": ordered(">="),
    "lte": ordered("<="),
    "contains": lambda left, right: contained(right, left),
    "startsWith": starts_with,
    "endsWith": ends_with,
}
"""The operators of `filter` with `field`, `operator` and `value`."""

_SIGNS = {"==": "eq", "!=": "ne", ">": "gt", "<": "lt", ">=": "gte", "<=": "lte"}


def filter_(options: Options) -> Operate:
    """Elements for which `condition` holds, or whose `field` compares so with `value`."""
    if options.has("condition", "expression", "where"):
        return _by_condition(options.expression("condition", "expression", "where"))
    field = options.expression("field")
    operator = options.choice((*OPERATORS, *_SIGNS), "operator", default="eq")
    compare = OPERATORS[_SIGNS.get(operator, operator)]
    if not options.has("value"):
        return _by_field(field, compare, lambda _: None)
    return _by_field(field, compare, options.given(checks.anything, "value"))


def _by_condition(condition: Rows) -> Operate:
    def run(work: Work, value: Any) -> Any:
        rows = rows_of(value)
        tests = condition.over(work, rows)
        return [row for row, test in zip(rows, tests, strict=True) if truth(test, "a condition")]

    return run


def _by_field(
    field: Rows, compare: Callable[[Any, Any], bool], given: Callable[[Work], Any]
) -> Operate:
    def run(work: Work, value: Any) -> Any:
        rows, wanted = rows_of(value), given(work)
        work.spend(len(rows) * extent(wanted, MOST_STEPS))
        found = field.over(work, rows)
        return [row for row, each in zip(rows, found, strict=True) if compare(each, wanted)]

    return run


def sort_by(options: Options) -> Operate:
    """By `field`, ascending unless `order: desc` or `descending: true`; nulls last."""
    field = options.expression("field", "key", "by")
    descending = _descending(options)

    def run(work: Work, value: Any) -> Any:
        rows = rows_of(value)
        return in_order(rows, field.over(work, rows), descending=descending)

    return run


def _descending(options: Options) -> bool:
    if options.has("descending"):
        flag = options.raw("descending")
        if not isinstance(flag, bool):
            hint = "write `descending: true`"
            raise TransformError(
                "`descending` must be a boolean", options.where("descending"), hint
            )
        return flag
    orders = ("asc", "desc", "ascending", "descending")
    return options.choice(orders, "order", "direction", default="asc").startswith("desc")


def limit(options: Options) -> Operate:
    """The first `count` elements."""
    count = options.given(checks.whole("count", 0), "count", "limit")
    return lambda work, value: rows_of(value)[: count(work)]


def skip(options: Options) -> Operate:
    """All but the first `count` elements."""
    count = options.given(checks.whole("count", 0), "count", "skip")
    return lambda work, value: rows_of(value)[count(work) :]


def first(_: Options) -> Operate:
    """The first element, or null."""
    return lambda _, value: next(iter(rows_of(value)), None)


def last(_: Options) -> Operate:
    """The last element, or null."""
    return lambda _, value: next(reversed(rows_of(value)), None)


def nth(options: Options) -> Operate:
    """The element at `index`, counted from 0, from the end when negative; or null."""
    given = options.given(checks.whole("index"), "index")

    def run(work: Work, value: Any) -> Any:
        rows, index = rows_of(value), given(work)
        return rows[index] if -len(rows) <= index < len(rows) else None

    return run


def reverse(_: Options) -> Operate:
    """The elements from last to first."""
    return lambda _, value: rows_of(value)[::-1]


def unique(options: Options) -> Operate:
    """Each element once, or one element for each value of `field`; the first of each stays."""
    field = options.expression("field", "key") if options.has("field", "key") else None

    def run(work: Work, value: Any) -> Any:
        rows = rows_of(value)
        work.spend(len(rows))
        keys = rows if field is None else field.over(work, rows)
        found: dict[Any, Any] = {}
        for key, row in zip(keys, rows, strict=True):
            found.setdefault(work.comparable(key), row)
        return list(found.values())

    return run


def flatten(options: Options) -> Operate:
    """Arrays inside the array opened, `depth` levels deep (1)."""
    given = options.given(checks.whole("depth", 1, 64), "depth", default=1)

    def run(work: Work, value: Any) -> Any:
        rows = rows_of(value)
        for _ in range(given(work)):
            rows = flatten_once(rows)
            work.spend(len(rows))
        return rows

    return run


def chunk(options: Options) -> Operate:
    """Arrays of `size` elements; the last may be shorter."""
    given = options.given(checks.whole("size", 1), "size", "count")

    def run(work: Work, value: Any) -> Any:
        rows, size = rows_of(value), given(work)
        work.spend(len(rows))
        return [rows[at : at + size] for at in range(0, len(rows), size)]

    return run


def zip_(options: Options) -> Operate:
    """Pairs `[element, other]` with the elements of `withArray`, as many as the shorter has."""
    other = other_array(options, "withArray", "with")

    def run(work: Work, value: Any) -> Any:
        pairs = [list(pair) for pair in zip(rows_of(value), other(work), strict=False)]
        work.spend(len(pairs))
        return pairs

    return run


def other_array(options: Options, *names: str) -> Callable[[Work], list[Any]]:
    """A second array: written out, or an expression over `input`."""
    raw, check = options.raw(*names), checks.array(names[0])
    if not isinstance(raw, str) or "{{" in raw:
        return options.given(check, *names)
    expression = options.compiled(raw, options.where(*names))

    def read(work: Work) -> list[Any]:
        found = expression.of(work, work.env.scope["input"])
        if found is None:
            hint = "paths of a second array begin with `input`"
            raise Trouble("missing_array", f"`{names[0]}` found nothing at `{raw}`", hint)
        return check(found)

    return read

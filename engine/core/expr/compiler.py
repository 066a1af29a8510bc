"""From a tree to closures: each node becomes one Python function of the environment.

There is no loop in the language but over elements of values, so nodes are counted when the
text is read and only elements and characters are charged to the budget while it runs.
"""

from collections.abc import Callable
from typing import Any

from engine.core.expr.functions import FUNCTIONS
from engine.core.expr.limits import Budget
from engine.core.expr.measure import breadth, extent, is_container
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
    projects,
    weight,
)
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import (
    arithmetic,
    contained,
    negative,
    ordered,
    same,
    truth,
)
from engine.core.expr.walk import (
    Env,
    Run,
    Step,
    as_key,
    each_computed,
    each_member,
    every,
    has_member,
    member,
    sliced,
    walker,
    where,
)


def compile_node(node: Node) -> Run:
    """The function that evaluates `node`. It raises `Trouble` and nothing else on purpose."""
    match node:
        case Literal(value):
            return lambda _: value
        case Root(name):
            return _root(name)
        case Path():
            return _path(node)
        case Chain():
            return _chain(node)
        case Call():
            return _has(node) if node.name == "has" else _call(node)
        case _:
            return _other(node)


def _other(node: Unary | Ternary | Record | Sequence) -> Run:
    match node:
        case Unary():
            return _unary(node)
        case Ternary():
            return _ternary(node)
        case Record(fields):
            made = tuple((name, compile_node(value)) for name, value in fields)
            return lambda env: {name: run(env) for name, run in made}
        case Sequence(items):
            runs = tuple(map(compile_node, items))
            return lambda env: [run(env) for run in runs]


def _root(name: str) -> Run:
    if name == "$":
        return lambda env: env.this
    if name == "@":
        return lambda env: env.element
    return lambda env: env.scope.get(name)


def plain_keys(path: Path) -> tuple[str | int, ...] | None:
    """The keys of a path without computed or many-valued parts, or None."""
    keys = tuple(segment.name for segment in path.segments if isinstance(segment, Key))
    return keys if len(keys) == len(path.segments) else None


def _path(path: Path) -> Run:
    keys = plain_keys(path)
    if keys is not None:
        return _plain(path.base, keys)
    split = next((at for at, part in enumerate(path.segments) if not isinstance(part, Key)), 0)
    start = compile_node(Path(path.base, path.segments[:split]) if split else path.base)
    if not projects(path):
        return _computed(start, path.segments[split:], path.at)
    return _many(start, path.segments[split:], path.at)


def _plain(base: Node, keys: tuple[str | int, ...]) -> Run:
    if isinstance(base, Root) and base.name not in ("$", "@"):
        walk_scope = walker((base.name, *keys))
        return lambda env: walk_scope(env.scope)
    walk = walker(keys)
    if base == Root("$"):
        return lambda env: walk(env.this)
    if base == Root("@"):
        return lambda env: walk(env.element)
    start = compile_node(base)
    return lambda env: walk(start(env))


def _computed(start: Run, segments: tuple[Segment, ...], at: int) -> Run:
    keys = tuple(
        compile_node(part.key) if isinstance(part, Computed) else compile_node(_literal(part))
        for part in segments
    )

    def run(env: Env) -> Any:
        value = start(env)
        for key in keys:
            name = _placed(at, as_key, key(env))
            value = None if name is None else member(value, name)
        return value

    return run


def _literal(segment: Segment) -> Literal:
    assert isinstance(segment, Key)
    return Literal(segment.name)


def _many(start: Run, segments: tuple[Segment, ...], at: int) -> Run:
    steps = tuple(_step(segment) for segment in segments)

    def run(env: Env) -> Any:
        nodes = [start(env)]
        try:
            for step in steps:
                nodes = step(env, nodes)
        except Trouble as trouble:
            raise trouble.placed(at) from None
        return nodes

    return run


def _step(segment: Segment) -> Step:
    match segment:
        case Key(name):
            return each_member(name)
        case Computed(key):
            return each_computed(compile_node(key))
        case Every():
            return every
        case Slice(start, stop, step):
            return sliced(start, stop, step)
        case Where(predicate):
            return where(compile_test(predicate, "a filter"), weight(predicate) + 1)


def compile_test(node: Node, what: str) -> Callable[[Env], bool]:
    """Like `compile_node`, for a place that needs true or false."""
    run, at = compile_node(node), getattr(node, "at", -1)

    def test(env: Env) -> bool:
        value = run(env)
        if value is True or value is False:
            return value
        try:
            return truth(value, what)
        except Trouble as trouble:
            raise trouble.placed(at) from None

    return test


def _placed(at: int, function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Trouble as trouble:
        raise trouble.placed(at) from None


def _unary(node: Unary) -> Run:
    at = node.at
    if node.op == "!":
        test = compile_test(node.operand, "`!`")
        return lambda env: not test(env)
    run = compile_node(node.operand)
    return lambda env: _placed(at, negative, run(env))


def _ternary(node: Ternary) -> Run:
    test = compile_test(node.test, "what stands before `?`")
    yes, no = compile_node(node.yes), compile_node(node.no)
    return lambda env: yes(env) if test(env) else no(env)


def _chain(node: Chain) -> Run:
    op = node.rest[0].op
    if op in ("&&", "||"):
        return _logic(op, (node.first, *(term.operand for term in node.rest)))
    run = compile_node(node.first)
    for term in node.rest:
        run = _operator(run, term)
    return run


def _logic(op: str, operands: tuple[Node, ...]) -> Run:
    tests = tuple(compile_test(operand, f"each side of `{op}`") for operand in operands)
    if len(tests) == 2:
        one, other = tests
        if op == "&&":
            return lambda env: one(env) and other(env)
        return lambda env: one(env) or other(env)
    decide = all if op == "&&" else any
    return lambda env: decide(test(env) for test in tests)


def _operator(left: Run, term: Term) -> Run:
    match term.op:
        case "==" | "!=":
            return _equality(left, term)
        case "in":
            return _compute(left, compile_node(term.operand), contained, term.at, _charge_right)
        case "<" | "<=" | ">" | ">=":
            return _compute(left, compile_node(term.operand), ordered(term.op), term.at)
        case "+":
            return _compute(
                left, compile_node(term.operand), arithmetic("+"), term.at, _charge_both
            )
        case _:
            return _compute(left, compile_node(term.operand), arithmetic(term.op), term.at)


def _equality(left: Run, term: Term) -> Run:
    equal = _equal(left, term)
    if term.op == "==":
        return equal
    return lambda env: not equal(env)


def _equal(left: Run, term: Term) -> Run:
    if isinstance(term.operand, Literal):
        value = term.operand.value
        if isinstance(value, str):
            return lambda env: bool(left(env) == value)
        if value is None or isinstance(value, bool):
            return lambda env: left(env) is value
    return _compute(left, compile_node(term.operand), same, term.at, _charge_equality)


Binary = Callable[[Any, Any], Any]
Charge = Callable[[Budget, Any, Any], None]


def _compute(left: Run, right: Run, operate: Binary, at: int, charge: Charge | None = None) -> Run:
    def plain(env: Env) -> Any:
        one, other = left(env), right(env)
        try:
            return operate(one, other)
        except Trouble as trouble:
            raise trouble.placed(at) from None

    def charged(env: Env) -> Any:
        one, other = left(env), right(env)
        try:
            charge(env.budget, one, other)  # type: ignore[misc]
            return operate(one, other)
        except Trouble as trouble:
            raise trouble.placed(at) from None

    return plain if charge is None else charged


def _charge_equality(budget: Budget, left: Any, right: Any) -> None:
    if is_container(left) and is_container(right):
        budget.spend_all(left)


def _charge_right(budget: Budget, left: Any, right: Any) -> None:
    budget.spend(breadth(right) * (extent(left, budget.left) if is_container(left) else 1))


def _charge_both(budget: Budget, left: Any, right: Any) -> None:
    if isinstance(left, list):
        budget.spend(breadth(left) + breadth(right))


def _call(node: Call) -> Run:
    function, at = FUNCTIONS[node.name], node.at
    run, charge = function.run, function.charge
    arguments = tuple(map(compile_node, node.arguments))

    def call(env: Env) -> Any:
        values = [argument(env) for argument in arguments]
        try:
            charge(env.budget, values)
            result = run(*values)
            if result.__class__ is str:
                env.budget.spend(breadth(result))
            return result
        except Trouble as trouble:
            raise trouble.placed(at) from None

    return call


def _has(node: Call) -> Run:
    path = node.arguments[0]
    assert isinstance(path, Path)
    *before, last = path.segments
    above = compile_node(Path(path.base, tuple(before)) if before else path.base)
    key = compile_node(last.key if isinstance(last, Computed) else _literal(last))

    def has(env: Env) -> bool:
        name = _placed(node.at, as_key, key(env))
        return name is not None and has_member(above(env), name)

    return has

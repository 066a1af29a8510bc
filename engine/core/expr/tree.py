"""The tree of an expression: frozen values without behaviour.

The parser makes it, the printer writes it back, the compiler turns it into closures. `at` is
the offset in the text and does not take part in comparisons, so `parse(print(e)) == e`.
"""

from dataclasses import dataclass, field

Scalar = None | bool | int | float | str


def _at() -> int:
    return field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """`null`, `true`, `false`, a number or a text."""

    value: Scalar
    at: int = _at()


@dataclass(frozen=True, slots=True)
class Root:
    """Where a path begins: a name of the scope, `$` (the value at hand) or `@` (in a filter)."""

    name: str
    at: int = _at()


@dataclass(frozen=True, slots=True)
class Key:
    """`.name`, `['name']` or `[3]`: one member that is known when the text is read."""

    name: str | int


@dataclass(frozen=True, slots=True)
class Computed:
    """`[expression]`: a member whose name or index is a value."""

    key: "Node"


@dataclass(frozen=True, slots=True)
class Every:
    """`[*]`: all elements of an array, all values of an object."""


@dataclass(frozen=True, slots=True)
class Slice:
    """`[start:stop:step]` of an array."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """`[?(predicate)]`: the elements for which the predicate holds; each is `@` in it."""

    predicate: "Node"


Segment = Key | Computed | Every | Slice | Where
PROJECTIONS = (Every, Slice, Where)
"""Segments after which a path stands for many values."""


@dataclass(frozen=True, slots=True)
class Path:
    """A value and the way from it. After a projection the rest applies to each element."""

    base: "Node"
    segments: tuple[Segment, ...]
    at: int = _at()


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x` or `-x`."""

    op: str
    operand: "Node"
    at: int = _at()


@dataclass(frozen=True, slots=True)
class Term:
    """An operator and what stands to its right."""

    op: str
    operand: "Node"
    at: int = _at()


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one level, from left to right: `a + b - c`, `a && b`, `a < b`."""

    first: "Node"
    rest: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Ternary:
    """`test ? yes : no`."""

    test: "Node"
    yes: "Node"
    no: "Node"
    at: int = _at()


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`; `x | name(args)` is the same with `x` first."""

    name: str
    arguments: tuple["Node", ...]
    at: int = _at()


@dataclass(frozen=True, slots=True)
class Record:
    """`{name: value}`."""

    fields: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """`[a, b]`."""

    items: tuple["Node", ...]


Node = Literal | Root | Path | Unary | Chain | Ternary | Call | Record | Sequence


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, from left to right, those inside path segments included."""
    match node:
        case Path():
            return (node.base, *_inside(node.segments))
        case Unary():
            return (node.operand,)
        case Chain():
            return (node.first, *(term.operand for term in node.rest))
        case Ternary():
            return (node.test, node.yes, node.no)
        case Call():
            return node.arguments
        case Record():
            return tuple(value for _, value in node.fields)
        case Sequence():
            return node.items
        case _:
            return ()


def _inside(segments: tuple[Segment, ...]) -> tuple[Node, ...]:
    found: list[Node] = []
    for segment in segments:
        if isinstance(segment, Computed):
            found.append(segment.key)
        elif isinstance(segment, Where):
            found.append(segment.predicate)
    return tuple(found)


def weight(node: Node) -> int:
    """How many nodes the tree has; each segment of a path counts as one."""
    own = 1 + (len(node.segments) if isinstance(node, Path) else 0)
    return own + sum(weight(child) for child in children(node))


def depth(node: Node) -> int:
    """How many levels the tree has. Not recursive: it guards those who are."""
    deepest, todo = 0, [(node, 1)]
    while todo:
        current, level = todo.pop()
        deepest = max(deepest, level)
        todo.extend((child, level + 1) for child in children(current))
    return deepest


def projects(path: Path) -> bool:
    """Whether the path stands for many values."""
    return any(isinstance(segment, PROJECTIONS) for segment in path.segments)

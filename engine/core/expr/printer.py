"""From a tree back to text: the canonical form, with as few parentheses as the grammar needs.

The law it keeps: reading what it wrote gives the same tree.
"""

import json
import re

from engine.core.expr.grammar import CONSTANTS, LEVELS
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
    Ternary,
    Unary,
    Where,
)

_TERNARY, _UNARY, _POSTFIX = 0, 6, 7
_MEMBER = re.compile(r"\$?\w+(?:-\w+)*")
_FIELD = re.compile(r"[^\W\d]\w*(?:-\w+)*")


def to_source(node: Node) -> str:
    """The canonical text of a tree."""
    match node:
        case Literal(value):
            return _scalar(value)
        case Root(name):
            return name
        case Path(base, segments):
            return _base(base) + "".join(map(_segment, segments))
        case Unary(op, operand):
            return op + _unary_operand(operand)
        case Chain(first, rest):
            return _chain(first, node, "".join(f" {t.op} {_right(t.op, t.operand)}" for t in rest))
        case Ternary(test, yes, no):
            return f"{_at_least(1, test)} ? {to_source(yes)} : {to_source(no)}"
        case _:
            return _compound(node)


def _compound(node: Call | Record | Sequence) -> str:
    match node:
        case Call(name, arguments):
            return f"{name}({', '.join(map(to_source, arguments))})"
        case Record(fields):
            return "{" + ", ".join(f"{_name(key)}: {to_source(each)}" for key, each in fields) + "}"
        case Sequence(items):
            return f"[{', '.join(map(to_source, items))}]"


def _chain(first: Node, chain: Chain, rest: str) -> str:
    level = LEVELS[chain.rest[0].op]
    # Comparisons do not chain, and a chain in front of its own level was in parentheses.
    return _at_least(level + 1, first) + rest


def _right(op: str, operand: Node) -> str:
    return _at_least(LEVELS[op] + 1, operand)


def _level(node: Node) -> int:
    match node:
        case Ternary():
            return _TERNARY
        case Chain(_, rest):
            return LEVELS[rest[0].op]
        case Unary():
            return _UNARY
        case Literal(value) if _is_negative(value):
            return _UNARY
        case _:
            return _POSTFIX


def _is_negative(value: object) -> bool:
    return isinstance(value, int | float) and str(value).startswith("-")


def _at_least(level: int, node: Node) -> str:
    text = to_source(node)
    return text if _level(node) >= level else f"({text})"


def _unary_operand(operand: Node) -> str:
    # `-5` is a number and not a sign before one, so a sign before a number keeps parentheses.
    if isinstance(operand, Literal) and isinstance(operand.value, int | float):
        return f"({to_source(operand)})"
    return _at_least(_UNARY, operand)


def _base(base: Node) -> str:
    is_path = isinstance(base, Path)
    return f"({to_source(base)})" if is_path else _at_least(_POSTFIX, base)


def _segment(segment: Segment) -> str:
    match segment:
        case Key(name):
            return _key(name)
        case Computed(key):
            # A literal in brackets is a key; in parentheses it would be one too.
            return f"[{to_source(key)}]"
        case Every():
            return "[*]"
        case Where(predicate):
            return f"[?({to_source(predicate)})]"
        case Slice(start, stop, step):
            bounds = [start, stop] if step is None else [start, stop, step]
            return f"[{':'.join('' if each is None else str(each) for each in bounds)}]"


def _key(name: str | int) -> str:
    if isinstance(name, int):
        return f"[{name}]"
    if _MEMBER.fullmatch(name) and not name.isdigit():
        return f".{name}"
    return f"[{_scalar(name)}]"


def _name(key: str) -> str:
    return key if _FIELD.fullmatch(key) and key not in CONSTANTS else _scalar(key)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        # `{{` in a quoted text would be read as a template in a condition.
        quoted = json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"')
        return "'" + quoted.replace("'", "\\'").replace("{{", "{\\{") + "'"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return repr(value)

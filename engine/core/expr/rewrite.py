"""Changing a tree: the operators above a node are rebuilt, the node itself is replaced."""

from collections.abc import Callable
from dataclasses import replace

from engine.core.expr.tree import Call, Chain, Node, Path, Record, Sequence, Ternary, Unary

Change = Callable[[Node], Node | None]
"""Gives what stands instead of a node, or None to look inside it."""


def rewrite(node: Node, change: Change) -> Node:
    """The tree with `change` applied from the top; what stands in brackets of paths is kept."""
    changed = change(node)
    return _inside(node, change) if changed is None else changed


def _inside(node: Node, change: Change) -> Node:
    match node:
        case Path():
            return replace(node, base=rewrite(node.base, change))
        case Unary():
            return replace(node, operand=rewrite(node.operand, change))
        case Chain():
            terms = (replace(term, operand=rewrite(term.operand, change)) for term in node.rest)
            return Chain(rewrite(node.first, change), tuple(terms))
        case Ternary():
            test, yes = rewrite(node.test, change), rewrite(node.yes, change)
            return replace(node, test=test, yes=yes, no=rewrite(node.no, change))
        case Call():
            return replace(node, arguments=tuple(rewrite(each, change) for each in node.arguments))
        case Record(fields):
            return Record(tuple((name, rewrite(each, change)) for name, each in fields))
        case Sequence(items):
            return Sequence(tuple(rewrite(each, change) for each in items))
        case _:
            return node

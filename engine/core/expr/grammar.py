"""The operators and their levels, and the answers to what cannot be read.

The parser and the printer share these tables, so what one writes the other reads.
"""

from collections.abc import Collection

from engine.core.expr.lexer import Token
from engine.core.expr.limits import DEPTH_LIMIT
from engine.core.expr.tree import Computed, Key, Literal, Node, Path, Segment, Unary, projects
from engine.core.expr.trouble import ExpressionError, did_you_mean

LEVELS = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
}
COMPARISON = 3
CONSTANTS = {"true": True, "false": False, "null": None}
_WORDS = {"and": "&&", "or": "||", "not": "!", "is": "==", "None": "null", "nil": "null"}


def unexpected(token: Token, message: str, hint: str = "") -> ExpressionError:
    """The error for a token that cannot stand where it stands."""
    found = f"found {token.text!r}" if token.text else "found the end"
    if hint:
        pass
    elif token.text in _WORDS:
        hint = f"write `{_WORDS[token.text]}`"
    elif token.is_op("*"):
        hint = "there is no `**`"
    elif token.kind == "name":
        hint = "texts need quotes, and a minus needs spaces round it"
    return ExpressionError(f"{message}; {found}", token.start, hint)


def is_member(node: Node) -> bool:
    """Whether the node is a path that ends in one member."""
    return isinstance(node, Path) and isinstance(node.segments[-1], Key | Computed)


def ending(token: Token, message: str) -> ExpressionError:
    """The error for a token after a whole expression."""
    after_filter = token.text in LEVELS or token.is_op("?")
    return unexpected(token, message, "put the part before it in parentheses" * after_filter)


def unknown_root(token: Token, known: Collection[str]) -> ExpressionError:
    """The error for a name that no path can begin with here."""
    if token.text in _WORDS:
        return unexpected(token, "a value is missing here")
    here = f"did you mean `$.{token.text}`?" if "$" in known else ""
    names = ", ".join(f"`{name}`" for name in sorted(known))
    hint = did_you_mean(token.text, known, here or f"paths begin with {names}; texts need quotes")
    return ExpressionError(f"there is no `{token.text}` here", token.start, hint)


def signed(sign: Token, node: Node, is_number: bool) -> Node:
    """A sign before a node; a minus straight before a number makes a negative number."""
    if is_number and sign.text == "-" and isinstance(node, Literal):
        value = node.value
        if isinstance(value, int | float):
            return Literal(-value, sign.start)
    return Unary(sign.text, node, sign.start)


def continued(base: Node, segments: tuple[Segment, ...], at: int) -> Path:
    """A path; one that continues a plain path in parentheses is the same path."""
    if isinstance(base, Path) and not projects(base):
        return Path(base.base, base.segments + segments, at)
    return Path(base, segments, at)


def too_deep(at: int) -> ExpressionError:
    """The error for an expression that nests too deeply."""
    return ExpressionError(f"nested deeper than {DEPTH_LIMIT}", at, "split the expression")

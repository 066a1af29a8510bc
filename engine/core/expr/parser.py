"""From tokens to a tree: operator precedence climbing, no look-back, linear in the text.

Levels from loose to tight: filters `|`, the ternary, `||`, `&&`, comparisons (which do not
chain), `+ -`, `* / %`, `! -`, then paths and calls. Refuses what it cannot bound: calls are
only to the fixed table of functions, and depth and node count are limited while reading.
"""

from collections.abc import Collection
from dataclasses import dataclass

from engine.core.expr.functions import FUNCTIONS
from engine.core.expr.grammar import (
    COMPARISON,
    CONSTANTS,
    LEVELS,
    continued,
    ending,
    is_member,
    signed,
    too_deep,
    unexpected,
    unknown_root,
)
from engine.core.expr.lexer import Lexer, Token, number, string
from engine.core.expr.limits import DEPTH_LIMIT, NODE_LIMIT
from engine.core.expr.shortcuts import comparison, reference
from engine.core.expr.tree import (
    Call,
    Chain,
    Computed,
    Every,
    Key,
    Literal,
    Node,
    Record,
    Root,
    Segment,
    Sequence,
    Slice,
    Term,
    Ternary,
    Where,
    depth,
)
from engine.core.expr.trouble import ExpressionError, did_you_mean


class Parser:
    """Reads one expression from `text`, beginning at `start`.

    The tree is in `node`, the first token after it in `rest`. `roots` are the names that a
    path may begin with, None for any. `braces` allows `{{ x }}` as a group and inside quoted
    texts, as conditions have it.
    """

    def __init__(
        self, text: str, start: int, roots: Collection[str] | None, braces: bool = False
    ) -> None:
        self._lexer = Lexer(text, start)
        self._roots = roots
        self._braces = braces
        self._depth = 0
        self._nodes = 0
        self._texts = False
        self.node = self._expression()
        # Each level has a token of its own, but for what stands inside a text.
        few = self._lexer.count <= DEPTH_LIMIT and not self._texts
        if not few and depth(self.node) > DEPTH_LIMIT:
            raise too_deep(start)

    @property
    def rest(self) -> Token:
        """The first token that is not part of the expression."""
        return self._lexer.token

    def _expression(self) -> Node:
        left = self._ternary()
        while self._op("|"):
            name = self._lexer.token
            if name.kind != "name":
                raise self._unexpected("the name of a filter must follow `|`")
            self._lexer.advance()
            arguments = self._list(")") if self._op("(") else ()
            left = self._call(name, (left, *arguments))
        return left

    def _ternary(self) -> Node:
        self._enter()
        node = self._operators(1)
        token = self._lexer.token
        if self._op("?"):
            yes = self._ternary()
            self._expect(":", "`test ? a` needs `: b`")
            self._count(token.start)
            node = Ternary(node, yes, self._ternary(), token.start)
        self._depth -= 1
        return node

    def _operators(self, floor: int) -> Node:
        left = self._unary()
        while (level := self._level()) >= floor:
            rest: list[Term] = []
            while self._level() == level:
                op = self._lexer.advance()
                rest.append(Term(op.text, self._operators(level + 1), op.start))
                self._count(op.start)
            if level == COMPARISON and len(rest) > 1:
                hint = "write `a < b && b < c`"
                raise ExpressionError("comparisons do not chain", rest[1].at, hint)
            left = Chain(left, tuple(rest))
        return left

    def _level(self) -> int:
        token = self._lexer.token
        is_operator = token.kind == "op" or token.text == "in"
        return LEVELS.get(token.text, 0) if is_operator else 0

    def _unary(self) -> Node:
        signs: list[Token] = []
        while self._lexer.token.is_op("!") or self._lexer.token.is_op("-"):
            self._count(self._lexer.token.start)
            signs.append(self._lexer.advance())
        is_number = self._lexer.token.kind == "number"
        node = self._postfix()
        for sign in reversed(signs):
            node = signed(sign, node, is_number)
            is_number = False
        return node

    def _postfix(self) -> Node:
        at = self._lexer.token.start
        base = self._primary()
        segments: list[Segment] = []
        while found := self._segments():
            segments += found
            for _ in found:
                self._count(at)
        return continued(base, tuple(segments), at) if segments else base

    def _segments(self) -> list[Segment]:
        if self._lexer.token.is_op(".") and (names := self._lexer.members()):
            return [Key(name) for name in names]
        segment = self._segment()
        return [] if segment is None else [segment]

    def _segment(self) -> Segment | None:
        token = self._lexer.token
        if token.is_op("."):
            name = self._lexer.member()
            if self._lexer.token.is_op("("):
                hint = f"write `{name.text}(value)` or `value | {name.text}`"
                raise ExpressionError("values have no methods", name.start, hint)
            return Key(name.text)
        if self._op("["):
            return self._bracket()
        return None

    def _bracket(self) -> Segment:
        if self._op("*"):
            return self._closed(Every())
        if self._op("?"):
            return self._closed(Where(self._expression()))
        if self._lexer.token.is_op(":"):
            return self._closed(self._slice(None))
        if self._lexer.token.is_op("]"):
            raise self._unexpected("a key is missing here", "for all elements write `[*]`")
        key = self._expression()
        if not isinstance(key, Literal):
            return self._closed(Computed(key))
        if self._lexer.token.is_op(":"):
            return self._closed(self._slice(self._whole(key)))
        if isinstance(key.value, str) or type(key.value) is int:
            return self._closed(Key(key.value))
        raise ExpressionError("a key is a text or a whole number", key.at)

    def _slice(self, start: int | None) -> Slice:
        parts: list[int | None] = [start]
        while len(parts) < 3 and self._op(":"):
            token = self._lexer.token
            bare = token.is_op(":") or token.is_op("]")
            parts.append(None if bare else self._whole(self._unary()))
        parts.extend([None] * (3 - len(parts)))
        if parts[2] == 0:
            raise ExpressionError("the step of a slice cannot be 0", self._lexer.token.start)
        return Slice(*parts)

    def _whole(self, node: Node) -> int:
        if isinstance(node, Literal) and type(node.value) is int:
            return node.value
        at = self._lexer.token.start
        raise ExpressionError("the bounds of a slice are whole numbers", at)

    def _closed(self, segment: Segment) -> Segment:
        self._expect("]", "`[` needs `]`")
        return segment

    def _primary(self) -> Node:
        token = self._lexer.token
        match token.kind:
            case "number":
                self._count(self._lexer.advance().start)
                return Literal(number(token), token.start)
            case "string":
                self._count(self._lexer.advance().start)
                return self._text(token)
            case "name":
                self._count(self._lexer.advance().start)
                return self._named(token)
            case "open":
                return self._group(token)
            case _:
                return self._bracketed(token)

    def _bracketed(self, token: Token) -> Node:
        if self._op("("):
            inner = self._expression()
            self._expect(")", "`(` needs `)`")
            return inner
        self._count(token.start)
        if self._op("["):
            return Sequence(self._list("]"))
        if self._op("{"):
            return self._record()
        if token.is_op("$") or token.is_op("@"):
            self._lexer.advance()
            return self._root(token)
        raise self._unexpected("a value is missing here")

    def _group(self, token: Token) -> Node:
        if not self._braces:
            hint = "one pair of `{{ }}` is enough; inside it write the path itself"
            raise ExpressionError("`{{` inside an expression", token.start, hint)
        self._lexer.advance()
        inner = self._expression()
        self._expect("}", "`{{` needs `}}`")
        self._expect("}", "`{{` needs `}}`")
        return inner

    def _text(self, token: Token) -> Node:
        value = string(token)
        if not self._braces or "{{" not in value:
            return Literal(value, token.start)
        try:
            parts = slots(value, self._roots)
        except ExpressionError as error:
            raise ExpressionError(error.message, token.start, error.hint) from None
        self._texts = True
        for _ in parts:
            self._count(token.start)
        nodes = tuple(Literal(part) if isinstance(part, str) else part.node for part in parts)
        return Call("string", nodes, token.start)

    def _named(self, token: Token) -> Node:
        if self._op("("):
            return self._call(token, self._list(")"))
        if token.text in CONSTANTS:
            return Literal(CONSTANTS[token.text], token.start)
        return self._root(token)

    def _root(self, token: Token) -> Node:
        name, known = token.text, self._roots
        if known is not None and name not in known and name != "@":
            raise unknown_root(token, known)
        return Root(name, token.start)

    def _call(self, name: Token, arguments: tuple[Node, ...]) -> Node:
        function = FUNCTIONS.get(name.text)
        if function is None:
            hint = did_you_mean(name.text, FUNCTIONS, "docs/expressions.md lists the functions")
            raise ExpressionError(f"there is no function `{name.text}`", name.start, hint)
        if not function.least <= len(arguments) <= function.most:
            message = f"`{name.text}` does not take {len(arguments)} arguments"
            raise ExpressionError(message, name.start, f"write `{function.usage}`")
        if name.text == "has" and not is_member(arguments[0]):
            raise ExpressionError("`has` asks about a path", name.start, "write `has(input.name)`")
        return Call(name.text, arguments, name.start)

    def _list(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._op(closing):
            if items:
                self._expect(",", f"`,` or `{closing}` is missing")
            items.append(self._expression())
        return tuple(items)

    def _record(self) -> Node:
        fields: dict[str, Node] = {}
        while not self._op("}"):
            if fields:
                self._expect(",", "`,` or `}` is missing")
            name = self._field(fields)
            self._expect(":", f"write `{name}: value`")
            fields[name] = self._expression()
        return Record(tuple(fields.items()))

    def _field(self, fields: Collection[str]) -> str:
        key = self._lexer.token
        if key.kind not in ("name", "string"):
            raise self._unexpected("the name of a field is missing here")
        name = string(key) if key.kind == "string" else key.text
        if name in fields:
            raise ExpressionError(f"the field `{name}` is there twice", key.start)
        self._lexer.advance()
        return name

    def _op(self, text: str) -> bool:
        if self._lexer.token.is_op(text):
            self._lexer.advance()
            return True
        return False

    def _expect(self, text: str, message: str) -> None:
        if not self._op(text):
            raise self._unexpected(message)

    def _unexpected(self, message: str, hint: str = "") -> ExpressionError:
        return unexpected(self._lexer.token, message, hint)

    def _count(self, at: int) -> None:
        self._nodes += 1
        if self._nodes > NODE_LIMIT:
            hint = "split it into several steps or fields"
            raise ExpressionError(f"the expression has more than {NODE_LIMIT} parts", at, hint)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise too_deep(self._lexer.token.start)


@dataclass(frozen=True, slots=True)
class Slot:
    """An expression found in a text, with its offsets there (the braces not included)."""

    node: Node
    start: int
    end: int


def slots(text: str, roots: Collection[str] | None) -> tuple[str | Slot, ...]:
    """Split a text at its `{{ expression }}` and `${{ expression }}`.

    The end of an expression is where its grammar ends, not the first `}}`, so texts and
    objects in it may hold braces. Raises `ExpressionError` with the offset in `text`.
    """
    parts: list[str | Slot] = []
    position = 0
    while (opening := text.find("{{", position)) >= 0:
        literal = text[position : opening - (text[opening - 1 : opening] == "$")]
        if literal:
            parts.append(literal)
        start = opening + 2
        slot, position = _slot(text, start, roots)
        parts.append(slot)
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts)


def _slot(text: str, start: int, roots: Collection[str] | None) -> tuple[Slot, int]:
    found = reference(text, start, roots)
    if found is not None:
        return Slot(found[0], start, found[1]), found[1] + 2
    parser = Parser(text, start, roots)
    rest = parser.rest
    if not (rest.is_op("}") and text.startswith("}}", rest.start)):
        raise ending(rest, "`{{` needs `}}` after one expression")
    return Slot(parser.node, start, rest.start), rest.start + 2


def whole(text: str, roots: Collection[str] | None, braces: bool = False) -> Node:
    """The tree of a text that is one expression. Raises `ExpressionError`."""
    simple = comparison(text, roots)
    if simple is not None:
        return simple
    parser = Parser(text, 0, roots, braces)
    if parser.rest.kind != "end":
        raise ending(parser.rest, "the expression should end here")
    return parser.node

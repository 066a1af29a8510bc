"""One expression, read once and evaluated many times. Immutable."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from engine.core.expr.compiler import compile_node, plain_keys
from engine.core.expr.limits import Budget
from engine.core.expr.parser import whole
from engine.core.expr.printer import to_source
from engine.core.expr.references import references
from engine.core.expr.tree import Node, Path, Root, weight
from engine.core.expr.trouble import EvaluationError, ExpressionError, Trouble
from engine.core.expr.walk import Env, Run, walker

Scope = Mapping[str, Any]


class Expr:
    """A compiled expression. Two are equal when their trees are.

    `source` is the text as written and `offset` its place in the text it came from. `walk` is
    set for a plain path from a name of the scope: a function of the scope that cannot fail.
    """

    __slots__ = ("_keys", "_run", "node", "offset", "source", "walk")

    def __init__(self, node: Node, source: str, offset: int = 0) -> None:
        self.node = node
        self.source = source
        self.offset = offset
        self._keys = _plain(node)
        self.walk = _walk_below(node) if self._keys is None else walker(self._keys)
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        """Evaluates over an environment, for those who do so many times; raises `Trouble`."""
        # Most of what is read is never evaluated in this process, so nothing is compiled before.
        if self._run is None:
            self._run = compile_node(self.node)
        return self._run

    @property
    def cost(self) -> int:
        """How many nodes one evaluation may touch."""
        return weight(self.node)

    def evaluate(self, scope: Scope, budget: Budget | None = None) -> Any:
        """The value over `scope`; `$` is the member of that name.

        Raises `EvaluationError` (kind `logic`) and nothing else. Without a `budget` the
        evaluation has `STEP_LIMIT` steps of its own.
        """
        if self.walk is not None:
            return self.walk(scope)
        return self.over(Env(scope, scope.get("$"), Budget() if budget is None else budget))

    def over(self, env: Env) -> Any:
        """Like `evaluate`, over an environment that the caller keeps."""
        try:
            return self.run(env)
        except Trouble as trouble:
            raise self.failed(trouble) from None
        except (RecursionError, OverflowError, ValueError) as error:
            raise self.failed(beyond(error)) from None

    def failed(self, trouble: Trouble) -> EvaluationError:
        """The failure that `trouble` in this expression is for the run."""
        return trouble.error(self.source, self.offset)

    def references(self) -> frozenset[tuple[str | int, ...]]:
        """What it reads: static paths from names of the scope, up to the first computed part."""
        return references(self.node) if self._keys is None else frozenset((self._keys,))

    def __str__(self) -> str:
        return to_source(self.node)

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expr) and self.node == other.node

    def __hash__(self) -> int:
        return hash(str(self))


def beyond(error: Exception) -> Trouble:
    """The trouble with a value that is larger or deeper than Python can work with."""
    return Trouble(
        "beyond_limits",
        f"a value is too deep or too large to work with ({type(error).__name__})",
        "make the value smaller before it is used here",
    )


def parse(source: str, roots: Collection[str] | None = None, *, braces: bool = False) -> Expr:
    """Read an expression.

    `roots` are the names that paths may begin with (None: any); `braces` allows `{{ path }}`
    inside, as conditions have it. Raises `ExpressionError` with offset and hint.

    >>> parse("tasks.get-order.output.total > 100").evaluate({"tasks": {}})
    False
    """
    try:
        return Expr(whole(source, roots, braces), source)
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply") from None


def _plain(node: Node) -> tuple[str | int, ...] | None:
    """The way from the scope, where the node is nothing but a name and static keys."""
    if isinstance(node, Root):
        return (node.name,) if node.name not in ("$", "@") else None
    if not isinstance(node, Path) or not isinstance(node.base, Root):
        return None
    keys = plain_keys(node)
    return None if keys is None or node.base.name in ("$", "@") else (node.base.name, *keys)


def _walk_below(node: Node) -> Callable[[Any], Any] | None:
    if not isinstance(node, Path) or node.base != Root("$"):
        return None
    keys = plain_keys(node)
    return None if keys is None else walker(("$", *keys))

"""What an operation works with: the environment, the budget, the seed, and rows.

The environment is one object that is moved from row to row, so that a row costs no
allocation besides its result.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from engine.core.expr import EvaluationError, Expr
from engine.core.expr.compiler import plain_keys
from engine.core.expr.expression import beyond
from engine.core.expr.measure import is_container
from engine.core.expr.tree import Path, Root
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import comparable
from engine.core.expr.walk import Env, walker

T = TypeVar("T")

MOST_STEPS = 10_000_000
"""Steps that no input can justify more of; about a second."""


class Work:
    """One run of a pipeline. `seed` is for operations that need chance and have none."""

    __slots__ = ("env", "seed")

    def __init__(self, env: Env, seed: int) -> None:
        self.env = env
        self.seed = seed

    def spend(self, steps: int) -> None:
        """Take steps from the budget of the pipeline."""
        self.env.budget.spend(steps)

    def comparable(self, key: Any) -> Any:
        """A hashable stand-in for a key, equal when the keys are the same."""
        if is_container(key):
            self.env.budget.spend_all(key)
        return comparable(key)


Given = Callable[[Work], T]
"""An option: a constant, or a value that the run's input decides."""

Operate = Callable[[Work, Any], Any]
"""A compiled operation."""


class Rows:
    """An expression that is evaluated for each row, the row being `$`."""

    __slots__ = ("_walk", "expr")

    def __init__(self, expr: Expr) -> None:
        self.expr = expr
        self._walk = _row_walk(expr)

    def over(self, work: Work, rows: list[Any]) -> list[Any]:
        """The value for every row. Raises `EvaluationError` naming the row."""
        work.spend(len(rows) * self.expr.cost)
        walk = self._walk
        if walk is not None:
            return [walk(row) for row in rows]
        return self._evaluate(work.env, rows)

    def of(self, work: Work, row: Any) -> Any:
        """The value for one row."""
        return self.over(work, [row])[0]

    def _evaluate(self, env: Env, rows: list[Any]) -> list[Any]:
        run, found = self.expr.run, []
        try:
            for row in rows:
                env.this = env.element = row
                found.append(run(env))
        except Trouble as trouble:
            raise self._failed(trouble, len(found)) from None
        except (RecursionError, OverflowError, ValueError) as error:
            raise self._failed(beyond(error), len(found)) from None
        return found

    def _failed(self, trouble: Trouble, row: int) -> EvaluationError:
        return self.expr.failed(trouble).within(row=row)


def _row_walk(expr: Expr) -> Callable[[Any], Any] | None:
    node = expr.node
    if node == Root("$"):
        return _itself
    if isinstance(node, Path) and node.base == Root("$"):
        keys = plain_keys(node)
        return None if keys is None else walker(keys)
    return None


def _itself(row: Any) -> Any:
    return row


def rows_of(value: Any) -> list[Any]:
    """An array as it is, null as none, any other value as an array of one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def each(work: Work, value: Any, change: Callable[[Any], Any]) -> Any:
    """`change` of every element of an array, or of the value itself when it is no array."""
    if not isinstance(value, list):
        return change(value)
    work.spend(len(value))
    return [change(element) for element in value]

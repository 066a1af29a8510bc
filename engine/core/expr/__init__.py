"""The one expression language: references, filters, conditions, predicates, transforms.

A text is read once (`parse`) into a tree, compiled to closures, and evaluated over JSON values
under a budget of steps. The grammar and every function are in `docs/expressions.md`. The
package refuses to know what a workflow is, what the time is, and any attribute of a Python
object: it sees JSON values and a fixed table of pure functions.
"""

from engine.core.expr.expression import Expr, Scope, parse
from engine.core.expr.functions import FUNCTIONS
from engine.core.expr.limits import STEP_LIMIT, TEXT_LIMIT, Budget
from engine.core.expr.trouble import EvaluationError, ExpressionError, did_you_mean

__all__ = [
    "FUNCTIONS",
    "STEP_LIMIT",
    "TEXT_LIMIT",
    "Budget",
    "EvaluationError",
    "Expr",
    "ExpressionError",
    "Scope",
    "did_you_mean",
    "parse",
]

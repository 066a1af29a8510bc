"""What can go wrong with an expression: before it runs, and while it runs.

`ExpressionError` is for whoever wrote the text: it says where and what to write instead.
`EvaluationError` is for the run: a classified failure, always `logic`, because the same
expression over the same values fails again. `Trouble` is raised where the fault is seen and
gets its place on the way out, where it becomes an `EvaluationError`.
"""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from engine.core.errors import Failure, Kind, StepError


class ExpressionError(ValueError):
    """The text is not an expression. `offset` counts characters from the start of the text."""

    def __init__(self, message: str, offset: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


class EvaluationError(StepError):
    """An expression could not be evaluated over these values. Its kind is always `logic`."""

    def within(self, **details: Any) -> "EvaluationError":
        """The same failure with more said about where it happened; earlier facts stay."""
        old = self.failure
        return EvaluationError(
            Failure(
                old.kind,
                old.code,
                old.message,
                old.hint,
                old.retry_after,
                old.cause,
                {**details, **old.details},
            )
        )


class Trouble(StepError):
    """A fault seen deep inside an evaluation, before anybody knows which text it belongs to."""

    def __init__(self, code: str, message: str, hint: str = "", at: int = -1) -> None:
        super().__init__(Failure(Kind.LOGIC, code, message, hint))
        self.code = code
        self.message = message
        self.hint = hint
        self.at = at

    def placed(self, at: int) -> "Trouble":
        """The same trouble at the offset `at`, unless it already has a nearer one."""
        return self if self.at >= 0 else Trouble(self.code, self.message, self.hint, at)

    def error(self, source: str, offset: int = 0, **details: Any) -> EvaluationError:
        """The failure for the run. `offset` is where `source` begins in its text."""
        place: Mapping[str, Any] = {"expression": source, **details}
        if self.at >= 0:
            place = {**place, "offset": max(self.at - offset, 0)}
        return EvaluationError(
            Failure(Kind.LOGIC, self.code, self.message, self.hint, details=place)
        )


def did_you_mean(word: str, known: Collection[str], otherwise: str = "") -> str:
    """A hint naming the nearest known word, or `otherwise`.

    >>> did_you_mean("taks", ("input", "tasks"))
    'did you mean `tasks`?'
    """
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if not near:
        folded = {name.casefold(): name for name in known}
        near = [folded[word.casefold()]] if word.casefold() in folded else []
    return f"did you mean `{near[0]}`?" if near else otherwise

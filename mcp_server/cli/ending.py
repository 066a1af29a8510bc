"""How a command ends when it does not end well: what, whose move, and the exit code.

An expected error never shows a traceback. `explain` turns any exception into an `Ending` by its
class and its code, never by its text; what it cannot explain is our bug and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any

ISSUES = "report it with the lines above and the output of `handrail doctor`"


class Exit(IntEnum):
    """What the caller's shell sees."""

    OK = 0
    FAILED = 1
    USAGE = 2
    DATABASE = 3
    REFUSED = 4
    WAITS = 5
    BUG = 70
    INTERRUPTED = 130
    CLOSED = 141


MEANINGS: Mapping[Exit, str] = {
    Exit.OK: "done",
    Exit.FAILED: "the work did not succeed: a run failed, a check found errors",
    Exit.USAGE: "wrong usage or bad input",
    Exit.DATABASE: "trouble with the database",
    Exit.REFUSED: "refused: not now, or not like this",
    Exit.WAITS: "waits for a person's approval",
    Exit.BUG: "a bug in Handrail",
    Exit.INTERRUPTED: "interrupted from the keyboard",
    Exit.CLOSED: "whoever read the output stopped reading",
}

WHO: Mapping[str, str] = {
    "caller": "Your move",
    "person": "Your move",
    "engine": "Handrail's move",
    "clock": "Waits for its time",
    "outside": "Another system's move",
    "none": "Nobody's move",
}
"""Whose turn it is, in the terminal's words."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What went wrong, for a person and for a program."""

    exit: Exit
    code: str
    message: str
    hint: str = ""
    move: str = "caller"
    details: Mapping[str, Any] = field(default_factory=dict)


class Stop(Exception):
    """A command ends here; `ending` says how."""

    def __init__(
        self,
        exit_code: Exit,
        code: str,
        message: str,
        hint: str = "",
        *,
        move: str = "caller",
        details: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(message)
        self.ending = Ending(exit_code, code, message, hint, move, details)


def explain(error: BaseException) -> Ending:
    """The ending that an exception stands for."""
    if isinstance(error, Stop):
        return error.ending
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error)
        return Ending(Exit.USAGE, "file_error", f"{where}{reason}", "check the path and its rights")
    return _refused(error) or Ending(
        # The text of an error that nobody classified may hold anything, a secret too.
        Exit.BUG,
        "bug",
        f"Handrail made a mistake: {type(error).__name__}",
        ISSUES,
        "person",
    )


def _refused(error: BaseException) -> Ending | None:
    # Here and not above: the engine is imported by then, or it is not needed at all.
    from engine import Refused

    if not isinstance(error, Refused):
        return None
    hint = hint_of(error.code, error.hint, error.details.get("suggestions", ()))
    return Ending(
        exit_of(error.code), error.code, error.message, hint, str(error.move), error.details
    )


HINTS: Mapping[str, str] = {
    "unknown_workflow": "`handrail workflows` lists them",
    "unknown_run": "`handrail runs` lists them",
    "already_ended": "nothing is left to do; `handrail retry RUN` tries it again as a new run",
    "invalid_input": "correct these inputs; `handrail workflows NAME` explains them",
    "engine_unavailable": "`handrail doctor` says what is broken",
}
"""What to type, where the engine's hint speaks to whoever calls it by protocol."""

_BAD_INPUT = ("unknown_", "invalid_", "ambiguous_", "bad_")


def hint_of(code: str, hint: str, near: Sequence[str]) -> str:
    """The engine's hint in the terminal's words.

    >>> hint_of("unknown_workflow", "Call list_workflows.", ["greet"])
    "did you mean 'greet'? `handrail workflows` lists them"
    >>> hint_of("busy", "Try again.", [])
    'Try again.'
    """
    ours = HINTS.get(code)
    if ours is None:
        return hint
    return f"did you mean {near[0]!r}? {ours}" if near else ours


def exit_of(code: str) -> Exit:
    """The exit code for a refusal, from its code alone.

    >>> [exit_of(code).name for code in ("unknown_run", "database_full", "pending_version")]
    ['USAGE', 'DATABASE', 'REFUSED']
    """
    if code.startswith("database_"):
        return Exit.DATABASE
    return Exit.USAGE if code.startswith(_BAD_INPUT) else Exit.REFUSED

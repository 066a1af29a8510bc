"""Who must act when something goes wrong, and how a failure is kept as a value.

A failure is classified where it is born, by the code that saw it, and never again by
reading its message (SEMANTICS section 4). `Kind` says what went wrong, `Move` says whose
turn it is. `Failure` is a value that is stored and shown; `Refused` is the exception of a
command that makes no sense now; `Stale` says that somebody else wrote first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Kind(StrEnum):
    """What went wrong. An error that nobody classified is `INTERNAL`: our bug."""

    TRANSIENT = "transient"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    NETWORK = "network"
    AUTH = "auth"
    PERMISSION = "permission"
    PRECONDITION = "precondition"
    VALIDATION = "validation"
    LOGIC = "logic"
    PERMANENT = "permanent"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


RETRYABLE = frozenset({Kind.TRANSIENT, Kind.TIMEOUT, Kind.RATE_LIMITED, Kind.NETWORK})
"""The kinds that may go away by themselves."""


class Move(StrEnum):
    """Whose turn it is."""

    ENGINE = "engine"  # work is under way
    CLOCK = "clock"  # something waits for its time
    PERSON = "person"  # a person must act: fix, approve, reconnect
    OUTSIDE = "outside"  # another system must act
    CALLER = "caller"  # whoever made this call must change it
    NONE = "none"  # it is over


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as a value: it can be stored, shown and compared.

    `code` is a stable machine word (`http_503`, `missing_path`), `retry_after` is in
    microseconds, `cause` names the chain of causes from near to far, `details` holds
    redacted JSON.
    """

    kind: Kind
    code: str
    message: str
    hint: str = ""
    retry_after: int | None = None
    cause: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    @property
    def retryable(self) -> bool:
        """Whether trying again may help."""
        return self.kind in RETRYABLE


class StepError(Exception):
    """Raised by whoever carries out a step; carries the failure classified on the spot."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Refused(Exception):
    """The command makes no sense in the present state. Nothing was recorded.

    `code` is a stable machine word, `move` says who must act, `hint` says how, and
    `details` carries typed facts (for example `missingInputs`).
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        move: Move = Move.CALLER,
        details: Mapping[str, Any] = _NOTHING,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.move = move
        self.details = details


class Stale(Exception):
    """Someone else wrote to the stream first. Load it again and decide again."""

"""Why a run is or is not moving, and whose turn it is: tables, nothing else.

A status says why; `whose_move` is derived from it by one table and by nothing else, and a
failure's kind leads to a status by another (SEMANTICS sections 2 and 4). The diagrams in
docs/guides are drawn from these tables.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from engine.core.errors import Kind, Move


class Status(StrEnum):
    """The status of a run."""

    PENDING = "pending"
    ACTIVE = "active"
    RETRY = "paused:retry"
    TIMER = "paused:timer"
    SIGNAL = "paused:signal"
    APPROVAL = "paused:approval"
    RECONCILIATION = "paused:reconciliation"
    AUTH = "paused:auth"
    PERMISSION = "paused:permission"
    PRECONDITION = "paused:precondition"
    BUDGET = "paused:budget"
    COMPLETED = "completed"
    FAILED_LOGIC = "failed:logic"
    FAILED_INTERNAL = "failed:internal"
    FAILED_EXHAUSTED = "failed:exhausted"
    FAILED_DENIED = "failed:denied"
    CANCELLED = "cancelled"
    STALE = "stale"


StepStatus = Literal[
    "waiting",
    "running",
    "in_flight",
    "unknown",
    "indeterminate",
    "done",
    "skipped",
    "failed",
    "cancelled",
]
"""The status of a step as a reader sees it."""

MOVES: Mapping[str, tuple[Move, str]] = MappingProxyType(
    {
        Status.PENDING: (Move.ENGINE, "Wait: a worker will take it up."),
        Status.ACTIVE: (Move.ENGINE, "Wait: it is being worked on."),
        Status.RETRY: (Move.CLOCK, "Wait: the step is tried again by itself."),
        Status.TIMER: (Move.CLOCK, "Wait: it goes on when its timer ends."),
        Status.SIGNAL: (Move.OUTSIDE, "Wait for the signal it needs."),
        Status.APPROVAL: (Move.PERSON, "Ask a person to decide on the proposal."),
        Status.RECONCILIATION: (Move.PERSON, "A person must say whether the change happened."),
        Status.AUTH: (Move.PERSON, "Reconnect the account, then retry the run."),
        Status.PERMISSION: (Move.PERSON, "Grant what is missing, then retry the run."),
        Status.PRECONDITION: (Move.PERSON, "Put the state outside right, then retry the run."),
        Status.BUDGET: (Move.PERSON, "Raise the budget, then retry the run."),
        Status.COMPLETED: (Move.NONE, ""),
        Status.FAILED_LOGIC: (Move.PERSON, "Fix the workflow, then retry with the new version."),
        Status.FAILED_INTERNAL: (Move.PERSON, "This is a bug: report it, then retry the run."),
        Status.FAILED_EXHAUSTED: (Move.PERSON, "Find out why it failed; retry when it is solved."),
        Status.FAILED_DENIED: (Move.NONE, ""),
        Status.CANCELLED: (Move.NONE, ""),
        Status.STALE: (Move.PERSON, "Its events were reprocessed: look at what is left to do."),
    }
)
"""Who moves a run on, and how, in a sentence."""

TERMINAL = frozenset(
    {
        Status.COMPLETED,
        Status.FAILED_LOGIC,
        Status.FAILED_INTERNAL,
        Status.FAILED_EXHAUSTED,
        Status.FAILED_DENIED,
        Status.CANCELLED,
        Status.STALE,
    }
)
"""A run in one of these never moves again; trying again is a new run."""

BLOCKED = frozenset({Status.AUTH, Status.PERMISSION, Status.PRECONDITION, Status.BUDGET})
"""The outside world must be put right first."""

RETRYABLE_BY_HAND = BLOCKED | {
    Status.FAILED_LOGIC,
    Status.FAILED_INTERNAL,
    Status.FAILED_EXHAUSTED,
    Status.CANCELLED,
}

OUTCOMES: Mapping[Kind, Status] = MappingProxyType(
    {
        Kind.TRANSIENT: Status.FAILED_EXHAUSTED,
        Kind.TIMEOUT: Status.FAILED_EXHAUSTED,
        Kind.RATE_LIMITED: Status.FAILED_EXHAUSTED,
        Kind.NETWORK: Status.FAILED_EXHAUSTED,
        Kind.AUTH: Status.AUTH,
        Kind.PERMISSION: Status.PERMISSION,
        Kind.PRECONDITION: Status.PRECONDITION,
        Kind.VALIDATION: Status.FAILED_LOGIC,
        Kind.LOGIC: Status.FAILED_LOGIC,
        Kind.PERMANENT: Status.FAILED_EXHAUSTED,
        Kind.CANCELLED: Status.CANCELLED,
        Kind.INTERNAL: Status.FAILED_INTERNAL,
    }
)
"""What becomes of a run whose step failed for good."""


def whose_move(status: str, wake_at: int | None = None) -> Move:
    """Whose turn it is; what the engine still finds out by itself, at `wake_at`, is the clock's.

    >>> whose_move("paused:retry").value, whose_move("paused:reconciliation").value
    ('clock', 'person')
    >>> whose_move("paused:reconciliation", wake_at=5).value
    'clock'
    """
    return Move.CLOCK if _looking(status, wake_at) else MOVES[status][0]


def next_step(status: str, wake_at: int | None = None) -> str:
    """What to do next, in one sentence; empty when it is over."""
    if _looking(status, wake_at):
        return "Wait: the engine finds out whether the change happened."
    return MOVES[status][1]


def _looking(status: str, wake_at: int | None) -> bool:
    return status == Status.RECONCILIATION and wake_at is not None

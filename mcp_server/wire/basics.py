"""What all shapes on the wire have in common: times, names, failures, refusals, the answer."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mcp_server.foreign import LINE, dumped, message

if TYPE_CHECKING:
    from engine.core.errors import Failure, Refused

Json = dict[str, Any]

MOST_DETAILS = 4_000
"""Characters of a failure's details; more is evidence for the run's resource, not for a model."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool says: facts for programs, the same facts in words, and where more is."""

    facts: Json
    words: str
    wrong: bool = False
    more: tuple[str, ...] = ()


def rfc3339(micros: int) -> str:
    """Microseconds since the epoch as UTC text with milliseconds.

    >>> rfc3339(1_000_000_500_000)
    '1970-01-12T13:46:40.500Z'
    """
    moment = _EPOCH + timedelta(microseconds=micros)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millis(micros: int) -> int:
    """Microseconds as whole milliseconds; a clock that went back counts as nothing."""
    return max(0, (micros + 500) // 1000)


def called(namespace: str, name: str) -> str:
    """The name by which a workflow is asked for."""
    return name if namespace == "default" else f"{namespace}/{name}"


def without_empty(shown: Json, *names: str) -> Json:
    """`shown` without those of its fields that are empty, none, no or nothing."""
    for name in names:
        if not shown[name]:
            del shown[name]
    return shown


def size(value: Any) -> int:
    """Characters of its JSON; numbers and flags count for nothing."""
    return 0 if value is None or isinstance(value, (bool, int, float)) else len(dumped(value))


def failure(view: "Failure") -> Json:
    """A failure, classified where it happened."""
    shown: Json = {
        "kind": view.kind.value,
        "code": view.code,
        "message": message(view.message),
        "retryable": view.retryable,
        "hint": message(view.hint, LINE),
        "cause": [message(each, LINE) for each in view.cause],
        "details": dict(view.details),
    }
    if size(shown["details"]) > MOST_DETAILS:
        shown["details"] = {}
    if view.retry_after is not None:
        shown["retryAfterMs"] = millis(view.retry_after)
    return without_empty(shown, "hint", "cause", "details")


def refused(error: "Refused") -> Json:
    """Why nothing happened, whose move it is, and what is near to what was meant."""
    near = error.details.get("suggestions") or ()
    facts: Json = {
        "status": "refused",
        "code": error.code,
        "message": message(error.message),
        "whoseMove": error.move.value,
        "hint": message(error.hint),
        "suggestions": [message(str(each)) for each in near],
        "arguments": list(error.details.get("arguments") or ()),
        "errorId": error.details.get("errorId", ""),
    }
    return without_empty(facts, "hint", "suggestions", "arguments", "errorId")

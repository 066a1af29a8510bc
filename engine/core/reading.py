"""Reading rendered values the way a plan needs them: as text, as a list, as a point in time."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from engine.core.asks import MAX_ITEMS
from engine.core.errors import Failure, Kind, StepError
from engine.core.expr.measure import least_json
from engine.core.model import Effect, Target
from engine.core.plain import MAX_TEXT
from engine.core.retry import NEVER, SECOND, RetryPolicy

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h)")
_UNIT = {"ms": SECOND // 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def wrong(code: str, message: str, hint: str = "") -> StepError:
    """The workflow is wrong, and its author must mend it."""
    return StepError(Failure(Kind.LOGIC, code, message, hint))


def because(path: str, failure: Failure) -> Failure:
    """The failure of a whole, told by its part: same kind and code, the part's name in front."""
    cause = (*failure.cause, f"{path}: {failure.message}")
    return Failure(
        failure.kind, failure.code, f"{path}: {failure.message}", failure.hint, None, cause
    )


def bounded(value: Any) -> Any:
    """`value`, unless it stands for more JSON than a step may return.

    Values are shared by reference, so an output that repeats another twice is small in memory
    and doubles on paper with every step. Raises StepError `output_too_large`.
    """
    if least_json(value, MAX_TEXT) > MAX_TEXT:
        raise wrong("output_too_large", f"the output is larger than {MAX_TEXT:,} characters")
    return value


def target_name(target: Target | None) -> str:
    """`namespace/name` of what a step carries out; empty for a bare switch."""
    return "" if target is None else f"{target.namespace}/{target.name}"


def usual_retry(effect: Effect) -> RetryPolicy:
    """The policy of a task that names none: what may be repeated is, a mutation never."""
    return NEVER if effect is Effect.MUTATION else RetryPolicy()


def as_text(value: Any) -> str:
    """A value as a switch compares it.

    >>> [as_text(value) for value in ("gold", True, None, 3)]
    ['gold', 'true', '', '3']
    """
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def as_list(value: Any) -> list[Any]:
    """The items of a forEach; raises StepError when there are none to be had, or too many."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, list):
        raise wrong("not_a_list", "forEach needs a list of items", "Check what `items` refers to.")
    if len(value) > MAX_ITEMS:
        raise wrong(
            "too_many_items",
            f"forEach has {len(value):,} items; at most {MAX_ITEMS:,} are allowed",
            "Split the list, or page through it with a sub-workflow.",
        )
    return value


def duration(text: str) -> int | None:
    """Microseconds of `250ms`, `5s`, `2m`, `1h`; None when it is none of these.

    >>> duration("2m")
    120000000
    """
    match = _DURATION.fullmatch(text.strip())
    return int(match[1]) * _UNIT[match[2]] if match else None


def until(value: Any, now: int) -> int:
    """When a sleep ends, in microseconds since the epoch.

    `value` is a duration, a number of seconds, an RFC 3339 time with a zone, or an object
    with one of them as `duration` or `until`. Raises StepError otherwise.

    >>> until({"duration": "1s"}, now=5)
    1000005
    """
    if isinstance(value, dict):
        value = value.get("duration", value.get("until"))
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**9:
        return now + int(value * SECOND)
    if isinstance(value, str):
        length = duration(value)
        moment = now + length if length is not None else _moment(value)
        if moment is not None:
            return moment
    raise wrong(
        "bad_sleep",
        "a sleep needs a duration such as 5s, or an RFC 3339 time with a zone",
        "Check what the template gives.",
    )


def _moment(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return int((moment - _EPOCH).total_seconds() * SECOND)

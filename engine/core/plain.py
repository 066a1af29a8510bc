"""Making sure that a value is JSON before it enters history.

A registered Python function may return anything. What cannot be written as JSON, or would read
back differently, is refused here with a typed failure, next to where it arose.
"""

import math
from typing import Any

from engine.core.errors import Failure, Kind, StepError

MAX_DEPTH = 64
MAX_TEXT = 5 * 1024 * 1024
"""Characters in one output, over all its strings."""


def plain(value: Any, limit: int = MAX_TEXT) -> Any:
    """`value` with tuples made into lists; raises StepError when it is not JSON or too large.

    >>> plain({"a": (1, 2.5, None)})
    {'a': [1, 2.5, None]}
    """
    room = [limit]
    return _plain(value, 0, room)


def _plain(value: Any, depth: int, room: list[int]) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is int:
        return value
    if kind is str:
        return _text(value, room)
    if kind is float:
        return _number(value)
    if depth > MAX_DEPTH:
        raise _refused(f"is nested deeper than {MAX_DEPTH}")
    if kind is dict:
        return {_key(key, room): _plain(item, depth + 1, room) for key, item in value.items()}
    if kind is list or kind is tuple:
        room[0] -= len(value)
        return [_plain(item, depth + 1, room) for item in value]
    raise _refused(f"contains a {kind.__name__}")


def _text(value: str, room: list[int]) -> str:
    room[0] -= len(value)
    if room[0] < 0:
        raise _refused(f"is larger than {MAX_TEXT:,} characters", "output_too_large")
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise _refused("contains half a surrogate pair")
    return value


def _number(value: float) -> float:
    if not math.isfinite(value):
        raise _refused("contains a number that is not finite")
    return value


def _key(key: Any, room: list[int]) -> str:
    if type(key) is not str:
        raise _refused("has a key that is not text")
    return _text(key, room)


def _refused(what: str, code: str = "output_not_json") -> StepError:
    return StepError(
        Failure(Kind.LOGIC, code, f"the output {what}", "Return plain JSON values: see the docs.")
    )

"""Functions over texts, and those that turn texts into other values. Null goes through."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import re2

from engine.core.expr.limits import (
    PARTS_A_STEP,
    PATTERN_LIMIT,
    TEXT_LIMIT,
    VALUE_DEPTH_LIMIT,
    Budget,
    too_long,
)
from engine.core.expr.measure import depth
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import is_number, shown, to_text, type_name

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d))?", re.ASCII
)


def joined(parts: Iterable[str], between: str = "") -> str:
    """One text of many, never longer than `TEXT_LIMIT`."""
    found: list[str] = []
    length = -len(between)
    for part in parts:
        length += len(part) + len(between)
        if length > TEXT_LIMIT:
            raise too_long(length)
        found.append(part)
    return between.join(found)


def need_text(value: Any, name: str) -> str:
    """The value, which must be a text; raises `Trouble` otherwise."""
    if isinstance(value, str):
        return value
    hint = "make a text of it with `string(...)`"
    raise Trouble("wrong_type", f"{name} needs a text, not {shown(value)}", hint)


def upper(value: Any) -> str | None:
    """In capitals."""
    return None if value is None else _grown(need_text(value, "`upper`").upper())


def lower(value: Any) -> str | None:
    """In small letters."""
    return None if value is None else _grown(need_text(value, "`lower`").lower())


def trim(value: Any) -> str | None:
    """Without blanks at both ends."""
    return None if value is None else need_text(value, "`trim`").strip()


def split(value: Any, between: Any) -> list[str]:
    """The parts of a text; an empty separator gives its characters."""
    if value is None:
        return []
    text, separator = need_text(value, "`split`"), need_text(between, "`split`")
    return text.split(separator) if separator else list(text)


def join(value: Any, between: Any = "") -> str:
    """The elements of an array as one text."""
    if value is None:
        return ""
    if not isinstance(value, list | tuple):
        raise Trouble("wrong_type", f"`join` needs an array, not {type_name(value)}")
    return joined(map(to_text, value), need_text(between, "`join`"))


def replace(value: Any, old: Any, new: Any) -> str | None:
    """The text with every `old` made `new`."""
    if value is None:
        return None
    text, before, after = (need_text(each, "`replace`") for each in (value, old, new))
    if not before:
        raise Trouble("wrong_value", "`replace` needs something to look for")
    length = len(text) + text.count(before) * (len(after) - len(before))
    if length > TEXT_LIMIT:
        raise too_long(length)
    return text.replace(before, after)


def substring(value: Any, start: Any, length: Any = None) -> str | None:
    """Characters from `start`, counted from the end when negative; shorter at the end."""
    if value is None:
        return None
    text = need_text(value, "`substring`")
    begin = need_whole(start, "`substring`")
    begin = max(begin + len(text), 0) if begin < 0 else begin
    if length is None:
        return text[begin:]
    return text[begin : begin + max(need_whole(length, "`substring`"), 0)]


def need_whole(value: Any, name: str) -> int:
    """The value, which must be a whole number; raises `Trouble` otherwise."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise Trouble("wrong_type", f"{name} needs a whole number, not {shown(value)}")


def starts_with(value: Any, start: Any) -> bool:
    """Whether the text begins with `start`."""
    if value is None or start is None:
        return False
    return need_text(value, "`startsWith`").startswith(need_text(start, "`startsWith`"))


def ends_with(value: Any, end: Any) -> bool:
    """Whether the text ends with `end`."""
    if value is None or end is None:
        return False
    return need_text(value, "`endsWith`").endswith(need_text(end, "`endsWith`"))


def matches(value: Any, pattern: Any) -> bool:
    """Whether the RE2 pattern is found in the text, in time linear in the text."""
    if value is None:
        return False
    text = need_text(value, "`matches`")
    compiled = compile_pattern(need_text(pattern, "`matches`"))
    return compiled.search(text) is not None


def charge_match(budget: Budget, values: Sequence[Any]) -> None:
    """Linear time is characters times parts of the pattern in the worst case, and so are steps."""
    text, pattern = values
    if isinstance(text, str) and isinstance(pattern, str):
        parts = compile_pattern(pattern).programsize
        budget.spend((len(text) + PARTS_A_STEP) * parts // PARTS_A_STEP)


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> Any:
    """The compiled pattern; raises `Trouble` for what RE2 refuses (no look-around, no \\1)."""
    if len(pattern) > PATTERN_LIMIT:
        raise Trouble("bad_pattern", f"a pattern has at most {PATTERN_LIMIT:,} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise Trouble("bad_pattern", f"not an RE2 pattern: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def boolean(value: Any) -> bool:
    """`true` or `false` from a boolean or from the texts of that name; null is false."""
    if value is None or value is False or value == "false":
        return False
    if value is True or value == "true":
        return True
    hint = "only true, false and the texts 'true' and 'false' have a meaning as boolean"
    raise Trouble("wrong_value", f"`bool` cannot read {shown(value)}", hint)


def from_json(value: Any) -> Any:
    """The value that a JSON text holds; strict JSON, bounded depth."""
    if value is None:
        return None
    text = need_text(value, "`fromJson`")
    try:
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Trouble("bad_json", f"`fromJson` cannot read the text: {error}") from None
    if depth(found, VALUE_DEPTH_LIMIT) > VALUE_DEPTH_LIMIT:
        raise _too_deep()
    return found


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise ValueError(f"{text[:20]} is too large")
    return value


def _too_deep() -> Trouble:
    return Trouble("bad_json", f"the JSON is nested deeper than {VALUE_DEPTH_LIMIT}")


def epoch(value: Any) -> int | float | None:
    """Seconds since 1970 of an RFC 3339 time; a bare date is its midnight in UTC."""
    if value is None:
        return None
    text = need_text(value, "`epoch`")
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        hint = "write it as 2026-01-31T12:00:00Z"
        raise Trouble("bad_time", f"`epoch` cannot read {shown(text)}", hint) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = (moment - _START).total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


_START = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800, 253_402_300_800


def timestamp(value: Any) -> str | None:
    """The RFC 3339 time in UTC of seconds since 1970; to the microsecond where needed."""
    if value is None:
        return None
    if not is_number(value) or not _FIRST <= value < _LAST:
        raise Trouble("bad_time", f"`timestamp` needs seconds since 1970, not {shown(value)}")
    moment = datetime.fromtimestamp(value, UTC)
    return moment.isoformat().replace("+00:00", "Z")


def _grown(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise too_long(len(text))
    return text

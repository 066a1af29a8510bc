"""Reading one mapping of a document, key by key, with every mistake written down.

A reader never raises and never returns the wrong type: what cannot be read is reported and
answered with the default. Durations are text such as `30s` and become microseconds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from engine.core.documents.raw import Report, join
from engine.core.words import listed, shorten

_DURATION = re.compile(r"([0-9]{1,15})(ms|s|m|h)\Z")
_UNIT = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
LONGEST = 366 * 24 * 3_600_000_000
"""A duration above a year is a slip of the pen."""

_OFTEN = frozenset({"input", "id", "dependsOn", "condition", "taskRef"})
_NONE: Mapping[str, str] = MappingProxyType({})


def parse_duration(text: str) -> int:
    """The microseconds of `250ms`, `30s`, `5m` or `2h`. Raises ValueError for anything else.

    >>> parse_duration("1500ms"), parse_duration("2h")
    (1500000, 7200000000)
    """
    found = _DURATION.match(text)
    if found is None:
        raise ValueError("a duration is a whole number with a unit, such as 250ms, 30s, 5m or 2h")
    micros = int(found[1]) * _UNIT[found[2]]
    if not 0 < micros <= LONGEST:
        raise ValueError("a duration lies between 1ms and 366 days")
    return micros


class Section:
    """One mapping with its path. `known` are its field names; `later` those not carried out yet."""

    def __init__(
        self,
        report: Report,
        path: str,
        value: Any,
        known: tuple[str, ...] | frozenset[str] | None = None,
        later: Mapping[str, str] = _NONE,
    ) -> None:
        self.report = report
        self.path = path
        self.value: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self._wrong(path, "an object", value)
        if known is not None:
            self._unknown(_as_set(known), later)

    def at(self, key: str | int) -> str:
        """The path of a key of this section."""
        return f"{self.path}.{key}" if key in _OFTEN and self.path else join(self.path, key)

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def get(self, key: str) -> Any:
        """The raw value, None when absent."""
        return self.value.get(key)

    def error(self, key: str, code: str, message: str, hint: str = "") -> None:
        """Report an error at a key."""
        self.report.error(self.at(key), code, message, hint)

    def warn(self, key: str, code: str, message: str, hint: str = "") -> None:
        """Report a warning at a key."""
        self.report.warn(self.at(key), code, message, hint)

    def text(self, key: str, default: str = "") -> str:
        """A string; absent or null is the default."""
        value: str = self._typed(key, str, "a string", default)
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value: bool = self._typed(key, bool, "true or false", default)
        return value

    def sequence(self, key: str) -> list[Any]:
        """A list; absent or null is empty."""
        value: list[Any] = self._typed(key, list, "a list", [])
        return value

    def mapping(self, key: str) -> Mapping[str, Any]:
        """An object; absent or null is empty."""
        value: Mapping[str, Any] = self._typed(key, dict, "an object", {})
        return value

    def section(
        self, key: str, known: tuple[str, ...] | None = None, later: Mapping[str, str] = _NONE
    ) -> "Section":
        """A nested section; absent or null is an empty one."""
        value = self.value.get(key)
        return Section(self.report, self.at(key), {} if value is None else value, known, later)

    def sections(self, key: str, known: tuple[str, ...]) -> Iterator["Section"]:
        """The objects of a list, each as a section."""
        for index, value in enumerate(self.sequence(key)):
            yield Section(self.report, join(self.at(key), index), value, known)

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of strings; one string alone is a list of one."""
        value = self.value.get(key)
        if isinstance(value, str):
            return (value,)
        items = self.sequence(key)
        found = [item for item in items if isinstance(item, str)]
        for index, item in enumerate(items) if len(found) < len(items) else ():
            if not isinstance(item, str):
                self._wrong(join(self.at(key), index), "a string", item)
        return tuple(found)

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self.value.get(key)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._wrong(self.at(key), f"a whole number from {low} to {high}", value)
            return default
        return value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """A number within bounds."""
        value = self.value.get(key)
        if value is None:
            return default
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not low <= value <= high
        ):
            self._wrong(self.at(key), f"a number from {low:g} to {high:g}", value)
            return default
        return float(value)

    def duration(self, key: str) -> int | None:
        """A duration in microseconds, None when absent."""
        value = self.value.get(key)
        if value is None:
            return None
        try:
            return parse_duration(value if isinstance(value, str) else "")
        except ValueError as error:
            hint = f"write {value}s or {value}ms" if type(value) is int and value < 10**9 else ""
            shown = shorten(repr(value))
            self.error(key, "bad_duration", f"{shown} is not a duration: {error}", hint)
            return None

    def choice(self, key: str, options: Iterable[str], default: str) -> str:
        """One of several words."""
        value = self.text(key, default)
        words = list(options)
        if value not in words:
            hint = self.report.nearest(value, words) or f"one of: {listed(words)}"
            self.error(key, "bad_value", f"{shorten(value)!r} is not allowed here", hint)
            return default
        return value

    def _typed(self, key: str, kind: type[Any], words: str, default: Any) -> Any:
        value = self.value.get(key)
        if value is None:
            return default
        if not isinstance(value, kind):
            self._wrong(self.at(key), words, value)
            return default
        return value

    def _wrong(self, path: str, wanted: str, value: Any) -> None:
        shown = "nothing" if value is None else shorten(repr(value), 60)
        hint = "quote it to make it a string" if wanted == "a string" and _is_plain(value) else ""
        self.report.error(path, "wrong_type", f"this must be {wanted}, not {shown}", hint)

    def _unknown(self, known: frozenset[str], later: Mapping[str, str]) -> None:
        if known >= self.value.keys():
            return
        for key in self.value:
            if key in known:
                continue
            if key in later:
                self.warn(key, "not_supported_yet", f"{key} is not carried out yet: {later[key]}")
            else:
                hint = (
                    self.report.nearest(key, known) or f"known fields: {listed(sorted(known), 30)}"
                )
                message = f"unknown field {shorten(key)!r} is ignored"
                self.warn(key, "unknown_field", message, hint)


@lru_cache(maxsize=256)
def _as_set(known: tuple[str, ...] | frozenset[str]) -> frozenset[str]:
    return frozenset(known)


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | float)

"""Answers that are kept because they are soon asked for again, and let go of all together.

Each is small, but a great many of them are made while a large catalogue is read, among objects
that live for a moment. One that is kept holds on to the stretch of memory round it, a megabyte
for a word, until it goes as well.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast
from weakref import ref

F = TypeVar("F", bound=Callable[..., Any])
_KEPT: list["ref[Any]"] = []
_ALSO: list[Callable[[], object]] = []


def kept(most: int) -> Callable[[F], F]:
    """Keep what a function says of the arguments that were asked for last, so many of them."""

    def keeping(function: F) -> F:
        found = lru_cache(maxsize=most)(function)
        _KEPT.append(ref(found, _KEPT.remove))
        return cast(F, found)

    return keeping


def forgotten_by(forget: Callable[[], object]) -> None:
    """Something else that is kept as long as the process lives is let go of by calling this."""
    _ALSO.append(forget)


def forget_kept() -> None:
    """Let go of all that is kept: whatever is asked for again is worked out again."""
    for each in list(_KEPT):
        if (found := each()) is not None:
            found.cache_clear()
    for forget in _ALSO:
        forget()

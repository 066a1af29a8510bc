"""Checks for option values: each returns the value to use or raises `Trouble`."""

from collections.abc import Callable
from typing import Any

from engine.core.expr.functions_number import need_number
from engine.core.expr.functions_text import need_text, need_whole
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import shown


def anything(value: Any) -> Any:
    """Any value."""
    return value


def text(name: str) -> Callable[[Any], str]:
    """A text."""
    return lambda value: need_text(value, f"`{name}`")


def number(name: str) -> Callable[[Any], int | float]:
    """A number."""
    return lambda value: need_number(value, f"`{name}`")


def whole(name: str, least: int | None = None, most: int | None = None) -> Callable[[Any], int]:
    """A whole number within bounds."""

    def check(value: Any) -> int:
        found = need_whole(value, f"`{name}`")
        if (least is not None and found < least) or (most is not None and found > most):
            bounds = f"at least {least}" if most is None else f"from {least} to {most}"
            raise Trouble("wrong_value", f"`{name}` must be {bounds}, not {shown(found)}")
        return found

    return check


def array(name: str) -> Callable[[Any], list[Any]]:
    """An array."""

    def check(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Trouble("wrong_type", f"`{name}` must be an array, not {shown(value)}")
        return value

    return check

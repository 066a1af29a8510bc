"""Functions over numbers. Null goes through; results are finite and bounded."""

import math
import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from engine.core.expr.functions_text import need_whole
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import bounded, is_number, ordered, shown, type_name

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DECIMALS = 15


def need_number(value: Any, name: str) -> int | float:
    """The value, which must be a number; raises `Trouble` otherwise."""
    if type(value) is int or type(value) is float:
        return value
    hint = "convert the text with `number(...)`" if isinstance(value, str) else ""
    raise Trouble("wrong_type", f"{name} needs a number, not {shown(value)}", hint)


def number(value: Any) -> int | float | None:
    """The number that a text holds, written as in JSON; blanks round it are allowed."""
    if value is None or is_number(value):
        return value  # type: ignore[no-any-return]
    if not isinstance(value, str) or not _NUMBER.fullmatch(text := value.strip()):
        raise Trouble("wrong_value", f"`number` cannot read {shown(value)}")
    if text.lstrip("-").isdigit():
        return _integer(text)
    result = float(text)
    if not math.isfinite(result):
        raise Trouble("number_too_large", f"the number {shown(value)} is too large")
    return result


def _integer(text: str) -> int:
    if len(text) > 4_000:  # Python itself refuses a little later
        raise Trouble("number_too_large", "the number has more than 4,000 digits")
    return int(text)


def numbers_of(value: Any, name: str) -> list[int | float]:
    """The numbers of an array without its nulls; raises `Trouble` for other elements."""
    return [need_number(each, name) for each in present(value, name)]


def present(value: Any, name: str) -> list[Any]:
    """The elements of an array that are not null; raises `Trouble` for no array."""
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        hint = "for the elements of an array in an object write `$.items[*].price`"
        raise Trouble("wrong_type", f"{name} needs an array, not {type_name(value)}", hint)
    return [each for each in value if each is not None]


def total(value: Any) -> int | float:
    """The sum; exact for whole numbers, correctly rounded for others."""
    return _add(numbers_of(value, "`sum`"))


def average(value: Any) -> int | float | None:
    """The mean, or null for no numbers."""
    found = numbers_of(value, "`avg`")
    if not found:
        return None
    mean = _add(found) / len(found)
    return int(mean) if all(type(each) is int for each in found) and mean.is_integer() else mean


def _add(found: Sequence[int | float]) -> int | float:
    if all(type(each) is int for each in found):
        return bounded(sum(found))
    return bounded(math.fsum(found))


def smallest(*values: Any) -> Any:
    """The smallest of an array, or of the arguments; null for none."""
    return _best(values, "`min`", ordered("<"))


def largest(*values: Any) -> Any:
    """The largest of an array, or of the arguments; null for none."""
    return _best(values, "`max`", ordered(">"))


def _best(values: Sequence[Any], name: str, wins: Callable[[Any, Any], bool]) -> Any:
    found = present(values[0] if len(values) == 1 else values, name)
    best = None
    for each in found:
        if best is None or wins(each, best):
            best = each
    if len(found) == 1:
        wins(best, best)  # a single boolean has no order either
    return best


def rounded(value: Any, decimals: Any = 0) -> int | float | None:
    """Rounded half away from zero, as people do it; a whole number for 0 decimals."""
    if value is None:
        return None
    places = need_whole(decimals, "`round`")
    if not 0 <= places <= _DECIMALS:
        raise Trouble("wrong_value", f"`round` keeps 0 to {_DECIMALS} decimals, not {places}")
    exact = need_number(value, "`round`")
    if type(exact) is int:
        return exact
    if abs(exact) >= 1e15:
        return int(bounded(exact)) if places == 0 else exact
    shifted = Decimal(repr(exact)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return int(shifted) if places == 0 else float(shifted)


def floor(value: Any) -> int | None:
    """The largest whole number that is not above."""
    return None if value is None else math.floor(bounded(need_number(value, "`floor`")))


def ceil(value: Any) -> int | None:
    """The smallest whole number that is not below."""
    return None if value is None else math.ceil(bounded(need_number(value, "`ceil`")))


def absolute(value: Any) -> int | float | None:
    """Without the sign."""
    return None if value is None else abs(need_number(value, "`abs`"))

"""The fixed table of functions. They are pure; there is no other way to call anything.

A missing value (null) goes through most functions as null or as empty, so that paths need not
be guarded one by one. Each function costs steps by the size of what it reads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from engine.core.expr import functions_array as arrays
from engine.core.expr import functions_number as numbers
from engine.core.expr import functions_text as texts
from engine.core.expr.limits import Budget
from engine.core.expr.measure import breadth
from engine.core.expr.values import to_json, to_text, type_name

MANY = 32
"""How many arguments a function of any number of arguments may take."""


Charge = Callable[[Budget, Sequence[Any]], None]
"""Takes the steps for the arguments of a call."""


def _free(_: Budget, __: Sequence[Any]) -> None:
    """For what takes the same time whatever it is given."""


def _elements(budget: Budget, values: Sequence[Any]) -> None:
    """For what looks at the elements or characters of its arguments."""
    budget.spend(sum(map(breadth, values)))


def _everything(budget: Budget, values: Sequence[Any]) -> None:
    """For what looks at everything inside its arguments."""
    for value in values:
        budget.spend_all(value)


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how it is written, how many arguments it takes, what it does and costs."""

    usage: str
    about: str
    least: int
    most: int
    run: Callable[..., Any]
    charge: Charge = _elements


def _default(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _string(*values: Any) -> str:
    return texts.joined(map(to_text, values))


def _has(*_: Any) -> bool:  # the compiler looks at the path itself
    raise AssertionError


_ALL = (
    Function("default(x, d)", "x, or d when x is null", 2, 2, _default, _free),
    Function("has(a.b)", "whether the member is there, even when it is null", 1, 1, _has, _free),
    Function(
        "type(x)",
        "`null`, `boolean`, `number`, `text`, `array`, `object`",
        1,
        1,
        type_name,
        _free,
    ),
    Function("string(x, ...)", "the values as one text", 1, MANY, _string),
    Function("number(x)", "the number a text holds", 1, 1, numbers.number),
    Function("bool(x)", "the boolean that the text `true` or `false` means", 1, 1, texts.boolean),
    Function("toJson(x)", "compact JSON text", 1, 1, to_json),
    Function("fromJson(x)", "the value a JSON text holds", 1, 1, texts.from_json),
    Function("size(x)", "characters, elements or fields; 0 for null", 1, 1, arrays.size, _free),
    Function("length(x)", "the same as `size(x)`", 1, 1, arrays.size, _free),
    Function("upper(x)", "in capitals", 1, 1, texts.upper),
    Function("lower(x)", "in small letters", 1, 1, texts.lower),
    Function("trim(x)", "without blanks at both ends", 1, 1, texts.trim),
    Function("split(x, ',')", "the parts of a text", 2, 2, texts.split),
    Function("join(x, ', ')", "the elements as one text", 1, 2, texts.join),
    Function("replace(x, 'a', 'b')", "every `a` becomes `b`", 3, 3, texts.replace),
    Function("substring(x, 0, 3)", "from a start, that many characters", 2, 3, texts.substring),
    Function("startsWith(x, 'a')", "whether a text begins so", 2, 2, texts.starts_with),
    Function("endsWith(x, 'a')", "whether a text ends so", 2, 2, texts.ends_with),
    Function("contains(x, y)", "the same as `y in x`", 2, 2, arrays.contains, _everything),
    Function(
        "matches(x, 'a+')",
        "whether an RE2 pattern is found in a text",
        2,
        2,
        texts.matches,
        texts.charge_match,
    ),
    Function("keys(x)", "the names of the fields", 1, 1, arrays.keys),
    Function("values(x)", "the values of the fields", 1, 1, arrays.values),
    Function("merge(a, b)", "one object; the later wins", 1, MANY, arrays.merge),
    Function("first(x)", "the first element, or null", 1, 1, arrays.first, _free),
    Function("last(x)", "the last element, or null", 1, 1, arrays.last, _free),
    Function("reverse(x)", "the elements backwards", 1, 1, arrays.backwards),
    Function("sort(x)", "numbers or texts in order, nulls last", 1, 1, arrays.sort),
    Function("unique(x)", "each value once", 1, 1, arrays.unique, _everything),
    Function("flatten(x)", "arrays inside the array opened by one level", 1, 1, arrays.flatten),
    Function("count(x)", "how many elements are not null", 0, 1, arrays.count),
    Function("sum(x)", "of the numbers in an array; nulls do not count", 1, 1, numbers.total),
    Function("avg(x)", "the mean, or null for none", 1, 1, numbers.average),
    Function("min(x)", "the smallest of an array or of the arguments", 1, MANY, numbers.smallest),
    Function("max(x)", "the largest of an array or of the arguments", 1, MANY, numbers.largest),
    Function("round(x, 2)", "half away from zero; 0 decimals unless told", 1, 2, numbers.rounded),
    Function("floor(x)", "the whole number below", 1, 1, numbers.floor),
    Function("ceil(x)", "the whole number above", 1, 1, numbers.ceil),
    Function("abs(x)", "without the sign", 1, 1, numbers.absolute),
    Function("epoch(x)", "seconds since 1970 of an RFC 3339 time", 1, 1, texts.epoch),
    Function("timestamp(x)", "the RFC 3339 time of seconds since 1970", 1, 1, texts.timestamp),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {function.usage.partition("(")[0]: function for function in _ALL}
)
"""Every function by name."""

"""What the operators mean for JSON values: equality, order, arithmetic, text.

Types are strict: `1 == 1.0`, but `true != 1` and `"1" != 1`. `null` in an ordering comparison
makes it false; two different types have no order. Nothing here looks at Python attributes.
"""

import json
import math
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring
from operator import ge, gt, le, lt
from typing import Any

from engine.core.expr.limits import NUMBER_LIMIT, TEXT_LIMIT, check_text, too_long
from engine.core.expr.measure import least_json
from engine.core.expr.trouble import Trouble

_NAMES: Mapping[type, str] = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "text",
    list: "array",
    dict: "object",
    type(None): "null",
}
_SCALARS = frozenset({str, int, float, type(None)})
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def type_name(value: Any) -> str:
    """`null`, `boolean`, `number`, `text`, `array` or `object`."""
    known = _NAMES.get(type(value))
    if known is not None:
        return known
    if isinstance(value, Mapping):
        return "object"
    return "array" if isinstance(value, list | tuple) else "unknown"


def is_number(value: Any) -> bool:
    """Whether the value is a number; booleans are not."""
    return type(value) is int or type(value) is float


def same(left: Any, right: Any) -> bool:
    """Equality, strict by type at every depth.

    >>> same(1, 1.0), same(True, 1), same([1], [True])
    (True, False, False)
    """
    one, other = type(left), type(right)
    if one in _SCALARS and other in _SCALARS:
        return bool(left == right)
    if one is bool or other is bool:
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return False


def comparable(value: Any) -> Any:
    """A hashable stand-in: two of them are equal exactly when the values are the `same`."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is bool:
        return (bool, value)
    if isinstance(value, Mapping):
        return (dict, frozenset((key, comparable(item)) for key, item in value.items()))
    return (list, tuple(map(comparable, value)))


_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def ordered(op: str) -> Callable[[Any, Any], bool]:
    """The ordering comparison `op` of two values. It raises `Trouble` for mixed types."""
    compare = _ORDER[op]

    def run(left: Any, right: Any) -> bool:
        one, other = type(left), type(right)
        if one is other and (one is int or one is float or one is str):
            return compare(left, right)
        if left is None or right is None:
            return False
        if is_number(left) and is_number(right):
            return compare(left, right)
        raise unordered(left, right)

    return run


def unordered(left: Any, right: Any) -> Trouble:
    """The trouble with putting two values of different types in order."""
    one, other = type_name(left), type_name(right)
    if {one, other} == {"number", "text"}:
        side, text = ("left", left) if one == "text" else ("right", right)
        hint = f"the {side} side is the text {shown(text)}; convert it with `number(...)`"
    elif one == other:
        hint = f"only numbers and texts have an order, not {one} values"
    else:
        hint = "compare two numbers or two texts"
    return Trouble("not_comparable", f"cannot order {_a(one)} and {_a(other)}", hint)


def truth(value: Any, what: str) -> bool:
    """`true` or `false`; null counts as false; raises `Trouble` for everything else."""
    if value is True or value is False:
        return bool(value)
    if value is None:
        return False
    kind = type_name(value)
    if kind == "text":
        hint = f"it is {shown(value)}; compare it (`x == 'yes'`) or convert it with `bool(x)`"
    else:
        hint = "compare it with something, for example `x > 0`, or ask `x != null`"
    raise Trouble("not_boolean", f"{what} must be true or false, not {_a(kind)}", hint)


def contained(item: Any, container: Any) -> bool:
    """`item in container`: an element of an array, a key of an object, a part of a text."""
    if container is None:
        return False
    if isinstance(container, str):
        if item is None:
            return False
        if not isinstance(item, str):
            raise Trouble("wrong_type", f"a text cannot contain {_a(type_name(item))}")
        return item in container
    if isinstance(container, Mapping):
        return isinstance(item, str) and item in container
    if isinstance(container, list | tuple):
        return any(same(item, element) for element in container)
    kind = type_name(container)
    raise Trouble("wrong_type", f"`in` looks into an array, object or text, not {_a(kind)}")


def arithmetic(op: str) -> Callable[[Any, Any], Any]:
    """The operator `op` of two values; raises `Trouble` for wrong types and large results."""
    calculate = _CALCULATE[op]

    def run(left: Any, right: Any) -> Any:
        if is_number(left) and is_number(right):
            return bounded(calculate(left, right))
        if op == "+":
            return _join(left, right)
        raise _no_arithmetic(op, left, right)

    return run


def negative(value: Any) -> Any:
    """`-value`."""
    if not is_number(value):
        raise Trouble("wrong_type", f"`-` needs a number, not {_a(type_name(value))}")
    return bounded(-value)


def bounded(value: int | float) -> int | float:
    """The number itself, if it is finite and within `NUMBER_LIMIT`."""
    if -NUMBER_LIMIT <= value <= NUMBER_LIMIT:
        return value
    raise Trouble("number_too_large", "the result is outside -2^63..2^63")


def _divide(left: Any, right: Any) -> Any:
    if right == 0:
        raise Trouble("division_by_zero", "division by zero", "test the divisor first")
    if type(left) is int and type(right) is int and left % right == 0:
        return left // right
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    # The sign follows the dividend, as in CEL, C and JavaScript; Python's follows the divisor.
    if right == 0:
        raise Trouble("division_by_zero", "division by zero", "test the divisor first")
    if type(left) is int and type(right) is int:
        rest = abs(left) % abs(right)
        return rest if left >= 0 else -rest
    return math.fmod(left, right)


_CALCULATE: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "%": _remainder,
}


def _join(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return check_text(left + right)
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    raise _no_arithmetic("+", left, right)


def _no_arithmetic(op: str, left: Any, right: Any) -> Trouble:
    one, other = type_name(left), type_name(right)
    if "text" in (one, other) and op == "+":
        hint = "make both texts with `string(...)`, or both numbers with `number(...)`"
    elif "null" in (one, other):
        hint = "give missing values a default: `default(x, 0)`"
    else:
        hint = "convert texts with `number(...)`"
    return Trouble("wrong_type", f"`{op}` does not work on {_a(one)} and {_a(other)}", hint)


def to_text(value: Any) -> str:
    """How a value looks inside a text: null is empty, arrays and objects are compact JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is int:
        return str(value)
    return to_json(value)


def to_json(value: Any) -> str:
    """Compact JSON, keys in the order they have."""
    if isinstance(value, str):
        return check_text(encode_basestring(value))
    if type(value) is int:
        return str(value)
    length = least_json(value, TEXT_LIMIT)
    if length > TEXT_LIMIT:
        raise too_long(length)
    return check_text(_encode(value))


def shown(value: Any) -> str:
    """A short form of a value for messages."""
    if least_json(value, _SHOWN) > _SHOWN:
        return f'"{value[:_SHOWN]}..."' if isinstance(value, str) else _a(type_name(value))
    return _encode(value)


_SHOWN = 40


def _a(kind: str) -> str:
    if kind == "null":
        return kind
    return f"an {kind}" if kind[0] in "aou" else f"a {kind}"

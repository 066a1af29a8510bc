"""Functions over arrays and objects. Null is an empty array or object."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from engine.core.expr.trouble import Trouble
from engine.core.expr.values import comparable, contained, is_number, type_name, unordered


def need_array(value: Any, name: str) -> list[Any]:
    """The elements of the value, which must be an array or null."""
    if isinstance(value, list):
        return value
    if value is None:
        return []
    if isinstance(value, tuple):
        return list(value)
    raise Trouble("wrong_type", f"{name} needs an array, not {type_name(value)}")


def need_object(value: Any, name: str) -> Mapping[str, Any]:
    """The value, which must be an object or null."""
    if isinstance(value, Mapping):
        return value
    if value is None:
        return {}
    raise Trouble("wrong_type", f"{name} needs an object, not {type_name(value)}")


def size(value: Any) -> int:
    """Characters of a text, elements of an array, fields of an object; 0 for null."""
    if value is None:
        return 0
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    raise Trouble("wrong_type", f"a {type_name(value)} has no size")


def contains(container: Any, item: Any) -> bool:
    """`item in container`."""
    return contained(item, container)


def keys(value: Any) -> list[str]:
    """The names of the fields."""
    return list(need_object(value, "`keys`"))


def values(value: Any) -> list[Any]:
    """The values of the fields."""
    return list(need_object(value, "`values`").values())


def merge(*objects: Any) -> dict[str, Any]:
    """One object with the fields of all; where names meet, the later wins."""
    merged: dict[str, Any] = {}
    for each in objects:
        merged.update(need_object(each, "`merge`"))
    return merged


def first(value: Any) -> Any:
    """The first element or null."""
    elements = need_array(value, "`first`")
    return elements[0] if elements else None


def last(value: Any) -> Any:
    """The last element or null."""
    elements = need_array(value, "`last`")
    return elements[-1] if elements else None


def backwards(value: Any) -> list[Any]:
    """The elements from last to first."""
    return need_array(value, "`reverse`")[::-1]


def sort(value: Any) -> list[Any]:
    """The elements in order, nulls last; all numbers or all texts."""
    elements = need_array(value, "`sort`")
    return in_order(elements, elements, descending=False)


def in_order(elements: list[Any], keys_: list[Any], *, descending: bool) -> list[Any]:
    """The elements by their keys; equal ones stay as they were, null keys come last.

    Raises `Trouble` where two keys have no order.
    """
    keyed = list(zip(keys_, elements, strict=True))
    known = [pair for pair in keyed if pair[0] is not None]
    _check_order([pair[0] for pair in known])
    known.sort(key=itemgetter(0), reverse=descending)
    return [pair[1] for pair in known] + [pair[1] for pair in keyed if pair[0] is None]


def _check_order(keys_: list[Any]) -> None:
    if not keys_:
        return
    start = keys_[0]
    for key in keys_:
        if not (
            (isinstance(key, str) and isinstance(start, str))
            or (is_number(key) and is_number(start))
        ):
            raise unordered(start, key)


def unique(value: Any) -> list[Any]:
    """Each value once, where it was first."""
    found: dict[Any, Any] = {}
    for each in need_array(value, "`unique`"):
        found.setdefault(comparable(each), each)
    return list(found.values())


def flatten(value: Any) -> list[Any]:
    """The elements, those of arrays inside opened by one level."""
    found: list[Any] = []
    for each in need_array(value, "`flatten`"):
        if isinstance(each, list):
            found.extend(each)
        else:
            found.append(each)
    return found


def count(*values_: Any) -> int:
    """How many elements are not null. `count()` has a meaning only in an aggregation."""
    if not values_:
        hint = "write `count(x)`; only in `aggregate` and `groupBy` it counts the elements"
        raise Trouble("wrong_value", "`count()` of what?", hint)
    return sum(1 for each in need_array(values_[0], "`count`") if each is not None)

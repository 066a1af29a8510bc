"""How large a value is, counted no further than somebody cares.

Values are passed by reference, so a small value in memory may stand for a huge one as JSON:
`[x, x]` of `[x, x]` of ... doubles with each level. Nothing that walks or writes a whole value
may do so before it has been measured here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

CHARACTERS_A_STEP = 64

_CONTAINERS = (list, dict, tuple, Mapping)


def is_container(value: Any) -> bool:
    """Whether other values are inside."""
    return isinstance(value, _CONTAINERS)


def below(value: Any) -> Iterable[Any]:
    """The values directly inside an array or object; none for all else."""
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def breadth(value: Any) -> int:
    """Steps for looking at each element of a value once, or at 64 characters of a text."""
    kind = type(value)
    if kind is str:
        return len(value) // CHARACTERS_A_STEP
    return len(value) if kind is list or kind is dict else 0


def extent(value: Any, most: int) -> int:
    """How many JSON values a value stands for, itself included; more than `most` is not counted.

    >>> extent({"a": [1, 2]}, 100), extent([[1, 2]] * 1000, 100)
    (4, 1001)
    """
    total, level = 1, [value] if is_container(value) else []
    while level:
        deeper = []
        for container in level:
            total += len(container)
            if total > most:
                return total
            for child in below(container):
                if child.__class__ is dict or child.__class__ is list:
                    deeper.append(child)
        level = deeper
    return total


def depth(value: Any, most: int) -> int:
    """How deep arrays and objects nest; deeper than `most` is not looked.

    Each container is looked at once, however often it is referred to on one level.
    """
    levels, level = 0, [value] if is_container(value) else []
    while level and levels <= most:
        levels += 1
        deeper = {
            id(child): child for each in level for child in below(each) if is_container(child)
        }
        level = list(deeper.values())
    return levels


def least_json(value: Any, most: int) -> int:
    """Characters that the value has as JSON at least; more than `most` are not counted."""
    total, todo = 0, [value]
    while todo and total <= most:
        each = todo.pop()
        total += 1
        kind = type(each)
        if kind is bool or kind is int or each is None:
            continue
        if isinstance(each, str):
            total += len(each)
        elif kind is dict or isinstance(each, Mapping):
            total += sum(map(len, each)) + len(each)
            todo.extend(each.values())
        elif isinstance(each, list | tuple):
            total += len(each)
            if total <= most:
                todo.extend(each)
    return total

"""Values: dataclasses that nobody may change, without paying for it each time one is made.

A frozen dataclass checks every assignment, its own constructor's too, so that making one takes
four times as long; some of ours are made many times for every step of every run. `@value` has
the type checker refuse the assignment instead. Elsewhere a frozen dataclass is the right thing.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """Make `cls` a dataclass with slots, equal and hashed by its fields.

    >>> @value
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1) == Point(1, 0), len({Point(1), Point(1)})
    (True, 1)
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)

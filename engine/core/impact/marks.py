"""Sets of numbers as one byte each, put together as fast as memory can be read."""

from collections.abc import Iterable


def marked(size: int, numbers: Iterable[int]) -> bytes:
    """A 1 for each of the numbers.

    >>> marked(3, [2])
    b'\\x00\\x00\\x01'
    """
    marks = bytearray(size)
    for number in numbers:
        marks[number] = 1
    return bytes(marks)


def either(some: bytes, others: bytes) -> bytes:
    """What is in one of them or in both."""
    return (_number(some) | _number(others)).to_bytes(len(some), "little")


def both(some: bytes, others: bytes) -> bytes:
    """What is in both of them."""
    return (_number(some) & _number(others)).to_bytes(len(some), "little")


def without(some: bytes, others: bytes) -> bytes:
    """What is in the first and not in the second."""
    return (_number(some) & ~_number(others)).to_bytes(len(some), "little")


def _number(marks: bytes) -> int:
    return int.from_bytes(marks, "little")

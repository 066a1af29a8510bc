"""One statement for many rows: `values (...), (...), ...`.

A statement of its own for every row costs a message to the server; an insert of plain values can
take many at once. Only a few lengths are used, so that few statements have to be prepared.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain, count
from typing import Any

LENGTHS = (64, 16, 4, 1)

_PLAIN = re.compile(r"(insert\s+into\s+\w+\s*\([^)]*\)\s*values\s*)(\([^()]*\))", re.IGNORECASE)

_NUMBER = re.compile(r"\$\d+")

Rows = list[tuple[Any, ...]]


@cache
def repeated(text: str, times: int) -> str:
    """An insert for `times` rows; empty when it is no insert of plain values and nothing else.

    >>> repeated("insert into t (a, b) values ($1, $2)", 2)
    'insert into t (a, b) values ($1, $2), ($3, $4)'
    >>> repeated("insert into t (a) values ($1) on conflict do nothing", 2)
    ''
    """
    found = _PLAIN.fullmatch(text)
    if not found:
        return ""
    numbers = count(1)
    groups = ", ".join([found[2]] * times)
    return found[1] + _NUMBER.sub(lambda _: f"${next(numbers)}", groups)


def together(text: str, rows: Rows) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Statements with their parameters that do the same as `text` for each of the rows."""
    start = 0
    for length in LENGTHS:
        while len(rows) - start >= length:
            values = rows[start] if length == 1 else (*chain(*rows[start : start + length]),)
            yield repeated(text, length), values
            start += length

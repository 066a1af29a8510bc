"""One statement of PostgreSQL for many rows: parameters become columns, `unnest` makes rows.

A statement of its own for every row costs a message to the server, and work on both sides. Here
each parameter becomes an array that goes over the wire in PostgreSQL's binary form, so that the
cost of a statement is paid once. The types are those of the values. What has columns of mixed
types, or a form that is not known here, is carried out row by row.

That the rows cannot notice each other is the promise of `bulk.py`: no two have one owner.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from struct import Struct
from typing import Any

from psycopg.adapt import Dumper
from psycopg.pq import Format

_INSERT = re.compile(
    r"(insert\s+into\s+\w+\s*\([^()]*\)\s*)values\s*\(([^()]*)\)(\s*on\s+conflict\b[^$]*)?",
    re.IGNORECASE,
)
_UPDATE = re.compile(r"(update\s+\w+\s+set\s.*)(\bwhere\s.*)", re.IGNORECASE | re.DOTALL)
_DELETE = re.compile(r"(delete\s+from\s+\w+\s+)(where\s.*)", re.IGNORECASE | re.DOTALL)
_NESTED = re.compile(r"\(\s*select\b|\breturning\b", re.IGNORECASE)
_NUMBER = re.compile(r"\$(\d+)")
_HEAD = Struct("!iIIii").pack
_LENGTH = Struct("!i").pack
_INTEGER = Struct("!q").pack
_EIGHT, _NULL = _LENGTH(8), _LENGTH(-1)

Rows = Sequence[tuple[Any, ...]]


class Column(bytes):
    """An array in PostgreSQL's binary form."""


class Integers(Column):
    """An array of bigint."""


class Texts(Column):
    """An array of text."""


class Blobs(Column):
    """An array of bytea."""


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> bytes:
        return obj


class IntegersDumper(_ColumnDumper):
    """Sends an array of bigint."""

    oid = 1016


class TextsDumper(_ColumnDumper):
    """Sends an array of text."""

    oid = 1009


class BlobsDumper(_ColumnDumper):
    """Sends an array of bytea."""

    oid = 1001


DUMPERS: Sequence[tuple[type[Column], type[Dumper]]] = (
    (Integers, IntegersDumper),
    (Texts, TextsDumper),
    (Blobs, BlobsDumper),
)
"""What a connection has to know before columns can be its parameters."""


def together(text: str, rows: Rows) -> tuple[str, tuple[Column, ...]] | None:
    """One statement with its parameters that does what `text` does for each of the rows.

    None when there is none. Raises UnicodeEncodeError or struct.error for what no database takes.
    """
    types: list[str] = []
    columns: list[Column] = []
    for values in zip(*rows, strict=True):
        found = _column(values)
        if found is None:
            return None
        type_, column = found
        types.append(type_)
        if type_:
            columns.append(column)
    folded = _folded(text, tuple(types))
    return (folded, tuple(columns)) if folded else None


# -- columns ----------------------------------------------------------------------------------


def _column(values: tuple[Any, ...]) -> tuple[str, Column] | None:
    """The type of a column and its array; without a type where every value is null."""
    kinds = set(map(type, values))
    nulls = type(None) in kinds
    kinds.discard(type(None))
    if not kinds:
        return "", Column()
    kind = kinds.pop()
    if kinds or kind not in _FORMS:
        return None
    name, oid, made, items = _FORMS[kind]
    head, length = _HEAD(1, nulls, oid, len(values), 1), len(values)
    if values.count(values[0]) == length:
        return name, made(head + items(values[:1]) * length)
    if not nulls:
        return name, made(head + items(values))
    return name, made(head + b"".join(_NULL if v is None else items((v,)) for v in values))


def _integers(values: Sequence[int]) -> bytes:
    return _EIGHT + _EIGHT.join(map(_INTEGER, values))


def _texts(values: Sequence[str]) -> bytes:
    return _blobs(tuple(map(str.encode, values)))


def _blobs(values: Sequence[bytes]) -> bytes:
    before = {length: _LENGTH(length) for length in set(map(len, values))}
    if len(before) == 1:
        (same,) = before.values()
        return same + same.join(values)
    return b"".join([before[len(value)] + value for value in values])


_FORMS: dict[type[Any], tuple[str, int, type[Column], Callable[[Any], bytes]]] = {
    int: ("bigint", 20, Integers, _integers),
    str: ("text", 25, Texts, _texts),
    bytes: ("bytea", 17, Blobs, _blobs),
}
"""By the type of the values: the type and its number, the array, and how its items are made."""


# -- statements -------------------------------------------------------------------------------


@cache
def _folded(text: str, types: tuple[str, ...]) -> str:
    """A statement over columns of these types; empty when its form is not known.

    >>> _folded("insert into t (a, b) values ($1, $2)", ("bigint", "text"))
    'insert into t (a, b) select v.p1, v.p2 from unnest($1::bigint[], $2::text[]) as v (p1, p2)'
    >>> _folded("delete from t where a = $1", ("bigint",))
    'delete from t using unnest($1::bigint[]) as v (p1) where a = v.p1'
    >>> _folded("update t set b = $1 where a = $2", ("", "bigint"))
    'update t set b = null from unnest($1::bigint[]) as v (p1) where a = v.p1'
    >>> _folded("update t set b = $1 where a in (select a from u)", ("bigint",))
    ''
    """
    if _NESTED.search(text):
        return ""
    numbers = count(1)
    names = [f"v.p{next(numbers)}" if type_ else "null" for type_ in types]
    real = [type_ for type_ in types if type_]
    arrays = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(real, 1))
    fields = ", ".join(f"p{number}" for number, _ in enumerate(real, 1))
    rows = f"unnest({arrays}) as v ({fields})"

    def named(part: str) -> str:
        return _NUMBER.sub(lambda found: names[int(found[1]) - 1], part)

    if found := _INSERT.fullmatch(text):
        ending = found[3] or ""
        return f"{found[1]}select {named(found[2])} from {rows}{ending}"  # noqa: S608 - ours
    for form, word in ((_UPDATE, "from"), (_DELETE, "using")):
        if real and (found := form.fullmatch(text)):
            return f"{named(found[1]).rstrip()} {word} {rows} {named(found[2])}"
    return ""

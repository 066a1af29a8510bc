"""Many writes in few statements: what may be carried out together, and in which order.

Writes of one statement are gathered into one `executemany`. A write may join an earlier gather
of its statement only if nothing that was gathered since could notice: that is so when they
touch different tables, or when both promise (`by`, see `dialect.py`) to touch the rows of one
owner only and their owners differ. Otherwise it begins a new gather at the end. So the result is
always that of carrying the writes out one by one.

No two writes of one gather have the same owner, so a driver may carry a gather out as one
statement, in any order.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.core.log import Param
from engine.store.dialect import Statement

Execute = Callable[[Statement, list[tuple[Param, ...]]], Any]
"""Carries out one statement for many rows of parameters."""


@dataclass(slots=True)
class Bound:
    """A write whose parameters are in their places. `owner` is the value that `by` names."""

    statement: Statement
    row: tuple[Param, ...]
    owner: Param


@dataclass(slots=True)
class _Gather:
    statement: Statement
    rows: list[tuple[Param, ...]] = field(default_factory=list)
    owners: set[Param] = field(default_factory=set)

    def has(self, owner: Param) -> bool:
        """Whether an earlier write concerns the same owner."""
        return owner is not None and owner in self.owners

    def notices(self, bound: Bound) -> bool:
        """Whether it makes a difference which of the two comes first."""
        statement = bound.statement
        if self.statement.tables.isdisjoint(statement.tables):
            return False
        if statement.owner is None or self.statement.owner is None:
            return True
        return bound.owner in self.owners


class Bulk:
    """Writes that are waiting to be carried out."""

    def __init__(self) -> None:
        self._gathers: list[_Gather] = []

    def add(self, bound: Bound) -> None:
        """Put one more write at the end."""
        gather = self._place(bound)
        gather.rows.append(bound.row)
        gather.owners.add(bound.owner)

    def _place(self, bound: Bound) -> _Gather:
        for gather in reversed(self._gathers):
            if gather.statement is bound.statement and not gather.has(bound.owner):
                return gather
            if gather.notices(bound):
                break
        self._gathers.append(fresh := _Gather(bound.statement))
        return fresh

    def carry_out(self, execute: Execute, tables: Iterable[str] | None = None) -> None:
        """Carry everything out; or only what concerns `tables`, with what must come before it."""
        gathers, self._gathers = self._gathers, []
        if tables is not None:
            gathers, self._gathers = _parted(gathers, tables)
        for gather in gathers:
            execute(gather.statement, gather.rows)


def _parted(gathers: list[_Gather], tables: Iterable[str]) -> tuple[list[_Gather], list[_Gather]]:
    """What concerns `tables` or stands before such a thing in a table of its own; and the rest."""
    wanted, now, later = set(tables), deque[_Gather](), deque[_Gather]()
    for gather in reversed(gathers):
        if gather.statement.tables.isdisjoint(wanted):
            later.appendleft(gather)
        else:
            wanted |= gather.statement.tables
            now.appendleft(gather)
    return list(now), list(later)

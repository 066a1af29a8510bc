"""Many writes in few statements: what may be carried out together, and in which order.

Writes of one statement are gathered into one `executemany`. A write may join an earlier gather
of its statement only if nothing that was gathered since could notice: that is so when they
touch different tables, or when both promise (`by`, see `dialect.py`) to touch the rows of one
owner only and their owners differ. Otherwise it begins a new gather at the end. So the result is
always that of carrying the writes out one by one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.core.log import Param, Write
from engine.store.dialect import Statement

Execute = Callable[[str, list[tuple[Param, ...]]], Any]
"""Carries out one statement for many rows of parameters."""


@dataclass(slots=True)
class _Gather:
    statement: Statement
    rows: list[tuple[Param, ...]] = field(default_factory=list)
    owners: set[Param] = field(default_factory=set)


class Bulk:
    """Writes that are waiting to be carried out."""

    def __init__(self) -> None:
        self._gathers: list[_Gather] = []

    def add(self, statement: Statement, write: Write) -> None:
        """Put one more write at the end; raises TypeError for wrong parameters."""
        row = statement.bind(write.params)
        owner = write.params[statement.owner] if statement.owner else None
        gather = self._place(statement, owner)
        gather.rows.append(row)
        gather.owners.add(owner)

    def _place(self, statement: Statement, owner: Param) -> _Gather:
        for gather in reversed(self._gathers):
            if gather.statement is statement:
                return gather
            if _notices(gather, statement, owner):
                break
        self._gathers.append(fresh := _Gather(statement))
        return fresh

    def touches(self, tables: Iterable[str]) -> bool:
        """Whether a write that waits concerns one of these tables."""
        wanted = set(tables)
        return any(wanted.intersection(gather.statement.tables) for gather in self._gathers)

    def carry_out(self, execute: Execute) -> None:
        """Carry everything out, and be empty again."""
        gathers, self._gathers = self._gathers, []
        for gather in gathers:
            execute(gather.statement.text, gather.rows)


def _notices(gather: _Gather, statement: Statement, owner: Param) -> bool:
    if not any(table in gather.statement.tables for table in statement.tables):
        return False
    if statement.owner is None or gather.statement.owner is None:
        return True
    return owner in gather.owners

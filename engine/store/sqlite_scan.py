"""The journal in a SQLite file read page by page, over a connection of its own.

Processes that are started to read it import this and little else: half of what they cost is what
they import. What is damaged is read as far as it goes; what is wrong with it is said elsewhere.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.store.connection import PATIENCE, connect, judged, undecodable, unmade
from engine.store.dialect import SQLITE, Statement, statements

_DAMAGED = {"journal_lines": "journal_lines_damaged"}


def scan_file(path: Path, statement: Statement, most: int, after: int) -> Iterator[Sequence[Any]]:
    """The rows behind a position, at most so many a page, by a read that takes `after` and `limit`
    and gives positions first; raises StoreError."""
    with closing(connect(path, PATIENCE)) as db:
        while page := _page(db, statement, {"after": after, "limit": most}):
            yield page
            after = page[-1][0]


def _page(db: sqlite3.Connection, statement: Statement, params: Mapping[str, int]) -> list[Any]:
    values = statement.bind(params)
    try:
        try:
            return db.execute(statement.text, values).fetchall()
        except sqlite3.OperationalError as error:
            if not (undecodable(error) or unmade(error)):
                raise
            db.text_factory = _any_text  # slower, but it comes as far as the damage
            return db.execute(_damaged(statement).text, values).fetchall()
    except sqlite3.Error as error:
        raise judged(error) from error


def _damaged(statement: Statement) -> Statement:
    """The statement that reads what this one reads, where somebody put a blob for a text."""
    return statements(SQLITE)[_DAMAGED.get(statement.name, statement.name)]


def _any_text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")

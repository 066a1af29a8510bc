"""An apsw connection that looks like the sqlite3 connection which the store writes with.

Just as much of it as the store uses. Errors become sqlite3's, with SQLite's own codes, so that
the store judges them as it judges real ones.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import apsw


class Rows:
    """The answer to a statement, all of it."""

    def __init__(self, names: Any, rows: list[tuple[Any, ...]]) -> None:
        self.description = names
        self._rows = iter(rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class Bridge:
    """A connection to the file `name` on the file system `vfs`.

    `before` is called with the text of every statement, which it may change, and with `close`.
    """

    def __init__(self, name: str, vfs: str, before: Callable[[str], str] = str) -> None:
        self._before = before
        self._db = _translated(lambda: apsw.Connection(name, vfs=vfs))
        # Without it SQLite wants memory that is shared between processes, which apsw cannot give.
        self.execute("pragma locking_mode = exclusive")

    @property
    def in_transaction(self) -> bool:
        return bool(self._db.in_transaction)

    def execute(self, text: str, values: Sequence[Any] = ()) -> Rows:
        text = self._before(text)
        answer: Rows = _translated(lambda: self._carried_out(text, values))
        return answer

    def _carried_out(self, text: str, values: Sequence[Any]) -> Rows:
        cursor = self._db.execute(text, values)
        names = None
        with suppress(apsw.ExecutionCompleteError):
            names = [(name,) for name, _ in cursor.get_description()]
        return Rows(names, cursor.fetchall())

    def executemany(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        _translated(lambda: self._db.executemany(text, rows).fetchall())

    def close(self) -> None:
        self._before("close")
        with suppress(apsw.Error):
            self._db.close(True)


def _translated(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except apsw.Error as error:
        code: int = getattr(error, "extendedresult", apsw.SQLITE_IOERR)
        translated = sqlite3.OperationalError(str(error))
        translated.sqlite_errorcode = code
        translated.sqlite_errorname = str(apsw.mapping_result_codes[code & 0xFF])
        raise translated from error

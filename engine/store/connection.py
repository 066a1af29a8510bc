"""Connections to a SQLite file: how they are opened, and what their errors mean.

WAL with full sync: what was acknowledged survives a power cut. No connection ever checkpoints
by itself. An error is told from another by SQLite's own code, never by its text.
"""

import errno
import os
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from engine.core.errors import Refused
from engine.core.log import Row
from engine.store.errors import StoreError, trouble

CODES: Mapping[int, str] = MappingProxyType(
    {
        sqlite3.SQLITE_FULL: "database_full",
        sqlite3.SQLITE_READONLY: "database_read_only",
        sqlite3.SQLITE_PERM: "database_read_only",
        sqlite3.SQLITE_CANTOPEN: "database_io",
        sqlite3.SQLITE_IOERR: "database_io",
        sqlite3.SQLITE_NOMEM: "database_io",
        sqlite3.SQLITE_INTERRUPT: "database_io",
        sqlite3.SQLITE_BUSY: "database_locked",
        sqlite3.SQLITE_LOCKED: "database_locked",
        sqlite3.SQLITE_PROTOCOL: "database_locked",
        sqlite3.SQLITE_CORRUPT: "database_corrupt",
        sqlite3.SQLITE_NOTADB: "database_foreign",
    }
)
"""The conditions of a database that any statement may meet. Every other code is a statement's
own fault, or that of its parameters: `database_rule`."""

SYSTEM_CODES: Mapping[str, str] = MappingProxyType(
    {
        "ENOSPC": "database_full",
        "EDQUOT": "database_full",
        "EACCES": "database_read_only",
        "EPERM": "database_read_only",
        "EROFS": "database_read_only",
    }
)
"""What the operating system says of the files round a database; the rest is `database_io`."""

MAGIC = b"SQLite format 3\0"

LET_GO = "pragma shrink_memory"
CURSORS = 250
"""That are made at least before Python forgets those that are gone: it does after 200."""

PATIENCE = 5.0
"""Seconds to wait for another process's transaction."""

PRAGMAS = (
    "pragma synchronous = full",
    "pragma wal_autocheckpoint = 0",
    "pragma foreign_keys = on",
    "pragma trusted_schema = off",
    "pragma cache_size = -16000",
)


def connect(
    path: Path, patience: float, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """A connection that has not touched the file yet, made by `factory`.

    `patience` bounds how long a statement waits for other processes, in seconds.
    """
    return sqlite3.connect(
        path, patience, isolation_level=None, check_same_thread=False, factory=factory
    )


def create(path: Path) -> None:
    """Make the file, for its owner's eyes only, if there is none; SQLite's own follow its mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def refuse_strangers(path: Path, *, ours: bool) -> None:
    """Raise StoreError for a file that is no SQLite database, before anything touches it.

    `ours` says that Handrail has had the file open before: then it is not foreign but damaged.
    """
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start not in (b"", MAGIC):
        raise trouble("database_corrupt" if ours else "database_foreign")


def tune(db: sqlite3.Connection) -> None:
    """Set up a connection that writes; the file is known to be ours."""
    (mode,) = db.execute("pragma journal_mode = wal").fetchone()
    if mode != "wal":
        raise trouble("database_io", "its folder allows no write-ahead log")
    for pragma in PRAGMAS:
        db.execute(pragma)
    if sys.platform == "darwin":
        db.execute("pragma fullfsync = 1")


def fold(db: sqlite3.Connection) -> bool:
    """Bring the log file back into the database; False when a reader still needs a part of it.

    The caller holds the turn. Nobody is waited for: a writer that waits is a database that waits.
    The next transaction writes the log from its beginning.
    """
    busy, pages, folded = db.execute("pragma wal_checkpoint(passive)").fetchone()
    return not busy and pages == folded


def rest(db: sqlite3.Connection) -> None:
    """Let go of the pages of a connection, and of its cursors.

    Python keeps a note of each cursor that there was, and looks through them only when some two
    hundred have come together. Notes of long ago lie anywhere.
    """
    db.execute(LET_GO)
    for _ in range(CURSORS):
        db.cursor()


def rows_of(cursor: sqlite3.Cursor) -> list[Row]:
    """The rows of a cursor by column name."""
    if cursor.description is None:
        return []
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def outside(error: BaseException) -> bool:
    """Whether the database itself is in trouble, so that every other request would meet it too."""
    if isinstance(error, sqlite3.Error):
        return _code(error) in CODES
    return isinstance(error, OSError | StoreError)


def judged(error: BaseException) -> BaseException:
    """The typed error for what the database raised; a new one for every caller.

    What is neither the database's nor the system's comes back as it is: it is a bug.
    """
    if isinstance(error, Refused):
        again = (error.code, error.message, error.hint)
        return type(error)(*again, move=error.move, details=error.details)
    if isinstance(error, sqlite3.Error):
        return trouble(_name(error), getattr(error, "sqlite_errorname", ""))
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return trouble("database_value", str(error))
    if isinstance(error, OSError):
        name = errno.errorcode.get(error.errno or 0, "")
        return trouble(SYSTEM_CODES.get(name, "database_io"), error.strerror or "")
    return error


def undecodable(error: sqlite3.Error) -> bool:
    """Whether the driver could not read a text that is in the file: it is not UTF-8."""
    return isinstance(error, sqlite3.OperationalError) and not _code(error)


def unmade(error: sqlite3.Error) -> bool:
    """Whether SQLite could not make of a value in the file what it was asked for."""
    return isinstance(error, sqlite3.OperationalError) and _code(error) == sqlite3.SQLITE_ERROR


def _name(error: sqlite3.Error) -> str:
    if undecodable(error):
        return "database_corrupt"
    return CODES.get(_code(error), "database_rule")


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code; 0 for what the driver found wrong by itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF

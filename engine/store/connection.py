"""Connections to a SQLite file: how they are opened, and what their errors mean.

WAL with full sync: what was acknowledged survives a power cut. No connection ever checkpoints
by itself. An error is told from another by SQLite's own code, never by its text.
"""

import os
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.core.errors import Refused
from engine.core.log import Row
from engine.store.errors import trouble

CODES: Mapping[int, str] = MappingProxyType(
    {
        sqlite3.SQLITE_FULL: "database_full",
        sqlite3.SQLITE_READONLY: "database_read_only",
        sqlite3.SQLITE_PERM: "database_read_only",
        sqlite3.SQLITE_CANTOPEN: "database_io",
        sqlite3.SQLITE_BUSY: "database_locked",
        sqlite3.SQLITE_LOCKED: "database_locked",
        sqlite3.SQLITE_CORRUPT: "database_corrupt",
        sqlite3.SQLITE_NOTADB: "database_foreign",
        sqlite3.SQLITE_IOERR: "database_io",
        sqlite3.SQLITE_CONSTRAINT: "database_rule",
    }
)

PRAGMAS = (
    "pragma synchronous = full",
    "pragma wal_autocheckpoint = 0",
    "pragma foreign_keys = on",
    "pragma trusted_schema = off",
    "pragma cache_size = -16000",
)


def connect(path: Path, patience: float) -> sqlite3.Connection:
    """A connection that writes; `patience` bounds how long it waits for others, in seconds."""
    fresh = not path.exists()
    if fresh:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = sqlite3.connect(path, patience, isolation_level=None, check_same_thread=False)
    db.execute("pragma journal_mode = wal")
    for pragma in PRAGMAS:
        db.execute(pragma)
    if sys.platform == "darwin":
        db.execute("pragma fullfsync = 1")
    return db


def fold(db: sqlite3.Connection) -> None:
    """Bring the log file back into the database; the caller holds the turn."""
    db.execute("pragma wal_checkpoint(truncate)").fetchall()


def rows_of(cursor: Any) -> list[Row]:
    """The rows of a cursor by column name."""
    if cursor.description is None:
        return []
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def judged(error: BaseException) -> BaseException:
    """The typed error that a caller shall see for what the database raised."""
    if isinstance(error, Refused):
        return type(error)(
            error.code, error.message, error.hint, move=error.move, details=error.details
        )
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return trouble(CODES.get(code, "database_io"), getattr(error, "sqlite_errorname", ""))
    if isinstance(error, OSError):
        denied = isinstance(error, PermissionError)
        return trouble("database_read_only" if denied else "database_io", error.strerror or "")
    return error

"""What a database says, and what its callers hear: by code, never by text."""

import errno
import sqlite3

import pytest

from engine.core.codec import CodecError
from engine.core.errors import Move
from engine.store import StoreError
from engine.store.connection import CODES, SYSTEM_CODES, judged, outside
from engine.store.errors import TROUBLES, trouble


def said(code: int) -> sqlite3.OperationalError:
    """An error as the driver raises it."""
    error = sqlite3.OperationalError("words that nobody reads")
    error.sqlite_errorcode, error.sqlite_errorname = code, "SQLITE_X"
    return error


@pytest.mark.parametrize(
    ("error", "code", "ours_alone"),
    [
        (said(sqlite3.SQLITE_FULL), "database_full", False),
        (said(sqlite3.SQLITE_READONLY_DBMOVED), "database_read_only", False),
        (said(sqlite3.SQLITE_BUSY_SNAPSHOT), "database_locked", False),
        (said(sqlite3.SQLITE_IOERR_FSYNC), "database_io", False),
        (said(sqlite3.SQLITE_CORRUPT_INDEX), "database_corrupt", False),
        (said(sqlite3.SQLITE_NOTADB), "database_foreign", False),
        (said(sqlite3.SQLITE_ERROR), "database_rule", True),
        (said(sqlite3.SQLITE_CONSTRAINT_UNIQUE), "database_rule", True),
        (said(sqlite3.SQLITE_TOOBIG), "database_rule", True),
        (sqlite3.OperationalError("not UTF-8"), "database_corrupt", True),
        (sqlite3.ProgrammingError("no such type"), "database_rule", True),
        (OverflowError("too large"), "database_value", True),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "half"), "database_value", True),
        (OSError(errno.ENOSPC, "no space"), "database_full", False),
        (PermissionError(errno.EACCES, "denied"), "database_read_only", False),
        (OSError(errno.EROFS, "read-only"), "database_read_only", False),
        (NotADirectoryError(errno.ENOTDIR, "no"), "database_io", False),
        (OSError("nothing more is known"), "database_io", False),
    ],
    ids=repr,
)
def test_an_error_is_told_by_its_code(error: Exception, code: str, ours_alone: bool) -> None:
    heard = judged(error)
    assert isinstance(heard, StoreError)
    assert (heard.code, outside(error)) == (code, not ours_alone)


@pytest.mark.parametrize(
    "error", [trouble("database_locked"), CodecError("c", "m", move=Move.PERSON)]
)
def test_every_caller_gets_an_equal_error_of_its_own(error: StoreError | CodecError) -> None:
    heard = judged(error)
    assert heard is not error
    assert type(heard) is type(error)
    assert isinstance(heard, StoreError | CodecError)
    assert (heard.code, heard.message, heard.move) == (error.code, error.message, error.move)


def test_what_is_neither_the_databases_nor_the_systems_is_a_bug_and_stays_one() -> None:
    bug = KeyError("x")
    assert judged(bug) is bug
    assert not outside(bug)


def test_every_code_has_words_and_whose_move_it_is() -> None:
    assert {*CODES.values(), *SYSTEM_CODES.values()} <= set(TROUBLES)
    for code in TROUBLES:
        told = trouble(code, "detail")
        assert told.hint
        assert told.message.endswith("(detail)")
        assert told.move in {Move.PERSON, Move.CALLER, Move.ENGINE}

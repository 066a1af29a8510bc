"""The SQLite files that papers lie in: their tables, how they are opened and thrown away."""

import contextlib
import os
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

from engine.store.connection import judged
from engine.store.edges import CREATE as EDGES
from engine.store.errors import StoreError, trouble
from engine.store.neighbours import CREATE as TASK_WORDS
from engine.store.paper_marks import CREATE as MARKS
from engine.store.search import CREATE as SEARCH

DAMAGED = "catalogue_damaged"
"""The code of an error that is mended by reading all documents again."""

_CREATE = """
create table meta (name text primary key, value text not null) without rowid;
create table files (id integer primary key, path blob not null unique, place integer not null,
  mark text not null, problems text not null);
create table documents (id integer primary key, file integer not null, number integer not null,
  kind text not null, namespace text not null, name text not null, hash blob not null,
  value blob not null, lines blob not null, state integer not null);
create index documents_by_name on documents (kind, name, namespace, state);
create index documents_by_file on documents (file);
create index documents_unread on documents (kind, file, number) where state = 0;
create table uses (kind text not null, name text not null, document integer not null,
  primary key (kind, name, document)) without rowid;
create index uses_by_document on uses (document);
create table told (path blob not null, number integer not null, document integer not null,
  text text not null, primary key (path, number, document)) without rowid;
create index told_by_document on told (document);
create table tasks (document integer primary key, namespace text not null, name text not null,
  info text not null, labels text not null);
create unique index tasks_by_name on tasks (namespace, name);
create index tasks_by_bare_name on tasks (name);
create table workflows (document integer primary key, namespace text not null,
  name text not null, declared text not null, digest blob not null, effect text not null,
  pending integer not null, shown blob not null, hidden integer not null,
  labels text not null);
create unique index workflows_by_name on workflows (namespace, name, hidden);
create index workflows_by_bare_name on workflows (name);
create table infos (digest blob primary key, info text not null) without rowid;
"""
_SCRIPT = _CREATE + EDGES + MARKS + TASK_WORDS + SEARCH


def connect(path: Path | None) -> sqlite3.Connection:
    """A connection to a file, or to a new database in memory."""
    db = sqlite3.connect(
        path or ":memory:", isolation_level=None, check_same_thread=False, timeout=2
    )
    if path is not None:
        db.execute("pragma journal_mode = wal")
        # Power may cut it short: then it is found damaged, thrown away and made again.
        db.execute("pragma synchronous = off")
        db.execute("pragma cache_size = -4000")
    return db


def forget(path: Path) -> None:
    """Remove a file and what SQLite puts beside it."""
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{path}{suffix}")


def copied(db: sqlite3.Connection) -> sqlite3.Connection:
    """All of a database as it is now, in memory."""
    copy = connect(None)
    db.backup(copy)
    return copy


def opened(path: Path | None, rules: str) -> sqlite3.Connection:
    """The file with what was read by the same rules; any other is thrown away."""
    if path is not None:
        try:
            db = connect(path)
            if _made_by(db) == rules:
                return db
            db.close()
        except sqlite3.DatabaseError:
            pass
        forget(path)
    db = connect(path)
    if path is None:
        _empty().backup(db)
    else:
        db.executescript(_SCRIPT)
    db.execute("insert into meta values ('rules', ?)", (rules,))
    return db


def kept(path: Path, rules: str) -> bool:
    """Whether the file holds what was read by the same rules."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return _made_by(db) == rules and _any_document(db)
    except sqlite3.Error:
        return False


def _any_document(db: sqlite3.Connection) -> bool:
    return db.execute("select 1 from documents limit 1").fetchone() is not None


@cache
def _empty() -> sqlite3.Connection:
    """The tables without a row, in memory: to copy them is ten times faster than to make them."""
    db = connect(None)
    db.executescript(_SCRIPT)
    return db


def _made_by(db: sqlite3.Connection) -> str:
    with closing(db.execute("select count(*) from sqlite_master where name = 'meta'")) as found:
        if not found.fetchone()[0]:
            return ""
    row = db.execute("select value from meta where name = 'rules'").fetchone()
    return str(row[0]) if row else ""


def understood(error: BaseException) -> BaseException:
    """An error of the papers as the rest of the engine knows errors of a database.

    Damage is not that of the database itself: nobody has to restore anything.
    """
    if not isinstance(error, sqlite3.Error):
        return error
    known = judged(error)
    if isinstance(known, StoreError) and known.code in ("database_corrupt", "database_foreign"):
        return trouble(DAMAGED)
    return known

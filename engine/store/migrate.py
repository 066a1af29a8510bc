"""Bringing a database to today's schema: numbered steps, each applied once.

Every step that was applied is remembered with the digest of its file, and the file itself is
marked as ours. A database that knows steps which we do not is newer and is refused; one whose
steps have other digests was made by another build and is refused; one that lacks steps is copied
aside first, then brought up in one transaction. It all happens under the database's turn, so
two processes may open it at once. A refused file has not been changed by a single byte.
"""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from engine.store.dialect import SQLITE, Migration, migrations
from engine.store.errors import trouble

MARK = int.from_bytes(b"Hand")
"""SQLite's `application_id` of our files: tells them from those of other programs."""

Steps = tuple[Migration, ...]

_TABLE = """create table if not exists schema_migrations (
  number integer primary key, name text not null, digest text not null, applied_at bigint not null
)"""
_KNOWN = "select number, digest from schema_migrations order by number"
_NOTE = "insert into schema_migrations values (?, ?, ?, ?)"


def steps_of_today() -> Steps:
    """The steps that this build knows."""
    return migrations(SQLITE)


def missing(db: sqlite3.Connection, steps: Steps) -> Steps:
    """The steps that a database lacks: all of them, if it is empty. Changes nothing.

    Raises StoreError `database_newer`, `database_changed` or `database_foreign`.
    """
    return lacking(_applied(db), steps)


def lacking(known: Mapping[int, str], steps: Steps) -> Steps:
    """The steps that are not `known`, which has the digests of those that were applied.

    Raises StoreError `database_newer` or `database_changed`.
    """
    ours = {step.number: step.digest for step in steps}
    if any(number not in ours for number in known):
        raise trouble("database_newer")
    if any(ours[number] != digest for number, digest in known.items()):
        raise trouble("database_changed")
    return tuple(step for step in steps if step.number not in known)


def _applied(db: sqlite3.Connection) -> dict[int, str]:
    (mark,) = db.execute("pragma application_id").fetchone()
    if mark == MARK:
        return dict(db.execute(_KNOWN).fetchall())
    (tables,) = db.execute("select count(*) from sqlite_master").fetchone()
    if mark or tables:
        raise trouble("database_foreign")
    return {}


def migrate(db: sqlite3.Connection, path: Path, now: int, lacks: Steps) -> Path | None:
    """Apply the steps that a database lacks, all or none; `now` is noted with them.

    Returns the copy that was made of an older database. Raises sqlite3.Error or OSError, and
    then has changed nothing.
    """
    if not lacks:
        return None
    copy = _copy(db, path, lacks[0].number) if lacks[0].number > 1 else None
    db.execute("begin immediate")
    try:
        db.execute(f"pragma application_id = {MARK}")
        db.execute(_TABLE)
        for step in lacks:
            _apply(db, step, now)
        db.execute("commit")
    except BaseException:
        if db.in_transaction:  # a full disk ends it by itself
            db.execute("rollback")
        raise
    return copy


def _apply(db: sqlite3.Connection, step: Migration, now: int) -> None:
    for statement in step.statements:
        db.execute(statement)
    db.execute(_NOTE, (step.number, step.name, step.digest, now))


def _copy(db: sqlite3.Connection, path: Path, number: int) -> Path:
    """A copy of the database as it was before step `number`, readable by its owner only."""
    copy = path.with_name(f"{path.name}.before-{number:03}")
    copy.unlink(missing_ok=True)
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with closing(sqlite3.connect(copy)) as target:
            db.backup(target)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return copy

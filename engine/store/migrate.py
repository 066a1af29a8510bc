"""Bringing a database to today's schema: numbered steps, each applied once.

Every step that was applied is remembered with the digest of its file. A database that knows
steps which we do not is newer and is refused; one whose steps have other digests was made by
another build and is refused; one that lacks steps is copied aside first, then brought up. It
all happens under the database's turn, so two processes may open it at once.
"""

import sqlite3
from pathlib import Path

from engine.store.dialect import SQLITE, Migration, migrations
from engine.store.errors import trouble

_TABLE = """create table if not exists schema_migrations (
  number integer primary key, name text not null, digest text not null, applied_at bigint not null
)"""
_KNOWN = "select number, digest from schema_migrations order by number"
_OTHERS = "select count(*) from sqlite_master where name <> 'schema_migrations'"
_NOTE = "insert into schema_migrations values (?, ?, ?, ?)"


def migrate(
    db: sqlite3.Connection,
    path: Path,
    now: int,
    steps: tuple[Migration, ...] = (),
) -> Path | None:
    """Apply what is missing; returns the copy that was made of an older database, if any.

    Raises StoreError `database_newer`, `database_changed` or `database_foreign` and then has
    changed nothing.
    """
    steps = steps or migrations(SQLITE)
    known = _applied(db)
    _check(known, steps)
    missing = [step for step in steps if step.number not in known]
    copy = _copy(db, path, max(known)) if missing and known else None
    for step in missing:
        _apply(db, step, now)
    return copy


def _applied(db: sqlite3.Connection) -> dict[int, str]:
    found = "select count(*) from sqlite_master where name = 'schema_migrations'"
    if db.execute(found).fetchone()[0]:
        return dict(db.execute(_KNOWN).fetchall())
    if db.execute(_OTHERS).fetchone()[0]:
        raise trouble("database_foreign")
    return {}


def _check(known: dict[int, str], steps: tuple[Migration, ...]) -> None:
    ours = {step.number: step.digest for step in steps}
    if any(number not in ours for number in known):
        raise trouble("database_newer")
    if any(ours[number] != digest for number, digest in known.items()):
        raise trouble("database_changed")


def _copy(db: sqlite3.Connection, path: Path, number: int) -> Path:
    copy = path.with_name(f"{path.name}.before-{number + 1:03}")
    copy.unlink(missing_ok=True)
    with sqlite3.connect(copy) as target:
        db.backup(target)
    target.close()
    copy.chmod(0o600)
    return copy


def _apply(db: sqlite3.Connection, step: Migration, now: int) -> None:
    db.execute("begin immediate")
    try:
        db.execute(_TABLE)
        for statement in step.statements:
            db.execute(statement)
        db.execute(_NOTE, (step.number, step.name, step.digest, now))
        db.execute("commit")
    except BaseException:
        db.execute("rollback")
        raise

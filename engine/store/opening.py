"""Choosing the driver by the address of a database."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from engine.core.errors import Move, Refused
from engine.core.log import Feature
from engine.store.sqlite import open_sqlite
from engine.store.store import Store


def open_store(
    database: Path | str, features: Sequence[Feature], chance: Callable[[int], bytes], now: int = 0
) -> AbstractAsyncContextManager[Store]:
    """A store over a SQLite file (a path) or a PostgreSQL database (a URL).

    Raises Refused `postgres_missing` when the driver of PostgreSQL is not installed; opening
    raises StoreError.
    """
    if isinstance(database, Path):
        return open_sqlite(database, features, chance, now)
    try:
        from engine.store.postgres import open_postgres
    except ImportError:
        raise Refused(
            "postgres_missing",
            "the driver of PostgreSQL is not installed",
            'Install it: pip install "handrail[postgres]"',
            move=Move.PERSON,
        ) from None
    return open_postgres(database, features, chance, now)

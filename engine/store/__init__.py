"""The only package that speaks SQL: the journal, its projections, and what is not history.

The names are loaded when they are first used: who only reads a journal needs no writer.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.core.chain import Verification as Verification
    from engine.store.errors import StoreError as StoreError
    from engine.store.lock import Lock as Lock
    from engine.store.lock import try_lock as try_lock
    from engine.store.opening import open_store as open_store
    from engine.store.shared import SharedReads as SharedReads
    from engine.store.sqlite import open_sqlite as open_sqlite
    from engine.store.store import About as About
    from engine.store.store import Claimed as Claimed
    from engine.store.store import Life as Life
    from engine.store.store import Store as Store

_HOMES = {
    "About": "engine.store.store",
    "Claimed": "engine.store.store",
    "Life": "engine.store.store",
    "Lock": "engine.store.lock",
    "SharedReads": "engine.store.shared",
    "Store": "engine.store.store",
    "StoreError": "engine.store.errors",
    "Verification": "engine.core.chain",
    "open_sqlite": "engine.store.sqlite",
    "open_store": "engine.store.opening",
    "try_lock": "engine.store.lock",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine.store' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

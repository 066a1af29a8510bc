"""The only package that speaks SQL: the journal, its projections, and what is not history."""

from engine.core.chain import Verification
from engine.store.errors import StoreError
from engine.store.lock import Lock, try_lock
from engine.store.opening import open_store
from engine.store.shared import SharedReads
from engine.store.sqlite import open_sqlite
from engine.store.store import About, Claimed, Life, Store

__all__ = [
    "About",
    "Claimed",
    "Life",
    "Lock",
    "SharedReads",
    "Store",
    "StoreError",
    "Verification",
    "open_sqlite",
    "open_store",
    "try_lock",
]

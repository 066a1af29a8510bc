"""The only package that speaks SQL: the journal, its projections, and what is not history."""

from engine.core.chain import Verification
from engine.store.errors import StoreError
from engine.store.lock import Lock, try_lock
from engine.store.sqlite import Store, open_sqlite

__all__ = ["Lock", "Store", "StoreError", "Verification", "open_sqlite", "try_lock"]

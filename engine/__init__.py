"""Handrail's engine: durable workflows over one journal.

The names here are the public surface; everything else may move. They are loaded when first
used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Effect": "engine.core.model",
    "Engine": "engine.app.engine",
    "Failure": "engine.core.errors",
    "Kind": "engine.core.errors",
    "Move": "engine.core.errors",
    "PythonTask": "engine.shell.acts",
    "Refused": "engine.core.errors",
    "RetryPolicy": "engine.core.retry",
    "RunFilter": "engine.core.views",
    "Settings": "engine.app.settings",
    "StepError": "engine.core.errors",
    "StoreError": "engine.store",
    "WorldClock": "engine.shell.clock",
    "database_path": "engine.app.settings",
    "open_engine": "engine.app.engine",
    "views": "engine.core.views",
}

__all__ = list(_HOMES)  # noqa: PLE0604 - names as text, from the one table


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    module = import_module(home)
    return module if name == "views" else getattr(module, name)

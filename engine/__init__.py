"""Handrail's engine: durable workflows over one journal.

The names here are the public surface; everything else may move. They are loaded when first
used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.app.engine import Engine as Engine
    from engine.app.engine import open_engine as open_engine
    from engine.app.places import database_of as database_of
    from engine.app.settings import Settings as Settings
    from engine.core import views as views
    from engine.core.approval.gated import Gated as Gated
    from engine.core.approval.plan import Requester as Requester
    from engine.core.approval.state import Approver as Approver
    from engine.core.approval.views import ApprovalView as ApprovalView
    from engine.core.errors import Failure as Failure
    from engine.core.errors import Kind as Kind
    from engine.core.errors import Move as Move
    from engine.core.errors import Refused as Refused
    from engine.core.errors import StepError as StepError
    from engine.core.model import Effect as Effect
    from engine.core.retry import RetryPolicy as RetryPolicy
    from engine.core.views import RunFilter as RunFilter
    from engine.shell.acts import PythonTask as PythonTask
    from engine.shell.clock import WorldClock as WorldClock
    from engine.shell.garbage import collect_rarely as collect_rarely
    from engine.store import StoreError as StoreError

_HOMES = {
    "ApprovalView": "engine.core.approval.views",
    "Approver": "engine.core.approval.state",
    "Effect": "engine.core.model",
    "Engine": "engine.app.engine",
    "Failure": "engine.core.errors",
    "Gated": "engine.core.approval.gated",
    "Kind": "engine.core.errors",
    "Move": "engine.core.errors",
    "PythonTask": "engine.shell.acts",
    "Refused": "engine.core.errors",
    "Requester": "engine.core.approval.plan",
    "RetryPolicy": "engine.core.retry",
    "RunFilter": "engine.core.views",
    "Settings": "engine.app.settings",
    "StepError": "engine.core.errors",
    "StoreError": "engine.store",
    "WorldClock": "engine.shell.clock",
    "collect_rarely": "engine.shell.garbage",
    "database_of": "engine.app.places",
    "open_engine": "engine.app.engine",
    "views": "engine.core.views",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    module = import_module(home)
    return module if name == "views" else getattr(module, name)

"""A pytest plugin that stands in for Windows: the modules that only Unix has are not there.

Only our own code is kept from them. Libraries that support Windows choose by the name of the
system, which this cannot change.
"""

import builtins
from collections.abc import Mapping, Sequence
from types import ModuleType

UNIX_ONLY = frozenset({"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"})
OURS = ("engine", "mcp_server")

_import = builtins.__import__


def _without_unix(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    asker = str((globals or {}).get("__name__", ""))
    if name.split(".")[0] in UNIX_ONLY and asker.split(".")[0] in OURS:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return _import(name, globals, locals, fromlist or (), level)


builtins.__import__ = _without_unix

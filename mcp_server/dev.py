"""A server object for `mcp dev` and `mcp run`, with the demo on unless the environment says no.

These commands import this file by its path and look for a name such as `mcp`. They also put its
folder in front of the module path, where `http.py` would hide the standard library's; so the
folder is taken out again before anything else is imported.
"""

import os
import sys
from pathlib import Path

_HERE = str(Path(__file__).resolve().parent)
sys.path[:] = [entry for entry in sys.path if entry != _HERE]

from mcp_server.logs import to_stderr  # noqa: E402 - the path has to be put right first
from mcp_server.server import build  # noqa: E402
from mcp_server.settings import from_environment  # noqa: E402

to_stderr()
mcp = build(from_environment({"HANDRAIL_DEMO": "1", **os.environ}))

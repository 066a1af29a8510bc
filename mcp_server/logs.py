"""What the server writes about itself: to stderr, one line an event, nothing hidden in it.

The SDK would install a handler of its own that draws boxes; stdout belongs to the protocol and is
never written to. A line break inside an event is shown, not obeyed, except in a traceback of ours.
Secrets that this process has had in its hands are masked, whoever writes them.
"""

import logging
import sys

from mcp_server.text import visible


class _Visible(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record), lines=True)


class _Masking(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """The engine's own filter, once there is an engine that could know a secret."""
        redact = sys.modules.get("engine.shell.redact")
        return True if redact is None else bool(redact.MASKING.filter(record))


def to_stderr(level: int = logging.WARNING) -> None:
    """Send the process's log to stderr. Has to come before a server is built."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Visible("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(_Masking())
    logging.basicConfig(level=level, handlers=[handler], force=True)

"""A large catalogue is read for the first time by a process of its own.

What Python and SQLite take to read a hundred thousand documents does not all come back: stretches
of a megabyte stay for the sake of single objects that live on. So it is left to a process that
ends, and the one that serves begins with what that one wrote, as it does at every later start.
`python -m mcp_server.first_reading` is that process; its settings come over stdin.
"""

import asyncio
import contextlib
import logging
import os
import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from mcp_server.logs import to_stderr

if TYPE_CHECKING:
    from engine.app.settings import Settings

_LOG = logging.getLogger("handrail.engine")

CUT_SHORT = 3
"""The exit code of a process whose parent is gone."""


async def read_apart(settings: "Settings") -> None:
    """Have the folders of these settings read and published by another process.

    Whatever goes wrong there is told in the log, and whoever asked reads what was left.
    """
    try:
        code = await ended(begun(), pickle.dumps(settings))
    except OSError as error:
        _LOG.warning("no process could be begun to read the documents: %s", type(error).__name__)
    else:
        if code:
            _LOG.warning("a process that was to read the documents ended early: %d", code)


def begun() -> subprocess.Popen[bytes]:
    """The process that reads. It writes its log to stderr too, and Ctrl-C is not for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "mcp_server.first_reading"],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


async def ended(process: subprocess.Popen[bytes], given: bytes) -> int:
    """The exit code of a process that is given its settings; it goes along with who is
    cancelled."""
    try:
        return await asyncio.to_thread(_waited, process, given)
    finally:
        process.kill()  # of no effect where it has ended


def _waited(process: subprocess.Popen[bytes], given: bytes) -> int:
    assert process.stdin is not None
    with process.stdin as stdin:
        with contextlib.suppress(BrokenPipeError):  # it is gone, and its exit code says more
            stdin.write(given)
        return process.wait()  # its stdin is open until then, see `go_along`


def main() -> None:
    """Read the folders of the settings on stdin."""
    to_stderr()
    settings = pickle.load(sys.stdin.buffer)  # of the process that began this one
    go_along()
    asyncio.run(_read(settings))


def go_along() -> None:
    """End this process when the one that holds the other end of its stdin does."""
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(CUT_SHORT)


async def _read(settings: "Settings") -> None:
    from engine import collect_rarely
    from engine.app.engine import open_engine

    collect_rarely()
    async with open_engine(settings):
        pass  # it is read by now


if __name__ == "__main__":
    main()

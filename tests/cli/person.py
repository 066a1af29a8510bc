"""A person at a terminal of their own: reads what appears there, and types.

The command is the leader of a session whose controlling terminal is a pseudo-terminal; its stdin,
stdout and stderr may be something else. Every wait is bounded.
"""

import os
import re
import select
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

PATIENCE = 30.0
"""Seconds that any one answer of the command may take."""

_BECOME = """\
import fcntl, os, sys, termios
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "mcp_server.cli", *sys.argv[2:]])
"""


class Person:
    """Somebody who has typed a command."""

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int) -> None:
        self.process, self._terminal = process, terminal
        self.seen = ""
        self._read = 0

    def sees(self, text: str) -> str:
        """Wait until a text appears; what was seen since the last one up to its end."""
        while (at := self._plain().find(text, self._read)) < 0:
            assert self._more(), f"{text!r} never came:\n{self.seen}"
        before, self._read = self._read, at + len(text)
        return self._plain()[before : self._read]

    def types(self, text: str) -> None:
        """Type a line."""
        os.write(self._terminal, (text + "\n").encode())

    def interrupts(self) -> None:
        """Press Ctrl-C."""
        os.write(self._terminal, b"\x03")

    def ends(self) -> int:
        """Wait for the command's end; its exit code."""
        while self._more():
            pass
        return self.process.wait(PATIENCE)

    def _plain(self) -> str:
        return self.seen.replace("\r", "")

    def _more(self) -> bool:
        if not select.select([self._terminal], [], [], PATIENCE)[0]:
            raise AssertionError(f"nothing more came:\n{self.seen}")
        try:
            part = os.read(self._terminal, 65_536)
        except OSError:  # how Linux says that the other end is closed
            return False
        self.seen += part.decode("utf-8", "replace")
        return bool(part)

    @property
    def code(self) -> str:
        """The code of the plan that was seen last."""
        return str(re.findall(r"code ([0-9A-Z]{8}),", self.seen)[-1])


@contextmanager
def person(environment: dict[str, str], *words: str, stdin: int | None = None) -> Generator[Person]:
    """Somebody types `handrail` and these words; stdin is the terminal unless it is given."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _BECOME, str(theirs), *words],
        env=environment,
        stdin=theirs if stdin is None else stdin,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        pass_fds=(theirs,),
    )
    os.close(theirs)
    try:
        yield Person(process, ours)
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(ours)

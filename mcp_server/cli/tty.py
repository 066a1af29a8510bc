"""The terminal itself, for what only a person at it may say: codes and PINs.

Whatever stdin, stdout and stderr are, a person answers on the terminal that controls the process,
so nothing that is piped in can answer in their place; where there is none, nothing is asked and
the command is refused. What is typed as a PIN is not shown. An interruption puts the terminal back
as it was, wherever it comes. Text comes here neutralised; what it means is not known here.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Protocol

from mcp_server.cli.ending import Exit, Stop

DEVICE = "/dev/tty"
LEFT = "left"
"""The code of the ending when a person said neither yes nor no."""

_LONGEST = 1_024


class Terminal(Protocol):
    """Where a person reads and answers."""

    width: int

    def say(self, text: str) -> None:
        """Show lines of finished text."""
        ...

    async def line(self, prompt: str) -> str:
        """What the person types, without blanks round it; raises Stop `left` for an end of file."""
        ...

    async def secret(self, prompt: str) -> str:
        """The same, and nothing of it is shown."""
        ...


@contextmanager
def terminal(command: str = "this") -> Generator[Terminal]:
    """The terminal that controls this process; raises Stop `needs_terminal` where there is none."""
    made = _windows() if os.name == "nt" else _posix()
    if made is None:
        hint = "open a terminal and type it there; the approval page is the other way"
        message = f"{command} needs a person at a terminal, and there is none here"
        raise Stop(Exit.REFUSED, "needs_terminal", message, hint, move="person")
    try:
        yield made
    finally:
        made.close()


def left() -> Stop:
    """The person said neither yes nor no."""
    hint = "type the same again when you have decided"
    return Stop(Exit.WAITS, LEFT, "nothing was decided", hint, move="person")


def present() -> bool:
    """Whether a person seems to be at this command: what it says and asks are on a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


class _Posix:
    """The controlling terminal, driven past stdin."""

    def __init__(self, fd: int) -> None:
        from mcp_server.cli.screen import columns

        self._fd = fd
        self._encoding = sys.stderr.encoding or "utf-8"
        with os.fdopen(os.dup(fd), "rb", buffering=0) as shown:
            self.width = columns(shown)  # type: ignore[arg-type]

    def say(self, text: str) -> None:
        """Write it; what the terminal's encoding lacks is spelled out."""
        data = (text + "\n").encode(self._encoding, "backslashreplace")
        while data:
            data = data[os.write(self._fd, data) :]

    async def line(self, prompt: str) -> str:
        """One line."""
        os.write(self._fd, prompt.encode(self._encoding, "backslashreplace"))
        return await self._typed()

    async def secret(self, prompt: str) -> str:
        """One line with the echo off."""
        import termios

        before = termios.tcgetattr(self._fd)
        hidden = [*before]
        hidden[3] &= ~(termios.ECHO | termios.ECHONL)
        # What was typed before the question is thrown away: it was no answer to it.
        termios.tcsetattr(self._fd, termios.TCSAFLUSH, hidden)
        try:
            os.write(self._fd, prompt.encode(self._encoding, "backslashreplace"))
            return await self._typed(strip=False)
        finally:
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, before)
            os.write(self._fd, b"\n")

    async def _typed(self, *, strip: bool = True) -> str:
        raw = await _cancellable(lambda told: _read(self._fd, told))
        if not raw:
            raise left()
        text = raw.decode(self._encoding, "replace").rstrip("\r\n")
        return text.strip() if strip else text

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)


def _posix() -> _Posix | None:
    try:
        fd = os.open(DEVICE, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    return _Posix(fd)


def _read(fd: int, told: int) -> bytes:
    """A line from a terminal, or nothing when it ends or `told` becomes readable."""
    import select

    ready, _, _ = select.select([fd, told], [], [])
    return os.read(fd, _LONGEST) if fd in ready and told not in ready else b""


async def _cancellable(read: Callable[[int], bytes]) -> bytes:
    """Read on a thread that ends when the waiting is cancelled, as an interruption does.

    A signal that comes just before the loop goes to sleep is noticed only when the loop wakes, and
    here nothing would wake it; so signals are written into the pipe that ends the thread.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    before = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    reading = asyncio.create_task(asyncio.to_thread(read, told))
    try:
        return await asyncio.shield(reading)
    finally:
        signal.set_wakeup_fd(before)
        os.write(tell, b"x")
        await asyncio.wait((reading,))
        os.close(told)
        os.close(tell)


class _Windows:
    """The console, by its own two names; keys are taken one by one so that none is shown."""

    width = 80

    def __init__(self, reader: Any, writer: Any) -> None:
        self._reader, self._writer = reader, writer

    def say(self, text: str) -> None:
        """Write it."""
        self._writer.write(text + "\n")
        self._writer.flush()

    async def line(self, prompt: str) -> str:
        """One line."""
        self._writer.write(prompt)
        self._writer.flush()
        text = await asyncio.to_thread(self._reader.readline)
        if not text:
            raise left()
        return str(text).strip()

    async def secret(self, prompt: str) -> str:
        """One line, key by key."""
        self._writer.write(prompt)
        self._writer.flush()
        keys: list[str] = []
        while (key := await asyncio.to_thread(_key)) not in "\r\n":
            if key == "\x03":
                raise KeyboardInterrupt
            keys = keys[:-1] if key == "\b" else [*keys, key]
        self.say("")
        return "".join(keys)

    def close(self) -> None:
        """Let go of it."""
        self._reader.close()
        self._writer.close()


def _windows() -> _Windows | None:
    try:
        return _Windows(
            open("CONIN$", encoding="utf-8"),
            open("CONOUT$", "w", encoding="utf-8"),
        )
    except OSError:
        return None


def _key() -> str:
    import msvcrt

    read: Callable[[], str] = msvcrt.getwch  # type: ignore[attr-defined, unused-ignore]
    return read()

"""Where a command's words go: results to stdout, everything else to stderr.

With `--json` stdout gets exactly one JSON value, also when the command fails. Otherwise results
are painted by rich, which is imported for the first line that is painted. Foreign text has been
through `visible` before it comes here. A terminal that knows no colour, no Unicode or no width
gets plain words; a pipe gets lines that are never cut or wrapped.
"""

import os
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from mcp_server.cli.ending import WHO, Ending

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    Paint = Callable[[int], RenderableType]

ENDLESS = 10_000
"""The width of a pipe, in columns."""

NARROWEST = 20
"""No terminal is taken to be narrower than this."""

_PLAIN = str.maketrans(
    {"✓": "+", "✗": "x", "●": "*", "○": "o", "↻": "~", "…": "...", "→": "->", "·": "-", "─": "-"}
)


class Screen:
    """The two streams of one command."""

    def __init__(self, *, json: bool = False, color: bool = True) -> None:
        self.json = json
        self.color = color

    def result(self, value: Any, paint: "Paint") -> None:
        """What the command was asked for: one JSON value, or what `paint` makes of a width."""
        if self.json:
            _write_json(value)
        else:
            self._painted(sys.stdout, paint)

    def raw(self, text: str) -> None:
        """What another program reads: lines as they are, neither painted nor cut."""
        _write(sys.stdout, f"{text}\n")

    def note(self, text: str) -> None:
        """A line for the person at the terminal."""
        _write_line(text)

    def lines(self, text: str) -> None:
        """Lines that are for whoever mends Handrail."""
        from mcp_server.text import visible

        _write(sys.stderr, visible(text, lines=True))

    def painted_note(self, paint: "Paint") -> None:
        """Something laid out, for the person at the terminal."""
        self._painted(sys.stderr, paint)

    def trouble(self, ending: Ending) -> None:
        """What went wrong on one line, whose move it is and what to do on the next."""
        if self.json:
            _write_json({"error": _error(ending)})
        _write_line(f"error: {ending.message}")
        wrong = [ending.details.get(name, ()) for name in ("missing", "invalid")]
        if any(wrong):
            from mcp_server.cli.paint.workflows import input_problems

            self._painted(sys.stderr, lambda _: input_problems(*wrong))
        if ending.hint:
            _write_line(f"  {WHO[ending.move]}: {ending.hint}")

    def console(self, stream: IO[str]) -> "Console":
        """A rich console on a stream."""
        from rich.console import Console

        return Console(
            file=stream,
            width=columns(stream),
            height=25,  # only where both are given does rich believe a dumb terminal's width
            no_color=None if self.color else True,
            highlight=False,
            markup=False,
            emoji=False,
            # An old Windows console takes plain text; drawing through its API is not worth it.
            legacy_windows=False,
        )

    @property
    def lively(self) -> bool:
        """Whether stderr is a terminal on which lines can be drawn over."""
        return sys.stderr.isatty() and os.environ.get("TERM", "") not in {"dumb", "unknown"}

    def _painted(self, stream: IO[str], paint: "Paint") -> None:
        console = self.console(stream)
        with console.capture() as capture:
            console.print(paint(console.width))
        lines = capture.get().split("\n")
        _write(stream, "\n".join(line.rstrip() for line in lines))


def columns(stream: IO[str]) -> int:
    """How wide a stream is. A dumb terminal has a width too, which rich would not ask for."""
    if not stream.isatty():
        return ENDLESS
    given = os.environ.get("COLUMNS", "")
    try:
        width = int(given) if given.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except OSError:
        width = 0
    return max(width or 80, NARROWEST)


def _error(ending: Ending) -> dict[str, Any]:
    return {
        "code": ending.code,
        "message": ending.message,
        "hint": ending.hint,
        "whoseMove": ending.move,
        "details": ending.details,
    }


def _write_json(value: Any) -> None:
    from mcp_server.cli.shape import to_json

    _write(sys.stdout, to_json(value) + "\n")


def _write_line(text: str) -> None:
    """A line to stderr; a terminal gets it broken between words, so that commands stay whole."""
    from mcp_server.text import visible

    shown = visible(text)
    if sys.stderr.isatty():
        import textwrap

        shown = textwrap.fill(
            shown,
            columns(sys.stderr),
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    _write(sys.stderr, shown + "\n")


def _write(stream: IO[str], text: str) -> None:
    """Write and flush; what the stream's encoding lacks is replaced by something near."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()

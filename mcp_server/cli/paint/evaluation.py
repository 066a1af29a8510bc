"""What was measured, as tables: search by the size of the catalogue, inputs, labels."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import grid, line
from mcp_server.words import count

if TYPE_CHECKING:
    from engine.core.discovery.judge_extract import ExtractionFigures, Judged


def percent(part: float, whole: float = 1.0) -> str:
    """A share as people read it; a dash where there is nothing to share.

    >>> percent(0.9536), percent(1, 0)
    ('95.4 %', '-')
    """
    return f"{100 * part / whole:.1f} %" if whole else "-"


def extraction(file: str, figures: "ExtractionFigures") -> RenderableType:
    """How well inputs are taken from a context, and what guesses are worth."""
    table = grid("Context", "Calls", "Right", "Invented")
    for words, judged in (
        ("as the inputs are called", figures.plain),
        ("in other words and shapes", figures.respelled),
        ("nothing", figures.nothing),
    ):
        table.add_row(words, f"{judged.calls:,}", _whole(judged), f"{judged.invented:,}")
    guesses = (
        f"{count(figures.guessed, 'guess', 'guesses')} offered,"
        f" {percent(figures.guessed_right, figures.guessed)} right; nothing runs on a guess."
    )
    return Group(line(file, style="bold"), table, Text(""), line(guesses, style="dim"))


def _whole(judged: "Judged") -> str:
    return percent(judged.right, judged.calls)

"""The few signs and layouts that every painting shares: marks for states, grids, JSON blocks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mcp_server.cli.shape import shape
from mcp_server.text import visible

NARROW = 100
"""Below this many columns, lists are records of a few lines instead of tables."""

MARKS: Mapping[str, tuple[str, str]] = {
    "completed": ("✓", "green"),
    "done": ("✓", "green"),
    "run": ("✓", "green"),
    "active": ("●", "cyan"),
    "running": ("●", "cyan"),
    "in_flight": ("●", "cyan"),
    "unknown": ("?", "yellow"),
    "indeterminate": ("?", "red"),
    "working": ("●", "green"),
    "draining": ("↻", "yellow"),
    "pending": ("○", "dim"),
    "waiting": ("○", "dim"),
    "depends": ("?", "yellow"),
    "paused": ("↻", "yellow"),
    "failed": ("✗", "red"),
    "stale": ("✗", "red"),
    "cancelled": ("-", "magenta"),
    "skipped": ("-", "dim"),
    "skip": ("-", "dim"),
}
"""A sign and a style for the family of each status; the sign alone is enough without colour."""


def family(status: str) -> str:
    """The word before the colon.

    >>> family("failed:logic")
    'failed'
    """
    return status.partition(":")[0]


def mark(status: str) -> Text:
    """The sign of a status."""
    sign, style = MARKS.get(family(status), ("?", ""))
    return Text(sign, style)


def status_text(status: str) -> Text:
    """The status in its colour."""
    return Text(visible(status), MARKS.get(family(status), ("", ""))[1])


def grid(*headers: str, wrap: Iterable[str] = ()) -> Table:
    """A table without lines. Columns named in `wrap` may be folded, the others are kept whole."""
    folded = set(wrap)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(headers))
    table.header_style = "dim"
    for header in headers:
        table.add_column(header, no_wrap=header not in folded, overflow="fold")
    return table


def aligned(rows: Sequence[Sequence[Text]], widest: int = 36) -> list[Text]:
    """Each row as one line with its cells below each other; a cell wider than that juts out."""
    widths = [
        min(max(cell.cell_len for cell in column), widest) for column in zip(*rows, strict=True)
    ]
    lines: list[Text] = []
    for row in rows:
        text = Text()
        for cell, width in zip(row, widths, strict=True):
            text.append_text(cell).append(" " * (max(width - cell.cell_len, 0) + 2 * bool(width)))
        text.rstrip()
        lines.append(text)
    return lines


def line(*parts: str | Text, style: str = "") -> Text:
    """One line made of foreign words (made visible) and finished texts (taken as they are)."""
    text = Text(style=style)
    for part in parts:
        text.append_text(part if isinstance(part, Text) else Text(visible(part)))
    return text


def indented(renderable: RenderableType, columns: int = 2) -> RenderableType:
    """The same, further to the right."""
    return Padding(renderable, (0, 0, 0, columns))


def titled(title: str, *body: RenderableType) -> RenderableType:
    """A heading with its body below it."""
    return Group("", Text(title, "bold"), *(indented(part) for part in body))


def json_block(value: Any, most: int = 4_000) -> Text:
    """JSON to be read by a person; long values are cut, and the cut says how much is missing."""
    text = json.dumps(shape(value), indent=2, ensure_ascii=False)
    cut = text if len(text) <= most else text[:most]
    shown = Text(visible(cut, lines=True))
    if len(text) > most:
        shown.append(f"\n… {len(text) - most:,} more characters; --json prints them all", "dim")
    return shown


def json_line(value: Any, most: int = 120) -> str:
    """JSON on one line, cut after `most` characters; foreign text is not yet visible."""
    text = json.dumps(shape(value), ensure_ascii=False)
    return text if len(text) <= most else text[: most - 1] + "…"

"""Labels in the terminal: a list, the figures, and what a change came to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import grid, indented, line
from mcp_server.words import age, count

if TYPE_CHECKING:
    from engine.app.label_stats import LabelStats, LabelUse
    from engine.app.labelling import Changed
    from engine.core.labels.change import Item, Move


def label_list(labels: Sequence["LabelUse"], now: int) -> RenderableType:
    """Labels with how often they are used."""
    if not labels:
        return Text("There are no labels.", "dim")
    table = grid("Label", "Type", "Workflows", "Tasks", "Last given")
    for each in labels:
        name = line(each.label, " (protected)" if each.protected else "", style="bold")
        given = age(now, each.last_used) if each.last_used else ""
        table.add_row(name, line(each.type), str(each.workflows), str(each.tasks), line(given))
    return table


def label_figures(stats: "LabelStats") -> RenderableType:
    """The figures about labels."""
    parts: list[RenderableType] = [line(f"{stats.labels:,} labels in use.")]
    for thing, total, tagged, sorted_in, any_ in stats.coverage:
        said = f"{count(total, thing)}: {tagged} with tags, {sorted_in} in a category"
        parts.append(line(f"{said}, {any_} with any label."))
    for title, words in (
        ("Declared and not used:", stats.unused),
        ("Used and not declared:", stats.undeclared),
        ("May be meant as one:", [f"{p.label} / {p.other} ({p.why})" for p in stats.alike]),
        ("Changes by day:", [_day(each.day, each.added, each.removed) for each in stats.days]),
    ):
        if words:
            parts += [Text(""), line(title, style="bold")]
            parts += [indented(line(word)) for word in words]
    return Group(*parts)


def _day(day: int, added: int, removed: int) -> str:
    from datetime import UTC, datetime, timedelta

    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return f"{date:%Y-%m-%d}: {added} added, {removed} removed"


def label_change(found: "Changed", *, dry: bool) -> RenderableType:
    """What a change of labels came to, or would come to."""
    if not found.items:
        return line("Nothing is left to change.")
    head = "Would change the labels of" if dry else "Changed the labels of"
    parts: list[RenderableType] = [line(f"{head} {len(found.items):,}:")]
    parts += [indented(_item(*each)) for each in found.items]
    if found.left:
        parts.append(line(f"{found.left:,} more fit: give the command again for the next of them."))
    if found.id:
        parts.append(line(f"To take it back: handrail labels undo {found.id}", style="dim"))
    return Group(*parts)


def _item(item: "Item", moves: "tuple[Move, ...]") -> Text:
    words = [f"{'+' if move.added else '-'}{move.label}" for move in moves]
    return line(f"{item.full}: {', '.join(words)}")

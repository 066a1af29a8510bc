"""What was measured, as tables: search by the size of the catalogue, inputs, labels."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from mcp_server.cli.paint.marks import grid, line
from mcp_server.words import count

if TYPE_CHECKING:
    from engine.app.judging_labels import LabelFigures
    from engine.app.measuring import SearchFigures
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


def searched(value: Mapping[str, Any]) -> RenderableType:
    """How good search is by the size of the catalogue, and how far its confidence can be taken."""
    left_out = value["leftOut"]
    head = f"{value['file']}: {count(value['queries'], 'query', 'queries')}"
    head += f" over {count(value['workflows'], 'workflow')}"
    parts: list[RenderableType] = [line(head, style="bold")]
    parts.append(line(f"encoder {value['encoder']}, weights {value['ranker']}", style="dim"))
    if left_out:
        told = f"{left_out:,} left out: what they mean is not in the catalogue"
        parts.append(line(told, style="yellow"))
    again = value.get("refit")
    if again:
        parts += ["", Text("As it was", "bold")]
    parts += _search_figures(value["figures"])
    if again:
        told = f"Fitted to {again['fittedTo']:,}, measured on {again['measuredOn']:,} others"
        parts += ["", Text(told, "bold"), *_search_figures(again["figures"]), ""]
        parts.append(line(f"Wrote {again['out']}; HANDRAIL_RANKER={again['out']} uses it."))
    return Group(*parts)


def _search_figures(figures: "SearchFigures") -> Iterable[RenderableType]:
    heads = (
        "Workflows",
        "Queries",
        "First",
        "Among 5",
        "Sure",
        "Right of these",
        "Sure of nothing",
    )
    table = grid(*heads)
    for each in figures.sizes:
        told = each.figures
        table.add_row(
            f"{each.workflows:,}",
            f"{told.queries:,}",
            percent(told.hit_at_1),
            percent(told.recall_at_5),
            percent(told.coverage),
            percent(told.precision),
            percent(told.accepted_unanswerable),
        )
    yield table
    levels = grid("Confidence", "Answers", "Right")
    for level in figures.reliability:
        shown = percent(level.right, level.answers > 0)
        levels.add_row(f"{level.low:.1f} to {level.high:.1f}", f"{level.answers:,.0f}", shown)
    yield Padding(levels, (1, 0, 0, 0))
    strays = figures.strays
    if strays.queries:
        told_so = f"{count(strays.queries, 'query', 'queries')} that nothing answers:"
        told_so += f" {strays.accepted:,} with a sure answer, {strays.told:,} told so"
        yield Padding(line(told_so), (1, 0, 0, 0))


def labelled(file: str, figures: "Iterable[LabelFigures]") -> RenderableType:
    """How often suggested labels are those that people gave."""
    heads = ("Source", "Labels", "Items", "First right", "Get some", "Of those right")
    table = grid(*heads, wrap=("Source",))
    for each in figures:
        table.add_row(
            line(each.source or "-"),
            str(each.type),
            f"{each.items:,}",
            percent(each.precision_at_1),
            percent(each.coverage),
            percent(each.precision_shown),
        )
    return Group(line(file, style="bold"), table)

"""`handrail labels suggest` and `reject`: labels that may fit, and what became of suggestions."""

from typing import TYPE_CHECKING, Any

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import Session

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engine.app.suggesting import Suggestions, SuggestionStats


async def suggest(session: Session, words: tuple[str, ...], options: dict[str, Any]) -> int:
    """Labels that may fit a workflow or task; without a name, what became of suggestions."""
    from mcp_server import wire
    from mcp_server.cli.opening import opened

    async with opened(session) as engine:
        if not words:
            stats = await engine.suggesting.stats()
            told = {"suggestions": wire.suggestion_stats(stats)}
            session.screen.result(told, lambda _: _figures(stats))
            return Exit.OK
        found = await engine.suggesting.suggest(words[0], _thing(options))
    session.screen.result(wire.suggestions(found), lambda _: _painted(found))
    return Exit.OK


async def reject(session: Session, words: tuple[str, ...], options: dict[str, Any]) -> int:
    """Say that a suggested label is not wanted."""
    from mcp_server.cli.opening import opened

    if len(words) != 2:
        raise Stop(Exit.USAGE, "usage", "reject needs LABEL and NAME", "handrail labels --help")
    label, name = words
    async with opened(session) as engine:
        await engine.suggesting.reject(name, label, _thing(options), actor="user")
    told = {"rejected": label, "name": name}
    session.screen.result(told, lambda _: _line(f"{label} is not suggested for {name} again."))
    return Exit.OK


def _thing(options: dict[str, Any]) -> str:
    return "task" if options["tasks"] else "workflow"


def _line(text: str) -> "RenderableType":
    from mcp_server.cli.paint.marks import line

    return line(text)


def _painted(found: "Suggestions") -> "RenderableType":
    from rich.console import Group

    from mcp_server.cli.paint.marks import grid, line

    told = "a language model" if found.source == "model" else "what is like it"
    if found.trouble:
        told += f" ({found.trouble})"
    if not found.suggestions:
        return line(f"No label surely fits {found.item.full}, by {told}.")
    table = grid("Label", "Type", "Confidence", "Why", wrap=("Why",))
    for each in found.suggestions:
        sure = f"{each.confidence:.2f}"
        table.add_row(
            line(each.label, style="bold"), line(each.type), line(sure), line(each.reason)
        )
    return Group(line(f"Suggested by {told}:"), table)


def _figures(stats: tuple["SuggestionStats", ...]) -> "RenderableType":
    from mcp_server.cli.paint.marks import grid, line

    if not stats:
        return line("Nothing has been suggested yet.")
    table = grid("Source", "Suggested", "Accepted", "Rejected", "Accepted of decided")
    for each in stats:
        rate = "" if each.rate is None else f"{each.rate:.0%}"
        numbers = (each.made, each.accepted, each.rejected)
        table.add_row(line(each.source), *(line(str(number)) for number in numbers), line(rate))
    return table

"""What a search found, for a person: the best match with a command to copy, then the list."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import indented, json_line, line
from mcp_server.cli.paint.runs import workflow_name
from mcp_server.cli.paint.workflows import quoted, workflow_list

if TYPE_CHECKING:
    from engine.core.discovery.match import Best, Match


def match_page(match: "Match", width: int) -> RenderableType:
    """The hits of a search, the best of them first and by itself."""
    listed = workflow_list([hit.info for hit in match.found.hits], width)
    if match.best is not None:
        return Group(*_best(match.best), Text(""), listed)
    if match.found.hits:
        return Group(Text("Nothing fits well. Nearest:", "dim"), listed)
    return listed


def _best(best: "Best") -> list[RenderableType]:
    name = workflow_name(best.info.namespace, best.info.name)
    sure = f" (confidence {best.confidence:.2f})"
    return [
        line("Best match: ", line(name, style="bold"), Text(sure, "dim")),
        indented(line(best.prompt)),
        indented(Text(_command(name, best), "cyan")),
    ]


def _command(name: str, best: "Best") -> str:
    """A command to copy: whoever types it decides, so what the words suggest stands in it."""
    known = {each.name: each.value for each in best.guesses}
    known |= {each.name: each.value for each in best.taken}
    words = [name]
    for field in best.info.inputs:
        if field.name in known:
            given = known[field.name]
            words.append(f"{field.name}={given if isinstance(given, str) else json_line(given)}")
        elif field.required:
            words.append(f"{field.name}=…")
    return "handrail run " + " ".join(quoted(word) for word in words)

"""What a server says when it is ready: the address, and how each kind of client gets there."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import indented, line, titled
from mcp_server.text import visible


def welcome(url: str, served: Sequence[str], program: str, entry: str, dev: str) -> RenderableType:
    """The page. Commands and JSON are kept on their own lines, so that they can be copied.

    `program` is what has to be typed to call `handrail`.
    """
    what = " and ".join(served) or "no workflows yet: give it a folder with --workflows DIR"
    parts: list[RenderableType] = [
        line("Handrail serves ", what, " at"),
        Text(""),
        indented(line(url, style="bold green")),
        titled("Claude Desktop", _desktop(program, entry)),
        titled("Inspector (Node.js 22.19 or newer)", Text(visible(dev), "cyan", no_wrap=True)),
    ]
    if "the demo" in served:
        parts.append(titled("Then say", line("“Get me the profile for user 3.”")))
    parts += [Text(""), Text("Ctrl-C ends it; runs under way go on at the next start.", "dim")]
    return Group(*parts)


def _desktop(program: str, entry: str) -> RenderableType:
    return Group(
        Text(visible(f"{program} connect claude-desktop"), "cyan", no_wrap=True),
        Text("or put this into claude_desktop_config.json:", "dim"),
        Text(visible(entry, lines=True), "dim", no_wrap=True, overflow="ignore"),
    )

"""The policy on a terminal: its problems, or its rules in words."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import indented, line
from mcp_server.cli.paint.reports import problem_list
from mcp_server.words import count

if TYPE_CHECKING:
    from engine.core.views import Problem


def checked(file: str, rules: int, problems: Sequence["Problem"]) -> RenderableType:
    """The problems of a policy, or that it has none."""
    if not problems:
        return Text.assemble(line(file), Text(f": {count(rules, 'rule')}, no problem.", "green"))
    wrong = "This policy cannot be used: every change is forbidden until it is corrected."
    return Group(problem_list(problems), Text(""), Text(wrong, "red"))


def explained(
    file: str,
    rules: Mapping[str, Sequence[str]],
    otherwise: Sequence[str],
    said: str,
    by: str,
) -> RenderableType:
    """The rules in the order in which they count, and what they say of a plan."""
    parts: list[RenderableType] = [line(file, style="dim")]
    for name, told in (*rules.items(), ("otherwise", otherwise)):
        parts.append(line(name, style="bold"))
        parts += [indented(line(one), 4) for one in told]
    if said:
        parts += [Text(""), line("Such a plan ", said, f" (rule {by})", style="bold")]
    return Group(*parts)

"""Reports: the problems of documents, the versions of a workflow, the state of a machine."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import family, grid, indented, line
from mcp_server.cli.paint.runs import workflow_name
from mcp_server.words import age, count

if TYPE_CHECKING:
    from engine.core.views import Health, Problem, VersionInfo

_STYLES = {"error": "red", "warning": "yellow"}


def problem_list(problems: Sequence["Problem"]) -> RenderableType:
    """Problems by file and line, each the way a compiler says it: a terminal can open the place."""
    parts: list[RenderableType] = []
    for problem in sorted(problems, key=lambda p: (p.file, p.line, p.path)):
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        head = line(place, style="bold")
        word = Text(problem.severity, _STYLES.get(problem.severity, ""))
        said = line(": " if place else "", word, ": ", problem.message)
        parts.append(line(head, said, line(f"  [{problem.code}]", style="dim")))
        where = " in ".join(part for part in (problem.path, problem.subject) if part)
        parts += [indented(line("at ", where, style="dim"), 4)] if where else []
        parts += [indented(line(problem.hint), 4)] if problem.hint else []
    return Group(*parts)


def checked(
    problems: Sequence["Problem"], workflows: int, tasks: int, *, failed: bool
) -> RenderableType:
    """The problems and a last line that sums them up."""
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    found = f"{count(workflows, 'workflow')} and {count(tasks, 'task')} can be used"
    if not problems:
        return Text(f"No problems: {found}.", "green")
    wrong = f"{count(errors, 'error')} and {count(warnings, 'warning')}; {found}."
    return Group(problem_list(problems), Text(""), Text(wrong, "red" if failed else "yellow"))


def version_list(versions: Sequence["VersionInfo"], now: int) -> RenderableType:
    """The versions of one workflow, the newest first."""
    if not versions:
        return Text("It has no version yet.", "dim")
    title = line(workflow_name(versions[0].namespace, versions[0].name), style="bold")
    table = grid("Version", "State", "Effect", "Runs", "Published", wrap=("State", "Runs"))
    for version in reversed(versions):
        table.add_row(
            line(version.version, style="bold" if version.is_default else ""),
            line(", ".join(_states(version))),
            line(str(version.effect)),
            line(_runs(version.runs)),
            age(now, version.published_at),
        )
    return Group(title, indented(table))


def _states(version: "VersionInfo") -> list[str]:
    states = ["default" + (" (chosen)" if version.pinned else "")] if version.is_default else []
    states += ["deprecated"] if version.deprecated else []
    return states + (["waits for a person's acceptance"] if version.pending else [])


def _runs(runs: Mapping[str, int]) -> str:
    families: dict[str, int] = {}
    for status, number in runs.items():
        families[family(status)] = families.get(family(status), 0) + number
    return ", ".join(f"{number:,} {name}" for name, number in families.items()) or "none"


def health_list(checks: Sequence["Health"]) -> RenderableType:
    """One line a check: a tick, a warning when there is something to do, or a cross."""
    table = grid("", "", "", wrap=("",))
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for check in checks:
        said = line(check.detail)
        if check.hint:
            said.append("\n").append_text(line(check.hint, style="dim"))
        table.add_row(_sign(check), line(check.name), said)
    broken = sum(not check.ok for check in checks)
    foot = f"{count(broken, 'thing')} broken." if broken else "Nothing is broken."
    return Group(table, Text(""), Text(foot, "red" if broken else "green"))


def _sign(check: "Health") -> Text:
    if not check.ok:
        return Text("✗", "red")
    return Text("!", "yellow") if check.hint else Text("✓", "green")

"""Workflows in a list and one by one: what they do, what they need, how to run them."""

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import NARROW, grid, indented, json_line, line, titled
from mcp_server.cli.paint.runs import workflow_name
from mcp_server.words import count

if TYPE_CHECKING:
    from engine.core.views import (
        InputField,
        InvalidInput,
        StepInfo,
        VersionInfo,
        WorkflowDetails,
        WorkflowInfo,
    )


def workflow_list(workflows: Sequence["WorkflowInfo"], width: int) -> RenderableType:
    """Workflows by name, or in the order of a search."""
    if not workflows:
        return Text("No workflow fits.", "dim")
    rows = _records(workflows) if width < NARROW else _table(workflows)
    first = workflow_name(workflows[0].namespace, workflows[0].name)
    foot = line(f"{count(len(workflows), 'workflow')}. Read one: handrail workflows ", first)
    foot.stylize("dim")
    return Group(rows, Text(""), foot)


def _table(workflows: Sequence["WorkflowInfo"]) -> RenderableType:
    table = grid("Workflow", "Version", "What it does", "Needs", wrap=("What it does", "Needs"))
    for info in workflows:
        name = line(workflow_name(info.namespace, info.name), style="bold")
        said = line(info.description.strip(), _flags(info))
        table.add_row(name, line(info.version), said, line(_needs(info)))
    return table


def _records(workflows: Sequence["WorkflowInfo"]) -> RenderableType:
    lines: list[RenderableType] = []
    for info in workflows:
        name = line(workflow_name(info.namespace, info.name), style="bold")
        lines.append(line(name, line(" ", info.version, style="dim"), _flags(info)))
        if info.description:
            lines.append(indented(line(info.description.strip())))
        if needs := _needs(info):
            lines.append(indented(line("needs ", needs, style="dim")))
    return Group(*lines)


def _flags(info: "WorkflowInfo") -> Text:
    flags = []
    if info.pending:
        flags.append("waits for a person's acceptance")
    elif str(info.effect) == "mutation":
        flags.append("changes systems outside")
    if info.deprecated:
        flags.append("deprecated")
    return Text(f"  [{', '.join(flags)}]" if flags else "", "yellow")


def _needs(info: "WorkflowInfo") -> str:
    return ", ".join(field.name for field in info.inputs if field.required)


def workflow_page(details: "WorkflowDetails") -> RenderableType:
    """Everything a person needs to run a workflow."""
    info = details.info
    name = line(workflow_name(info.namespace, info.name), " ", info.version, style="bold")
    parts: list[RenderableType] = [line(name, _flags(info))]
    if info.description:
        parts.append(indented(line(info.description.strip())))
    labels = ", ".join((*info.categories, *info.tags))
    parts += [indented(line(labels, style="dim"))] if labels else []
    parts.append(titled("Inputs", input_table(info.inputs)))
    parts.append(titled("Steps", _steps(details.steps)))
    parts += [titled("Versions", _versions(details.versions))] if details.versions else []
    parts.append(titled("Run it", Text(command_line(details), "cyan")))
    return Group(*parts)


def input_table(fields: Sequence["InputField"]) -> RenderableType:
    """The inputs; what must be given is marked with a star."""
    if not fields:
        return Text("none", "dim")
    table = grid("", "", "", wrap=("",))
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for field in fields:
        star = Text(" *", "red") if field.required else Text("")
        table.add_row(line(field.name, star), line(field.type, style="dim"), _about(field))
    return table


def _about(field: "InputField") -> Text:
    parts = [field.description]
    if field.default is not None:
        parts.append(f"default {json_line(field.default, 60)}")
    if field.enum:
        parts.append("one of " + ", ".join(json_line(value, 40) for value in field.enum[:12]))
    return line("; ".join(part for part in parts if part))


def _steps(steps: Iterable["StepInfo"]) -> RenderableType:
    table = grid("", "", "", wrap=("",))
    table.columns[0].no_wrap = True
    for step in steps:
        table.add_row(line(step.id), line(" | ".join(step.targets)), line(_when(step), style="dim"))
    return table


def _when(step: "StepInfo") -> str:
    parts = [f"after {', '.join(step.depends)}"] if step.depends else []
    parts += [f"if {step.condition}"] if step.condition else []
    parts += [f"for each of {step.for_each}"] if step.for_each else []
    parts += ["changes systems outside"] if str(step.effect) == "mutation" else []
    return "; ".join(parts)


def _versions(versions: Sequence["VersionInfo"]) -> Text:
    return line(", ".join(f"{v.version}{' (default)' if v.is_default else ''}" for v in versions))


def command_line(details: "WorkflowDetails") -> str:
    """A command that can be copied: from the first example, or with a gap for each need.

    Foreign words are quoted for a POSIX shell.
    """
    info = details.info
    given = dict(details.examples[0].input) if details.examples else {}
    words = [workflow_name(info.namespace, info.name)]
    for field in info.inputs:
        if field.name in given:
            value = given[field.name]
            words.append(f"{field.name}={value if isinstance(value, str) else json_line(value)}")
        elif field.required:
            words.append(f"{field.name}=…")
    return "handrail run " + " ".join(quoted(word) for word in words)


def quoted(word: str) -> str:
    """A word of a command for a POSIX shell; a gap that is to be filled stays one."""
    from mcp_server.text import visible

    shown = visible(word)
    return shown if shown.endswith("=…") and " " not in shown else shlex.quote(shown)


def input_problems(
    missing: Sequence["InputField"], invalid: Sequence["InvalidInput"]
) -> RenderableType:
    """What is missing in an input and what is wrong with it."""
    table = grid("", "", "", wrap=("",))
    table.columns[0].no_wrap = True
    for field in missing:
        table.add_row(line(field.name), Text("missing", "red"), _missing(field))
    for wrong in invalid:
        got = f"; got {wrong.received}" if wrong.received else ""
        table.add_row(line(wrong.name), Text("wrong", "red"), line(wrong.error, got))
    return indented(table)


def _missing(field: "InputField") -> Text:
    return line(line(field.type, "  ", style="dim"), _about(field))

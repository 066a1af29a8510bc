"""A dry run: what a run would do, step by step, without having done anything."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import aligned, indented, json_block, json_line, line, mark, titled
from mcp_server.cli.paint.runs import workflow_name
from mcp_server.cli.paint.workflows import input_problems
from mcp_server.words import count

if TYPE_CHECKING:
    from engine.core.views import DryRun, PlannedStep

_WORDS = {"run": "would run", "skip": "would be skipped", "depends": "depends"}


def dry_run(plan: "DryRun") -> RenderableType:
    """The plan with its parallel groups."""
    info = plan.workflow
    name = line(workflow_name(info.namespace, info.name), " ", info.version, style="bold")
    parts: list[RenderableType] = [line("Dry run of ", name), _said(plan)]
    if not plan.valid:
        parts += [Text(""), input_problems(plan.missing, plan.invalid)]
    parts += [Text(""), indented(_steps(plan))]
    if plan.output not in (None, {}, []):
        parts.append(titled("Output", json_block(plan.output)))
    if plan.mutations:
        outside = f"\nIt would change systems outside in {count(plan.mutations, 'step')}."
        parts.append(Text(outside, "yellow"))
    return Group(*parts)


def _said(plan: "DryRun") -> Text:
    if plan.valid:
        return Text("The input is right. Nothing was called and nothing was recorded.", "dim")
    return Text("The input is not right. Nothing was called and nothing was recorded.", "red")


def _steps(plan: "DryRun") -> RenderableType:
    rows = [_row(step) for step in plan.steps]
    groups = {step: number for number, group in enumerate(plan.groups, 1) for step in group}
    lines: list[RenderableType] = []
    last = 0
    for row, step in zip(aligned(rows), plan.steps, strict=True):
        group = groups.get(step.id, last)
        if group != last:
            together = ", side by side" if len(plan.groups[group - 1]) > 1 else ""
            lines.append(Text(f"group {group}{together}", "dim"))
        last = group
        lines += [indented(row), *(indented(line(said, style="dim"), 6) for said in _details(step))]
    return Group(*lines)


def _row(step: "PlannedStep") -> list[Text]:
    name = line(mark(step.would), " ", step.id)
    return [name, line(step.target, style="dim"), line(_WORDS.get(step.would, step.would))]


def _details(step: "PlannedStep") -> Iterable[str]:
    if step.request:
        yield step.request
    elif step.would == "run" and step.input not in (None, {}):
        yield f"with {json_line(step.input)}"
    if step.reason:
        yield step.reason

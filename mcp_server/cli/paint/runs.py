"""Lists of runs, and the ways in which they failed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import NARROW, grid, indented, line, mark, status_text
from mcp_server.words import age, count

if TYPE_CHECKING:
    from engine.core.views import FailureGroup, RunPage, RunRow


def run_page(page: "RunPage", now: int, width: int) -> RenderableType:
    """A page of runs, newest first, and how to see more."""
    if not page.rows:
        return Text("No runs match.", "dim")
    rows = _records(page.rows, now) if width < NARROW else _table(page.rows, now)
    shown = count(len(page.rows), "run")
    foot = f"{shown} and more: --cursor {page.cursor}" if page.cursor else f"{shown}."
    return Group(rows, Text(""), line(foot, style="dim"))


def _table(rows: Sequence["RunRow"], now: int) -> RenderableType:
    table = grid("", "Run", "Workflow", "Status", "Started", "Why", wrap=("Workflow", "Why"))
    for row in rows:
        table.add_row(
            mark(row.status),
            line(row.id),
            line(workflow_name(row.namespace, row.workflow), " ", row.version),
            status_text(row.status),
            age(now, row.created_at),
            why(row, now),
        )
    return table


def _records(rows: Sequence["RunRow"], now: int) -> RenderableType:
    records: list[RenderableType] = []
    for row in rows:
        name = line(workflow_name(row.namespace, row.workflow), " ", row.version)
        ago = Text(f" {age(now, row.created_at)}", "dim")
        records.append(line(mark(row.status), " ", name, "  ", status_text(row.status), ago))
        records.append(indented(line(row.id, style="dim")))
        reason = why(row, now)
        if reason:
            records.append(indented(reason))
    return Group(*records)


def why(row: "RunRow", now: int) -> Text:
    """Why a run is where it is, as far as its row knows."""
    parts: list[str] = []
    if row.failed_step or row.failure_code:
        kind = f" ({row.failure_kind})" if row.failure_kind else ""
        parts.append(f"{row.failed_step or 'the run'}: {row.failure_code}{kind}")
    if row.wake_at is not None and not row.ended_at:
        parts.append(f"goes on {age(now, row.wake_at)}")
    if row.retry_of:
        parts.append(f"retry of {row.retry_of}")
    return line("; ".join(parts))


def workflow_name(namespace: str, name: str) -> str:
    """A workflow's name as `handrail run` takes it.

    >>> workflow_name("default", "greet"), workflow_name("demo", "greet")
    ('greet', 'demo/greet')
    """
    return name if namespace == "default" else f"{namespace}/{name}"


def failure_groups(groups: Sequence["FailureGroup"], now: int) -> RenderableType:
    """The ways in which runs failed, the most frequent first as the engine gives them."""
    if not groups:
        return Text("No failed runs match.", "dim")
    table = grid("Runs", "Workflow", "Step", "Failure", "Last", wrap=("Workflow", "Failure"))
    for group in groups:
        table.add_row(
            Text(f"{group.count:,}", "bold"),
            line(group.workflow),
            line(group.step),
            line(group.code, " (", group.kind, ")"),
            age(now, group.last_at),
        )
    latest = max(groups, key=lambda group: group.last_at)
    last = line("The latest: handrail show ", latest.last_run, style="dim")
    return Group(table, Text(""), last)

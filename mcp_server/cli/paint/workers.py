"""The workers of a database, and what happens next with those that are silent."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import NARROW, grid, indented, line, mark, status_text
from mcp_server.words import age, count

if TYPE_CHECKING:
    from engine.core.views import Crew, WorkerView


def worker_list(crew: "Crew", now: int, width: int) -> RenderableType:
    """The table, and what there is to say about it."""
    parts: list[RenderableType] = []
    if crew.workers:
        draw = _records if width < NARROW else _table
        parts += [draw(crew.workers, now), Text(""), line(_sum(crew), style="dim")]
    else:
        parts.append(Text("No worker.", "dim"))
    if crew.advice:
        parts.append(line(crew.advice, style="yellow"))
    return Group(*parts)


def _table(workers: Sequence["WorkerView"], now: int) -> RenderableType:
    heads = ("", "Worker", "Host", "Pid", "State", "Runs", "Version", "Started", "Last seen")
    table = grid(*heads, "", wrap=("Worker", "Version", ""))
    table.columns[0].no_wrap = True
    for worker in workers:
        table.add_row(
            mark(worker.state),
            line(worker.name),
            line(worker.host),
            str(worker.pid),
            status_text(worker.state),
            _runs(worker),
            line(_version(worker)),
            age(now, worker.started_at),
            age(now, worker.seen_at),
            line(worker.next_step, style="dim"),
        )
    return table


def _records(workers: Sequence["WorkerView"], now: int) -> RenderableType:
    records: list[RenderableType] = []
    for worker in workers:
        head = line(mark(worker.state), " ", worker.name, "  ", status_text(worker.state))
        records.append(line(head, line(f"  {_runs(worker)} runs", style="dim")))
        where = f"{worker.host}, pid {worker.pid}, {_version(worker)}"
        records.append(indented(line(where, style="dim")))
        seen = f"started {age(now, worker.started_at)}, last seen {age(now, worker.seen_at)}"
        records.append(indented(line(seen, style="dim")))
        records += [indented(line(worker.next_step))] if worker.next_step else []
    return Group(*records)


def _runs(worker: "WorkerView") -> str:
    return f"{worker.held:,}/{worker.capacity:,}"


def _version(worker: "WorkerView") -> str:
    return f"{worker.version} {worker.release}".strip()


def _sum(crew: "Crew") -> str:
    held = sum(worker.held for worker in crew.workers)
    return f"{count(len(crew.workers), 'worker')}, {count(held, 'run')} under way."

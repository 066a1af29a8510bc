"""`handrail init`: a small folder of documents that works at once and can be changed.

It needs no network: the task is a transform. Nothing that exists is ever overwritten.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from rich.console import RenderableType

WORKFLOW = """\
apiVersion: workflow.io/v1
kind: Workflow
metadata:
  name: order-total
spec:
  description: Add up the amounts of an order and say how many there are.
  categories: [orders]
  tags: [example]
  input:
    amounts:
      type: array
      required: true
      description: What each line of the order costs
  tasks:
    - id: add-up
      taskRef: sum-amounts
      input:
        data: "{{input.amounts}}"
  output:
    total: "{{tasks.add-up.output.result.total}}"
    lines: "{{tasks.add-up.output.result.count}}"
  examples:
    - name: two lines
      input: {amounts: [12.5, 30]}
"""

TASK = """\
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata:
  name: sum-amounts
spec:
  type: transform
  description: The sum of a list of amounts, and how many there are.
  transform:
    input: "$"
    pipeline:
      - operation: aggregate
        aggregations:
          total: "sum($)"
          count: "count()"
"""

README = """\
# Workflows

Each file holds one document or several: a `Workflow` is what somebody runs, a `WorkflowTask` is
one step's work. `order-total.yaml` is a workflow; `tasks/sum-amounts.yaml` is the task it uses.

Check the folder after each change:

    handrail check .

Run the example:

    handrail run order-total --workflows . "amounts=[12.5, 30]"

Let an assistant use it:

    handrail connect claude-desktop --workflows .
"""

FILES = {"order-total.yaml": WORKFLOW, "tasks/sum-amounts.yaml": TASK, "README.md": README}


@click.command(cls=HandrailCommand)
@click.argument("folder", metavar="[DIR]", default="workflows", type=click.Path(path_type=Path))
@click.pass_obj
def init_command(session: Session, /, folder: Path) -> int:
    """Write a small working folder of workflows to DIR (default: workflows).

    One workflow, one task and a README. A file that is there already is never overwritten: then
    nothing is written at all.
    """
    written = write_files(folder)
    session.screen.result({"folder": folder, "written": written}, lambda _: _said(folder, written))
    return Exit.OK


def _said(folder: Path, written: Sequence[Path]) -> "RenderableType":
    import shlex

    from rich.console import Group
    from rich.text import Text

    from mcp_server.cli.paint.marks import indented, line

    where = shlex.quote(str(folder))
    return Group(
        Text("Written:"),
        *(indented(line(str(path))) for path in written),
        Text("\nTry it:"),
        indented(line(f"handrail check {where}", style="cyan")),
        # These quotes mean the same to every shell, cmd.exe included.
        indented(
            line(f'handrail run order-total --workflows {where} "amounts=[12.5, 30]"', style="cyan")
        ),
    )


def write_files(folder: Path) -> list[Path]:
    """Write the files and return their paths. Raises Stop when one of them exists."""
    paths = {folder / name: text for name, text in FILES.items()}
    taken = [path for path in paths if path.exists()]
    if taken:
        raise Stop(
            Exit.REFUSED, "file_exists", f"{taken[0]} exists already; nothing was written",
            "give another folder: handrail init DIR", move="caller",
        )  # fmt: skip
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return list(paths)

"""`handrail init`: a small folder of documents that works at once and can be changed.

It needs no network: the task is a transform. Nothing that exists is ever overwritten.
"""

from pathlib import Path

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

WORKFLOW = """\
apiVersion: workflow.io/v1
kind: Workflow
metadata:
  name: order-total
spec:
  description: Add up the lines of an order and say how many there are.
  categories: [orders]
  tags: [example]
  input:
    lines:
      type: array
      required: true
      description: The order's lines, each with an amount
  tasks:
    - id: add-up
      taskRef: sum-amounts
      input:
        data: "{{input.lines}}"
  output:
    total: "{{tasks.add-up.output.result.total}}"
    lines: "{{tasks.add-up.output.result.count}}"
  examples:
    - name: two lines
      input:
        lines: [{amount: 12.5}, {amount: 30}]
"""

TASK = """\
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata:
  name: sum-amounts
spec:
  type: transform
  description: The sum of all amounts in a list, and how many there are.
  transform:
    input: "$"
    pipeline:
      - operation: aggregate
        aggregations:
          total: "sum($.amount)"
          count: "count()"
"""

README = """\
# Workflows

Each file holds one document or several: a `Workflow` is what somebody runs, a `WorkflowTask` is
one step's work. `order-total.yaml` is a workflow; `tasks/sum-amounts.yaml` is the task it uses.

Check the folder after each change:

    handrail check .

Run the example:

    handrail run order-total --workflows . --input '{"lines": [{"amount": 12.5}, {"amount": 30}]}'

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
    from rich.text import Text

    written = write_files(folder)
    lines = [f"  {path}" for path in written]
    steps = (
        f"\nCheck it: handrail check {folder}\nRun it:   handrail run order-total --workflows "
        f'{folder} --input \'{{"lines": [{{"amount": 12.5}}, {{"amount": 30}}]}}\''
    )
    session.screen.result(
        {"folder": folder, "written": written},
        lambda _: Text("\n".join(["Written:", *lines, steps])),
    )
    return Exit.OK


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

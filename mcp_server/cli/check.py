"""`handrail check`: every problem of a folder of documents, and nothing else.

The folder is read the way a server reads it, into a database that is thrown away: neither runs
nor versions of the real one are touched, so a clash with a published version is not seen here.
"""

import os
import tempfile
from pathlib import Path

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session


@click.command(cls=HandrailCommand)
@click.argument(
    "folder", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--strict", is_flag=True, help="A warning fails the check too.")
@click.pass_obj
def check_command(session: Session, /, folder: Path, strict: bool) -> int:
    """Check the documents in FOLDER and list every problem with its place and a hint.

    Exit code 1 when there is an error, or with --strict a warning. Made for CI and editors:
    each problem begins with FILE:LINE.
    """
    from mcp_server.cli.opening import carry_out

    return carry_out(_check(session, folder, strict))


async def _check(session: Session, folder: Path, strict: bool) -> int:
    from engine import Settings, open_engine
    from mcp_server.cli.paint.reports import checked

    with tempfile.TemporaryDirectory(prefix="handrail-check-") as scratch:
        database = os.path.join(scratch, "check.db")
        async with open_engine(
            Settings(database=database, folders=(folder,), work=False)
        ) as engine:
            problems = engine.problems()
            workflows, tasks = len(engine.workflows()), len(engine.tasks())
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    failed = bool(errors or (strict and warnings))
    counts = {"errors": errors, "warnings": warnings, "workflows": workflows, "tasks": tasks}
    session.screen.result(
        {"ok": not failed, **counts, "problems": problems},
        lambda _: checked(problems, workflows, tasks, failed=failed),
    )
    return Exit.FAILED if failed else Exit.OK

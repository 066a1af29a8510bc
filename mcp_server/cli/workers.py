"""`handrail workers`: who carries out runs on this database, and whether that is enough."""

from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.core.views import Crew


@click.command(cls=HandrailCommand)
@click.option("--name", default="", metavar="TEXT", help="Only workers of this name.")
@click.option("--ready", is_flag=True, help="Exit with 1 unless one of them takes up runs.")
@click.pass_obj
def workers_command(session: Session, /, name: str, ready: bool) -> int:
    """List the workers: what they hold, when they were last seen, whether they take up runs.

    Servers that carry out runs are workers too. `--ready` is for a probe: 0 while a worker
    takes up runs, 1 when all are draining, stale or gone.
    """
    from mcp_server.cli.opening import carry_out

    return carry_out(_workers(session, name, ready))


async def _workers(session: Session, name: str, ready: bool) -> int:
    from dataclasses import replace

    from mcp_server.cli.opening import opened

    async with opened(session) as engine:
        crew = await engine.crew()
    if name:
        crew = replace(crew, workers=tuple(w for w in crew.workers if w.name == name))
    _told(session, crew)
    return Exit.FAILED if ready and not crew.working else Exit.OK


def _told(session: Session, crew: "Crew") -> None:
    from mcp_server.cli.paint.workers import worker_list

    now = session.now()
    session.screen.result(crew, lambda width: worker_list(crew, now, width))

"""`handrail cancel`: a run is to stop."""

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session


@click.command(cls=HandrailCommand)
@click.argument("run", metavar="RUN")
@click.option("--reason", default="", help="Why, for whoever reads the run later.")
@click.pass_obj
def cancel_command(session: Session, /, run: str, reason: str) -> int:
    """End RUN now; what it has done so far is kept. RUN is an id or `last`."""
    from mcp_server.cli.opening import carry_out

    return carry_out(_cancel(session, run, reason))


async def _cancel(session: Session, run: str, reason: str) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.timeline import run_timeline
    from mcp_server.cli.show import run_id

    async with opened(session) as engine:
        wanted = await run_id(engine, run)
        view = await engine.cancel(
            wanted, actor=session.actor, reason=reason, requester=session.requester
        )
    session.screen.result(view, lambda _: run_timeline(view, session.now()))
    return Exit.OK

"""`handrail show`: one run, or one approval, readable from top to bottom."""

from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.app.engine import Engine

LAST = "last"
APPROVAL = "apr_"


@click.command(cls=HandrailCommand)
@click.argument("run", metavar="RUN", default=LAST)
@click.option("--all", "everything", is_flag=True, help="The input and every item of loops too.")
@click.option("--follow", "-f", is_flag=True, help="Work on it, and wait until it ends.")
@click.pass_obj
def show_command(session: Session, /, run: str, everything: bool, follow: bool) -> int:
    """Show a run: its steps and attempts, its output, whose move it is.

    RUN is an id, or `last` for the newest run. With --follow the exit code is the run's. The id of
    an approval (apr_...) shows its plan whole, and what became of it.
    """
    from mcp_server.cli.opening import carry_out

    if run.startswith(APPROVAL):
        return carry_out(_approval(session, run))
    return carry_out(_show(session, run, everything, follow))


async def _approval(session: Session, approval: str) -> int:
    from mcp_server.cli.approvals import mention_lack
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.approvals import approval_details

    async with opened(session) as engine:
        view = await engine.approvals.get(approval)
        now = session.now()
        session.screen.result(view, lambda width: approval_details(view, now, width))
        if view.state in ("pending", "approved"):
            await mention_lack(session, engine)
    return Exit.OK


async def _show(session: Session, run: str, everything: bool, follow: bool) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.timeline import run_timeline
    from mcp_server.cli.run import finish

    async with opened(session, work=follow) as engine:
        view = await engine.run(await run_id(engine, run))
        if follow:
            return await finish(session, engine, view, None)
    now = session.now()
    session.screen.result(view, lambda _: run_timeline(view, now, everything=everything))
    return Exit.OK


async def run_id(engine: "Engine", text: str) -> str:
    """The id that a person's word means. Raises Stop when there is no run at all."""
    if text != LAST:
        return text
    page = await engine.runs(limit=1)
    if not page.rows:
        raise Stop(Exit.USAGE, "unknown_run", "there is no run yet", "start one: handrail run NAME")
    return page.rows[0].id

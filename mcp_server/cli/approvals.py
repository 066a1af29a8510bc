"""`handrail approvals`: what waits for a person, and the page where it can be decided."""

from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.app.engine import Engine


@click.command(cls=HandrailCommand)
@click.option("--all", "everything", is_flag=True, help="Those that were decided or ran out too.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, help="At most so many (20).")
@click.option("--cursor", default="", help="Where the last page ended.")
@click.option("--open", "page", is_flag=True, help="Open the approval page in a browser.")
@click.pass_obj
def approvals_command(
    session: Session, /, everything: bool, limit: int, cursor: str, page: bool
) -> int:
    """List what waits for a person: approvals, outcomes that nobody knows, runs that are stuck.

    \b
      handrail approvals            what is asked, and by whom
      handrail show apr_...         one plan, every operation and value
      handrail approve apr_...      allow it
    """
    from mcp_server.cli.opening import carry_out

    if not page:
        return carry_out(_list(session, everything, limit, cursor))
    try:
        return carry_out(_open(session))
    except KeyboardInterrupt:  # how a person ends it
        return Exit.OK


async def _list(session: Session, everything: bool, limit: int, cursor: str) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.approvals import approval_page, needing

    async with opened(session) as engine:
        now = session.now()
        if everything or cursor:
            found = await engine.approvals.list(
                open_only=not everything, limit=limit, cursor=cursor
            )
            value = {"approvals": found.rows, "cursor": found.cursor}
            session.screen.result(value, lambda _: approval_page(found, now))
        else:
            waits = await engine.approvals.needing()
            session.screen.result(waits, lambda _: needing(waits, now))
        await mention_lack(session, engine)
    return Exit.OK


async def mention_lack(session: Session, engine: "Engine") -> None:
    """Say on stderr when nobody can decide, or nobody would carry out what is decided."""
    if not await engine.approvals.has_approver():
        session.screen.note("no PIN is set, so nobody can approve: handrail approver init")
    if not (await engine.crew()).working:
        session.screen.note(
            "no worker is alive: what is approved waits for one; "
            "`handrail approve ID --run` carries it out, and so does `handrail worker`"
        )


async def _open(session: Session) -> int:
    import webbrowser

    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.marks import line
    from mcp_server.console import Console

    async with opened(session) as engine, Console(engine) as console:
        link = await console.link()
        session.screen.result({"url": link}, lambda _: line(link))
        if not session.json:
            webbrowser.open(link)
        if console.serving:
            session.screen.note("The page is open as long as this command runs; Ctrl-C ends it.")
            await console.served()
    return Exit.OK

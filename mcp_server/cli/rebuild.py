"""`handrail rebuild`: the tables drawn again from the journal, then the journal's chain walked."""

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session


@click.command(cls=HandrailCommand)
@click.pass_obj
def rebuild_command(session: Session, /) -> int:
    """Rebuild every table from the journal, then verify the journal's hash chain.

    Nothing is lost by it: the journal is the truth, and the tables are pictures of it.
    """
    from mcp_server.cli.opening import carry_out

    return carry_out(_rebuild(session))


async def _rebuild(session: Session) -> int:
    from rich.text import Text

    from mcp_server.cli.opening import opened
    from mcp_server.cli.shape import shape
    from mcp_server.words import count

    async with opened(session) as engine:
        session.screen.note("Rebuilding the tables from the journal ...")
        events = await engine.rebuild()
        session.screen.note("Verifying the chain ...")
        chain = await engine.verify()
    intact = not chain.problems
    said = f"Rebuilt from {count(events, 'event')}; the chain is "
    said += "intact." if intact else "BROKEN: see `handrail doctor`."
    value = {"rebuilt": events, "chain": {"ok": intact, **shape(chain)}}
    session.screen.result(value, lambda _: Text(said, "green" if intact else "red"))
    return Exit.OK if intact else Exit.DATABASE

"""`handrail grants`: what a person has allowed for longer than once."""

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session


@click.command(cls=HandrailCommand)
@click.pass_obj
def grants_command(session: Session, /) -> int:
    """List standing grants: rules made by "always allow", workflows that run by themselves.

    `handrail revoke ID` takes one back.
    """
    from mcp_server.cli.opening import carry_out

    return carry_out(_grants(session))


async def _grants(session: Session) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.approvals import grant_list

    async with opened(session) as engine:
        found = await engine.approvals.grants()
    now = session.now()
    session.screen.result({"grants": found}, lambda _: grant_list(found, now))
    return Exit.OK

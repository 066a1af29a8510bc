"""`handrail accept`: a person lets a version run that changes systems outside."""

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session


@click.command(cls=HandrailCommand)
@click.argument("name", metavar="WORKFLOW")
@click.option("--version", default="", metavar="V", help="A version other than the newest.")
@click.pass_obj
def accept_command(session: Session, /, name: str, version: str) -> int:
    """Accept a pending version of WORKFLOW, so that it may be run.

    It is shown first: every step that changes something, and where. Code and PIN are asked for.
    Each run of it still asks before it changes anything.
    """
    from mcp_server.cli.opening import carry_out

    bare, _, pinned = name.partition("@")
    return carry_out(_accept(session, bare, version or pinned))


async def _accept(session: Session, name: str, version: str) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.marks import line

    async with opened(session) as engine:
        await engine.approvals.accept(name, version, requester=session.requester)
        info = (await engine.details(name, version)).info
    value = {"accepted": f"{info.namespace}/{info.name}", "version": info.version}
    session.screen.result(value, lambda _: line(f"{info.name} {info.version} is accepted."))
    return Exit.OK

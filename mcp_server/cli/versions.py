"""`handrail versions`: which versions a workflow has, and which one runs by default."""

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session


@click.command(cls=HandrailCommand)
@click.argument("name", metavar="NAME")
@click.option("--default", "default", metavar="V", help="Make V the default; `latest` follows.")
@click.option("--deprecate", metavar="V", help="Let V take no new runs unless asked for by V.")
@click.option("--undo", is_flag=True, help="With --deprecate: take the deprecation back.")
@click.pass_obj
def versions_command(
    session: Session, /, name: str, default: str | None, deprecate: str | None, undo: bool
) -> int:
    """List the versions of NAME with their runs; choose the default or deprecate one.

    `--default latest` takes a choice back: the newest accepted version is the default again.
    """
    from mcp_server.cli.opening import carry_out

    if undo and not deprecate:
        raise Stop(Exit.USAGE, "usage", "--undo belongs to --deprecate V", "say which version")
    return carry_out(_versions(session, name, default, deprecate, undo))


async def _versions(
    session: Session, name: str, default: str | None, deprecate: str | None, undo: bool
) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.reports import version_list

    async with opened(session) as engine:
        if default:
            await engine.set_default(name, default, requester=session.requester)
        if deprecate:
            await engine.deprecate(name, deprecate, requester=session.requester, undo=undo)
        versions = await engine.versions(name)
    now = session.now()
    session.screen.result({"versions": versions}, lambda _: version_list(versions, now))
    return Exit.OK

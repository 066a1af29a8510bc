"""`handrail workflows`: list them, search them, read one."""

from typing import TYPE_CHECKING, Any

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.core.discovery.match import Match


@click.command(cls=HandrailCommand)
@click.argument("name", metavar="[NAME[@VERSION]]", required=False, default="")
@click.option("--query", default="", metavar="WORDS", help="Search, best fit first.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, help="At most so many hits (20)."
)
@click.option("--all", "everything", is_flag=True, help="Deprecated workflows too.")
@click.pass_obj
def workflows_command(session: Session, /, name: str, **options: Any) -> int:
    """List the workflows, search them with --query, or read the one called NAME."""
    from mcp_server.cli.opening import carry_out

    if name and options["query"]:
        raise Stop(Exit.USAGE, "usage", "give a NAME or a --query, not both", "leave one out")
    return carry_out(_read(session, name) if name else _list(session, **options))


async def _read(session: Session, name: str) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.workflows import workflow_page

    bare, _, version = name.partition("@")
    async with opened(session) as engine:
        details = await engine.details(bare, version)
    session.screen.result(details, lambda _: workflow_page(details))
    return Exit.OK


async def _list(session: Session, query: str, limit: int, everything: bool) -> int:
    from mcp_server.cli.opening import mention_problems, opened
    from mcp_server.cli.paint.workflows import workflow_list

    async with opened(session) as engine:
        mention_problems(session, engine)
        if query:
            return _found(session, await engine.matching.match(query, limit=limit))
        listed = engine.workflows(include_deprecated=everything)
    session.screen.result({"workflows": listed}, lambda width: workflow_list(listed, width))
    return Exit.OK


def _found(session: Session, match: "Match") -> int:
    from mcp_server.cli.paint.matches import match_page

    value = {"hits": match.found.hits, "bestMatch": match.best}
    session.screen.result(value, lambda width: match_page(match, width))
    return Exit.OK

"""`handrail retry`: a failed run once more, as a new run."""

import click

from mcp_server.cli.session import HandrailCommand, Session


@click.command(cls=HandrailCommand)
@click.argument("run", metavar="RUN")
@click.option("--version", default="", metavar="V", help="With another version, for a fix.")
@click.option("--wait", metavar="TIME", help="Wait at most so long (30s); 0 starts and leaves.")
@click.pass_obj
def retry_command(session: Session, /, run: str, version: str, wait: str | None) -> int:
    """Try RUN again as a new run, with the same input, and wait for it.

    What the old run completed is taken over when the version is the same. RUN is an id or `last`.
    """
    from mcp_server.cli.opening import carry_out
    from mcp_server.cli.run import span

    return carry_out(_retry(session, run, version, span("--wait", wait)))


async def _retry(session: Session, run: str, version: str, wait: int | None) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.run import finish
    from mcp_server.cli.show import run_id

    async with opened(session, work=wait != 0) as engine:
        old = await run_id(engine, run)
        new = await engine.retry(
            old, actor=session.actor, version=version, requester=session.requester
        )
        return await finish(session, engine, new, wait)

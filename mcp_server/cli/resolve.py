"""`handrail resolve`: a person says whether a change happened whose answer never came."""

from typing import Any

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

VERDICTS = {
    "happened": "happened",
    "did-not-happen": "did_not_happen",
    "did_not_happen": "did_not_happen",  # as tools spell it
    "skip": "skip",
}


@click.command(cls=HandrailCommand)
@click.argument("run", metavar="RUN")
@click.argument("step", metavar="STEP")
@click.argument(
    "verdict", metavar="happened|did-not-happen|skip", type=click.Choice(list(VERDICTS))
)
@click.option(
    "--result", default="", metavar="JSON", help="What the step returned, if it happened."
)
@click.pass_obj
def resolve_command(session: Session, /, run: str, step: str, verdict: str, result: str) -> int:
    """Say what became of STEP of RUN: look at the other system first, then tell Handrail.

    \b
      happened         it did: the run goes on with --result as the step's output
      did-not-happen   it did not: it is sent once more, exactly as it was allowed
      skip             the run goes on without it

    The consequences are shown; code and PIN are asked for.
    """
    from mcp_server.cli.opening import carry_out

    return carry_out(_resolve(session, run, step, VERDICTS[verdict], _value(result)))


def _value(text: str) -> Any:
    import json

    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise click.BadParameter(f"it is not JSON: {error}", param_hint="--result") from None


async def _resolve(session: Session, run: str, step: str, verdict: str, result: Any) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.timeline import run_timeline
    from mcp_server.cli.show import run_id

    async with opened(session) as engine:
        wanted = await run_id(engine, run)
        await engine.approvals.resolve(wanted, step, verdict, result, requester=session.requester)
        view = await engine.run(wanted)
    session.screen.result(view, lambda _: run_timeline(view, session.now()))
    return Exit.OK

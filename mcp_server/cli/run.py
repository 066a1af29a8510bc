"""`handrail run`: start a workflow, wait for it, show how it went."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.core.views import DryRun, RunView

FOR_EVER = 1e9
"""Seconds; about thirty years, for who sets no limit to a wait."""


@click.command(cls=HandrailCommand)
@click.argument("name", metavar="NAME[@VERSION]")
@click.argument("inputs", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--input", "given", metavar="JSON", multiple=True, help="JSON, @FILE, @- or k=v.")
@click.option("--version", default="", metavar="V", help="A version other than the default.")
@click.option("--dry-run", is_flag=True, help="Show what would happen; call and record nothing.")
@click.option("--key", default="", help="Start once per key: the same key gives the same run.")
@click.option("--wait", metavar="TIME", help="Wait at most so long (30s); 0 starts and leaves.")
@click.option("--deadline", metavar="TIME", help="The run fails when it takes longer (5m).")
@click.pass_obj
def run_command(session: Session, /, name: str, version: str, **options: Any) -> int:
    """Run the workflow NAME and wait for it.

    Inputs are `userId=3`, JSON, or files; they are merged from left to right. Interrupting the
    wait leaves the run as it is: it is durable and goes on.

    \b
      handrail run demo/user-profile userId=3
      handrail run refund --input @refund.json --dry-run
    """
    from mcp_server.cli.opening import carry_out

    bare, _, pinned = name.partition("@")
    return carry_out(_run(session, bare, version or pinned, options))


async def _run(session: Session, name: str, version: str, options: dict[str, Any]) -> int:
    from mcp_server.cli.inputs import read_inputs
    from mcp_server.cli.opening import mention_problems, opened

    parts = [*options["given"], *options["inputs"]]
    wait, deadline = span("--wait", options["wait"]), span("--deadline", options["deadline"])
    async with opened(session, work=wait != 0 and not options["dry_run"]) as engine:
        mention_problems(session, engine)
        fields = (await engine.details(name, version)).info.inputs if parts else ()
        given = read_inputs(parts, fields)
        if options["dry_run"]:
            return _planned(session, await engine.dry_run(name, given, version))
        run = await engine.start(
            name,
            given,
            version=version,
            key=options["key"],
            deadline=deadline,
            actor=session.actor,
            requester=session.requester,
        )
        return await finish(session, engine, run, wait)


def span(option: str, text: str | None) -> int | None:
    """The microseconds that an option's text means; None stays None."""
    from mcp_server.words import parse_span

    try:
        return None if text is None else parse_span(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _planned(session: Session, plan: "DryRun") -> int:
    from mcp_server.cli.paint.plan import dry_run

    session.screen.result(plan, lambda _: dry_run(plan))
    return Exit.OK if plan.valid else Exit.USAGE


async def finish(session: Session, engine: "Engine", run: "RunView", wait: int | None) -> int:
    """Wait for a run, print it, and give the exit code that it earned.

    The session knows the id meanwhile, so that an interruption can name the run that goes on.
    """
    from mcp_server.cli.asking import decided_here, mention
    from mcp_server.cli.follow import follow, note_of_waiting, settled
    from mcp_server.cli.paint.timeline import run_timeline

    session.following = run.id
    if wait != 0:
        seconds = FOR_EVER if wait is None else wait / 1_000_000
        run = replace(await follow(session, engine, run.id, seconds), reused=run.reused)
        while await decided_here(session, engine, run):
            run = replace(await follow(session, engine, run.id, seconds), reused=run.reused)
    session.following = ""
    session.screen.result(run, lambda _: run_timeline(run, session.now()))
    await mention(session, engine, run)
    if not settled(run):
        session.screen.note(note_of_waiting(run))
        return Exit.OK if wait == 0 else Exit.FAILED
    return outcome(run.status)


def outcome(status: str) -> Exit:
    """The exit code for a run that nobody needs to wait for any more.

    >>> [outcome(status).name for status in ("completed", "failed:logic", "paused:approval")]
    ['OK', 'FAILED', 'WAITS']
    """
    if status == "completed":
        return Exit.OK
    if status == "paused:approval":
        return Exit.WAITS
    return Exit.REFUSED if status.startswith("paused:") else Exit.FAILED

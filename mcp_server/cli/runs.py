"""`handrail runs`: what ran, what needs somebody, and in which ways runs failed."""

from typing import TYPE_CHECKING, Any

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.core.views import RunFilter

MOVES = ("engine", "clock", "person", "outside", "none")


@click.command(cls=HandrailCommand)
@click.option("--workflow", default="", metavar="NAME", help="Of one workflow.")
@click.option("--version", default="", metavar="V", help="Of one version.")
@click.option("--status", default="", help="In a status: failed:logic, or failed, or paused.")
@click.option("--kind", default="", help="Whose failure is of a kind, such as network.")
@click.option("--whose-move", default="", type=click.Choice(["", *MOVES]), metavar="WHO",
              help=f"That wait for: {', '.join(MOVES)}.")  # fmt: skip
@click.option("--since", metavar="TIME", help="Created since: 2h, 7d, 2026-11-21, RFC 3339.")
@click.option("--until", metavar="TIME", help="Created before.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, help="At most so many (20).")
@click.option("--cursor", default="", help="Where the last page ended.")
@click.option("--group", is_flag=True, help="Group failures by workflow, step, kind and code.")
@click.pass_obj
def runs_command(session: Session, /, **options: Any) -> int:
    """List runs, the newest first; filters narrow the list.

    \b
      handrail runs --whose-move person     what needs somebody?
      handrail runs --group --since 1d      what fails, and how often?
    """
    from mcp_server.cli.opening import carry_out

    return carry_out(_runs(session, options))


async def _runs(session: Session, options: dict[str, Any]) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.runs import failure_groups, run_page

    now, limit = session.now(), options["limit"]
    wanted = filter_of(options, now)
    async with opened(session) as engine:
        if options["group"]:
            groups = await engine.failures(wanted, limit)
            session.screen.result({"failures": groups}, lambda _: failure_groups(groups, now))
        else:
            page = await engine.runs(wanted, limit, options["cursor"])
            value = {"runs": page.rows, "cursor": page.cursor}
            session.screen.result(value, lambda width: run_page(page, now, width))
    return Exit.OK


def filter_of(options: dict[str, Any], now: int) -> "RunFilter":
    """The filter that the options describe."""
    from engine import views

    names = ("workflow", "version", "status", "kind", "whose_move")
    wanted: RunFilter = views.RunFilter(
        **{name: options[name] for name in names},
        since=_when("--since", options["since"], now),
        until=_when("--until", options["until"], now),
    )
    return wanted


def _when(option: str, text: str | None, now: int) -> int | None:
    from mcp_server.words import parse_when

    try:
        return None if text is None else parse_when(text, now)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None

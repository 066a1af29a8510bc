"""`handrail approver`: who may allow what, and their PIN, which is set at a terminal only."""

from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from mcp_server.cli.tty import Terminal

ACTIONS = ("init", "change", "list")


@click.command(cls=HandrailCommand)
@click.argument("action", metavar="init|change|list", type=click.Choice(ACTIONS))
@click.option("--name", default="", metavar="TEXT", help="Who approves; your user name otherwise.")
@click.pass_obj
def approver_command(session: Session, /, action: str, name: str) -> int:
    """Set the PIN with which a person allows changes, or change it.

    \b
      handrail approver init       once: the first PIN
      handrail approver change     a new PIN, with the old one
      handrail approver list       who may approve

    The PIN is typed at a terminal, twice, and never given on the command line.
    """
    from mcp_server.cli.opening import carry_out
    from mcp_server.cli.tty import terminal

    if action == "list":
        return carry_out(_list(session))
    with terminal(f"approver {action}") as tty:
        return carry_out(_set(session, tty, name or session.person, change=action == "change"))


async def _list(session: Session) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.approvals import approver_list

    async with opened(session) as engine:
        found = await engine.approvals.approvers()
    session.screen.result({"approvers": found}, lambda _: approver_list(found))
    return Exit.OK


async def _set(session: Session, tty: "Terminal", name: str, *, change: bool) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.marks import line
    from mcp_server.cli.pins import WHAT, new_pin
    from mcp_server.cli.tty import left

    async with opened(session) as engine:
        known = await engine.approvals.has_approver()
        _check(known, change=change)
        tty.say(WHAT)
        old = await tty.secret("The old PIN: ") if change else ""
        pin = await new_pin(tty, name)
        if not pin or (change and not old):
            raise left()
        await engine.approvals.enrol(name, pin, old=old)
    done = {"approver": name, "changed": change}
    session.screen.result(done, lambda _: line(f"{name} approves with the new PIN from now on."))
    return Exit.OK


def _check(known: bool, *, change: bool) -> None:
    """Say at once what the engine would say after the questions."""
    from engine import Move, Refused

    if known and not change:
        hint = "To have another PIN: handrail approver change"
        raise Refused("already_enrolled", "there is a PIN already", hint, move=Move.PERSON)
    if change and not known:
        hint = "Set the first one: handrail approver init"
        raise Refused("no_approver", "there is no PIN yet", hint, move=Move.PERSON)

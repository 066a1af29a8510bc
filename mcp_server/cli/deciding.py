"""`handrail approve`, `deny` and `revoke`: a person at a terminal decides, with code and PIN."""

from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine import ApprovalView
    from mcp_server.cli.tty import Terminal


@click.command(cls=HandrailCommand)
@click.argument("approval", metavar="ID")
@click.option("--run", "work", is_flag=True, help="Carry it out here, and wait until it rests.")
@click.option("--comment", default="", metavar="TEXT", help="Kept with the decision.")
@click.pass_obj
def approve_command(session: Session, /, approval: str, work: bool, comment: str) -> int:
    """Show the plan of the approval ID, and allow it: its code and your PIN are asked for.

    It works at a terminal only, whatever stdin is. A worker carries out what was allowed; with
    --run this process does, which is what to do where no worker is alive.
    """
    from mcp_server.cli.opening import carry_out
    from mcp_server.cli.tty import terminal

    with terminal("approve") as tty:
        return carry_out(_approve(session, tty, approval, comment, work))


@click.command(cls=HandrailCommand)
@click.argument("approval", metavar="ID")
@click.option("--comment", default="", metavar="TEXT", help="Why not; the assistant is told.")
@click.pass_obj
def deny_command(session: Session, /, approval: str, comment: str) -> int:
    """Show the plan of the approval ID, and say no to it: your PIN is asked for.

    A run that waits for it fails with the status failed:denied.
    """
    from mcp_server.cli.opening import carry_out
    from mcp_server.cli.tty import terminal

    with terminal("deny") as tty:
        return carry_out(_deny(session, tty, approval, comment))


@click.command(cls=HandrailCommand)
@click.argument("approval", metavar="ID")
@click.pass_obj
def revoke_command(session: Session, /, approval: str) -> int:
    """Take back a yes that nobody has begun to carry out, or a standing grant.

    Your PIN is asked for. What is under way already cannot be taken back by this.
    """
    from mcp_server.cli.opening import carry_out
    from mcp_server.cli.tty import terminal

    act = _revoke_grant if approval.startswith("grant_") else _revoke
    with terminal("revoke") as tty:
        return carry_out(act(session, tty, approval))


async def _approve(
    session: Session, tty: "Terminal", approval: str, comment: str, work: bool
) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.voting import approve

    async with opened(session, work=work) as engine:
        view = await engine.approvals.get(approval)
        if view.state != "approved":
            open_for_a_vote(view)
            view = await approve(session, engine, tty, view, comment)
        if work and view.run:
            from mcp_server.cli.asking import taken_up
            from mcp_server.cli.run import finish

            run = await engine.run(view.run)
            await taken_up(engine, run)
            return await finish(session, engine, run, None)
    return _said(session, view)


async def _deny(session: Session, tty: "Terminal", approval: str, comment: str) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.voting import deny

    async with opened(session) as engine:
        view = await engine.approvals.get(approval)
        open_for_a_vote(view)
        view = await deny(session, engine, tty, view, comment)
    return _said(session, view)


async def _revoke_grant(session: Session, tty: "Terminal", grant: str) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.marks import line
    from mcp_server.cli.pins import who
    from mcp_server.text import visible

    async with opened(session) as engine:
        session.asking = True
        tty.say(f"This takes the standing grant {visible(grant)} back.")
        await engine.approvals.revoke_grant(grant, approver=await who(tty, engine))
    session.screen.result({"revoked": grant}, lambda _: line(f"Taken back: {grant}"))
    return Exit.OK


async def _revoke(session: Session, tty: "Terminal", approval: str) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.pins import who
    from mcp_server.cli.voting import plan_text

    async with opened(session) as engine:
        view = await engine.approvals.get(approval)
        session.asking = True
        tty.say(plan_text(view, tty.width, session.now()))
        view = await engine.approvals.revoke(approval, approver=await who(tty, engine))
    return _said(session, view)


def open_for_a_vote(view: "ApprovalView") -> None:
    """Refuse to ask for a PIN where nothing is left to decide; raises Refused."""
    from engine import Refused

    if view.state == "expired":
        raise Refused(
            "expired", "the time to decide this has run out; nothing was changed",
            "Ask for it again: a fresh plan is shown.",
        )  # fmt: skip
    if view.state != "pending":
        hint = f"`handrail show {view.id}` says how it ended."
        raise Refused("already_decided", f"the approval is {view.state} already", hint)


def _said(session: Session, view: "ApprovalView") -> int:
    from mcp_server.cli.paint.approvals import decided

    session.screen.result(view, lambda _: decided(view))
    return Exit.OK

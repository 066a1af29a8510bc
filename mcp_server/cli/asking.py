"""What happens when a command needs a person's word first: at a terminal the person is asked.

A gated command has changed nothing. Where a person sits at it, the plan is shown and they may
decide there and then; otherwise the plan and the ways to decide are printed, and the exit code
says that it waits. It works the same for every command, so no command knows of it.
"""

from typing import TYPE_CHECKING, Any

from mcp_server.cli.ending import Exit, Stop, explain
from mcp_server.cli.session import Session
from mcp_server.cli.tty import LEFT, left
from mcp_server.words import rfc3339

if TYPE_CHECKING:
    from engine import ApprovalView
    from engine.app.engine import Engine
    from engine.core.views import RunView

LOOK, TIMES = 0.5, 20
"""Seconds until a run that was allowed is looked at again, and how often; then it is left."""

REPEATED = ("version.", "workflow.")
"""What was wanted comes after these: a command that asked for them is called once more."""


def asked_here(session: Session) -> bool:
    """Whether the person at this command can be asked."""
    from mcp_server.cli.tty import present

    return not session.json and present()


def at_the_gate(session: Session, view: "ApprovalView") -> bool:
    """Have the person decide if there is one; whether the command is to be called once more.

    Raises Stop `approval_required` or `setup_required` where nobody is here, Refused for a wrong
    code or PIN.
    """
    from mcp_server.cli.opening import carry_out
    from mcp_server.cli.tty import terminal

    if not asked_here(session):
        tell(session, view)
        raise waiting(view)
    with terminal() as tty:
        done = carry_out(_decided(session, tty, view))
    return _shown(session, done)


async def _decided(session: Session, tty: Any, view: "ApprovalView") -> "ApprovalView":
    from mcp_server.cli.opening import opened

    async with opened(session) as engine:
        return await decide(session, engine, tty, view)


async def decide(
    session: Session, engine: "Engine", tty: Any, view: "ApprovalView"
) -> "ApprovalView":
    """Ask the person at the terminal, for their first PIN too if there is none yet."""
    from mcp_server.cli.voting import approve, offer_pin

    tty.say("A person has to allow this; nothing was changed so far.")
    if not await offer_pin(session, engine, tty):
        raise left()
    return await approve(session, engine, tty, view)


def _shown(session: Session, done: "ApprovalView") -> bool:
    from mcp_server.cli.paint.approvals import decided

    if done.kind.startswith(REPEATED):
        return True
    session.screen.result(done, lambda _: decided(done))
    return False


def tell(session: Session, view: "ApprovalView") -> None:
    """The plan, on stderr, for whoever reads it later."""
    from mcp_server.cli.voting import WIDEST, plan_text

    session.screen.lines(plan_text(view, WIDEST, session.now()))


def waiting(view: "ApprovalView", link: str = "") -> Stop:
    """How a command ends that waits for a person who is not here."""
    details = {"approvalId": view.id, "code": view.code, "expiresAt": rfc3339(view.expires_at)}
    if not view.approver_exists:
        code, message = "setup_required", "this needs a person's approval, and no PIN is set"
        hint = "set one once, in a terminal: handrail approver init"
    else:
        code, message = "approval_required", "this needs a person's approval"
        hint = f"handrail approve {view.id}" + (f", or {link}" if link else "")
    return Stop(
        Exit.WAITS, code, f"{message}: {view.summary}", hint, move="person", details=details
    )


async def decided_here(session: Session, engine: "Engine", run: "RunView") -> bool:
    """Ask the person at this command about what a run waits for; whether they decided."""
    from mcp_server.cli.tty import terminal

    if run.status != "paused:approval" or not run.approval or not asked_here(session):
        return False
    view = await engine.approvals.get(run.approval)
    if view.state != "pending":
        return False
    with terminal() as tty:
        try:
            done = await decide(session, engine, tty, view)
        except Stop as stop:
            if stop.ending.code != LEFT:
                raise
            return False
        finally:
            session.asking = False
    if done.state == "approved":
        await taken_up(engine, run)
    return True


async def taken_up(engine: "Engine", run: "RunView") -> None:
    """Wait until a worker has taken the run up, as it does within moments where one lives."""
    import asyncio
    import contextlib

    for _ in range(TIMES):
        now = await engine.run(run.id)
        if now.status != "paused:approval" or now.approval != run.approval:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(engine.moved(), LOOK)


async def mention(session: Session, engine: "Engine", run: "RunView") -> None:
    """Say on stderr what a run waits for and how that is decided."""
    if run.status != "paused:approval" or not run.approval:
        return
    view = await engine.approvals.get(run.approval)
    if not asked_here(session):
        tell(session, view)
    ending = waiting(view).ending
    session.screen.note(ending.message)
    session.screen.note(f"  Your move: {ending.hint}")


def offer_first_pin(session: Session) -> None:
    """At a terminal, offer to set the first PIN; anything else than a PIN leaves it for later.

    Whoever comes here wanted something else, so no trouble with the database ends their command.
    """
    if not asked_here(session):
        return
    from mcp_server.cli.opening import carry_out
    from mcp_server.cli.tty import terminal

    try:
        with terminal() as tty:
            carry_out(_offered(session, tty))
    except Exception as error:
        if explain(error).exit is Exit.BUG:
            raise


async def _offered(session: Session, tty: Any) -> None:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.voting import offer_pin

    async with opened(session, strict=False) as engine:
        await offer_pin(session, engine, tty)

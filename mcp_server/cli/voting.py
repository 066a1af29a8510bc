"""A person decides at the terminal: reads the plan, types its code and the PIN.

The plan is shown in the engine's own words on the terminal itself, never on stdout, and the vote
is on exactly the bytes that were shown. An interruption anywhere before the last answer changes
nothing.
"""

from typing import TYPE_CHECKING

from mcp_server.cli.pins import WHAT, new_pin, who
from mcp_server.cli.session import Session
from mcp_server.cli.tty import Terminal, left
from mcp_server.text import visible
from mcp_server.words import age

if TYPE_CHECKING:
    from engine import ApprovalView
    from engine.app.engine import Engine

WIDEST = 96
"""Columns of a plan; longer lines are hard to read."""


_NO = frozenset({"n", "no"})


def plan_text(view: "ApprovalView", width: int, now: int) -> str:
    """The plan with the code by which it is known on every channel."""
    from engine.core.approval.render import text

    code = f"code {view.code}, for {_left(view, now)}"
    return f"\n{text(view.plan, width=min(width, WIDEST))}\n\n{code}\n"


def _left(view: "ApprovalView", now: int) -> str:
    words = age(now, view.expires_at)
    return words.removeprefix("in ") if view.expires_at > now else "no time any more"


async def approve(
    session: Session, engine: "Engine", tty: Terminal, view: "ApprovalView", comment: str = ""
) -> "ApprovalView":
    """Show a plan, and have it allowed with its code and a PIN, or denied with a PIN.

    Raises Refused, Stop when it is left.
    """
    session.asking = True
    tty.say(plan_text(view, tty.width, session.now()))
    code = await tty.line("To allow it type its code (no: deny it, Enter: leave it): ")
    if not code:
        raise left()
    if code.casefold() in _NO:
        approver = await who(tty, engine)
        return await engine.approvals.deny(
            view.id, digest=view.digest, approver=approver, comment=comment
        )
    check_code(code, view)
    typed = ""
    if view.confirm == "typed":
        typed = await tty.line(f"It destroys much. To allow it type {view.typed_words!r}: ")
    approver = await who(tty, engine)
    return await engine.approvals.approve(
        view.id, digest=view.digest, approver=approver, code=code, typed=typed, comment=comment
    )


async def deny(
    session: Session, engine: "Engine", tty: Terminal, view: "ApprovalView", comment: str
) -> "ApprovalView":
    """Show a plan, and say no to it with a PIN."""
    session.asking = True
    tty.say(plan_text(view, tty.width, session.now()))
    tty.say("This says no to it.")
    approver = await who(tty, engine)
    return await engine.approvals.deny(
        view.id, digest=view.digest, approver=approver, comment=comment
    )


def check_code(code: str, view: "ApprovalView") -> None:
    """Refuse another plan's code before the PIN is asked for; raises Refused `wrong_code`."""
    from engine import Move, Refused
    from engine.core.approval.state import same_code

    if not same_code(code, view.code):
        raise Refused(
            "wrong_code", "that is not the code of this plan; nothing was changed",
            "Compare what your assistant shows with `handrail approvals`.", move=Move.PERSON,
        )  # fmt: skip


async def offer_pin(session: Session, engine: "Engine", tty: Terminal) -> bool:
    """Offer to set the first PIN; whether there is an approver now."""
    if await engine.approvals.has_approver():
        return True
    tty.say(WHAT)
    name = session.person
    if not (pin := await new_pin(tty, name)):
        tty.say("No PIN was set. `handrail approver init` does it at any time.")
        return False
    await engine.approvals.enrol(name, pin)
    tty.say(f"The PIN of {visible(name)} is set.")
    return True

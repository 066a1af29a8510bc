"""Asking for a PIN at the terminal: a new one twice, a known one a few times.

How a PIN is kept and when the door closes is the engine's business. Here are only the words, and
what makes a new PIN too easy to guess.
"""

from typing import TYPE_CHECKING

from mcp_server.cli.tty import Terminal, left
from mcp_server.words import moment

if TYPE_CHECKING:
    from engine import Approver
    from engine.app.engine import Engine

SHORTEST = 6
TRIES = 3
"""How often a PIN may be wrong before the command gives up; the engine counts them all."""

_ROWS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORDS = frozenset({"password", "passwort", "handrail", "letmein", "secret", "approve", "approver"})

WHAT = """\
A PIN lets you, and nobody else, allow what Handrail would change outside.
Assistants never see it: type it only here and on the approval page.\
"""


def weak(pin: str, name: str = "") -> str:
    """What makes a PIN too easy to guess; empty when nothing does.

    >>> weak("12345"), weak("aaaaaa"), weak("654321"), weak("password1"), weak("blue7kite")
    ('it is shorter than 6 characters', 'it repeats itself', 'it is a row of keys', 'it is a word \
that everybody tries', '')
    """
    plain = pin.casefold()
    if len(pin) < SHORTEST:
        return f"it is shorter than {SHORTEST} characters"
    if len(set(plain)) < 3 or any(plain == plain[:n] * (len(plain) // n) for n in (1, 2, 3)):
        return "it repeats itself"
    if any(plain in row or plain[::-1] in row for row in _ROWS):
        return "it is a row of keys"
    if (word := plain.strip("0123456789!. ")) and word in {*_WORDS, name.casefold()}:
        return "it is a word that everybody tries"
    return ""


async def new_pin(tty: Terminal, name: str) -> str:
    """A PIN that was typed the same twice; asked again until it is good. Empty: none is wanted."""
    while pin := await tty.secret("New PIN, at least 6 characters (Enter: leave it): "):
        if reason := weak(pin, name):
            tty.say(f"Not this one: {reason}.")
        elif await tty.secret("Once more: ") != pin:
            tty.say("The two were not the same.")
        else:
            return pin
    return ""


async def who(tty: Terminal, engine: "Engine") -> "Approver":
    """The approver whose PIN is typed.

    Raises Refused `wrong_pin` after a few tries, `locked_out`, `no_approver`; Stop `left` for none.
    """
    from engine import Refused

    for last in range(TRIES, 0, -1):
        pin = await tty.secret("PIN: ")
        if not pin:
            raise left()
        try:
            return await engine.approvals.authenticate(pin, channel="terminal")
        except Refused as refused:
            if refused.code != "wrong_pin" or last == 1:
                raise in_words(refused) from None
            tty.say(_sentence(refused.message))
    raise AssertionError("unreachable")


def in_words(refused: "Exception") -> Exception:
    """A refusal with its time in words."""
    from engine import Refused

    if isinstance(refused, Refused) and refused.code == "locked_out":
        until = refused.details.get("until", 0)
        return Refused(
            refused.code, f"{refused.message}, until {moment(until)}", refused.hint,
            move=refused.move, details=refused.details,
        )  # fmt: skip
    return refused


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."

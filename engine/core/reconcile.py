"""What the engine does about a send that nobody knows the fate of, from what is declared of it.

Where the other system can be asked, it is asked: soon, then ever more rarely. Where a second send
does what the first did, or the key is still honoured, it is sent again, the same under the same
key. Else, and when all that has led to nothing, a person has to say (TRUST 3.2). Arithmetic only:
jitter arrives as a number in [0, 1), times are in microseconds.
"""

from engine.core.declared import Declared, Lookup
from engine.core.ledger import PROOF
from engine.core.retry import SECOND
from engine.core.state import Sending
from engine.core.value import value

BACKOFF = (SECOND, 5 * SECOND, 30 * SECOND, 120 * SECOND, 600 * SECOND)
"""Waiting before each look-up, and before each repeated send."""

_JITTER = 0.1
_PATIENT = 3
"""Look-ups that may come too early to prove anything; the others wait until they can."""


@value
class Look:
    """Ask the other system at `at`."""

    at: int


@value
class Again:
    """Send the same again at `at`."""

    at: int


@value
class Person:
    """The engine can do no more; `reason` is a stable machine word."""

    reason: str


Following = Look | Again | Person


def following(declared: Declared, sending: Sending, now: int, chance: float) -> Following:
    """What comes next at `now` for a mutation whose outcome is unknown."""
    lookup = declared.lookup
    if lookup is not None and sending.looks < len(BACKOFF) and sending.noes < PROOF:
        return Look(_look_at(lookup, sending, chance))
    kind = declared.idempotency.kind
    if kind == "none":
        return Person("no_way_to_know" if lookup is None else "looked_up_in_vain")
    if sending.tries > len(BACKOFF):
        return Person("sent_in_vain")
    at = max(now, sending.since + _jittered(BACKOFF[max(0, sending.tries - 1)], chance))
    if kind == "key" and at >= sending.first_at + (declared.idempotency.window or 0):
        return Person("key_expired")
    return Again(at)


def proven(lookup: Lookup, sending: Sending, at: int) -> bool:
    """Whether a "no" that is heard at `at` counts."""
    return lookup.finality >= 0 and at >= sending.sent_at + lookup.finality


def _look_at(lookup: Lookup, sending: Sending, chance: float) -> int:
    at = max(
        sending.since + _jittered(BACKOFF[sending.looks], chance), sending.sent_at + lookup.delay
    )
    if sending.looks >= _PATIENT:
        at = max(at, sending.sent_at + lookup.finality)
    return at


def _jittered(wait: int, chance: float) -> int:
    return int(wait * (1 + _JITTER * (2 * chance - 1)))

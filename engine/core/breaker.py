"""A circuit breaker as a decider: closed, open, half-open (Nygard, "Release It!").

The state is one value that processes share through the store; the transitions are events,
the counts are not facts and stay out of the journal (SEMANTICS section 3).
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from engine.core.retry import SECOND


class Circuit(StrEnum):
    """The three states of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """How many failures within `sampling` open the circuit, for how long, and how it closes."""

    failures: int = 5
    sampling: int = 60 * SECOND
    pause: int = 30 * SECOND
    trials: int = 3


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where a breaker stands. `since` is when it entered `circuit`; `failed` are times."""

    circuit: Circuit = Circuit.CLOSED
    since: int = 0
    failed: tuple[int, ...] = ()
    trials: int = 0
    passed: int = 0


def admit(breaker: Breaker, policy: BreakerPolicy, now: int) -> Breaker | None:
    """The breaker after letting one call through, or None when the call must not be made.

    >>> policy = BreakerPolicy(failures=1, pause=10)
    >>> opened = record(Breaker(), policy, ok=False, now=5)
    >>> admit(opened, policy, now=14) is None
    True
    >>> admit(opened, policy, now=15).circuit.value
    'half_open'

    A clock that went back does not keep it open for longer:

    >>> admit(opened, policy, now=1).circuit.value
    'half_open'
    """
    if breaker.circuit is Circuit.CLOSED:
        return breaker
    if breaker.circuit is Circuit.OPEN:
        if breaker.since <= now < breaker.since + policy.pause:
            return None
        return Breaker(Circuit.HALF_OPEN, since=now, trials=1)
    if breaker.trials < policy.trials:
        return replace(breaker, trials=breaker.trials + 1)
    if breaker.since <= now < breaker.since + policy.pause:
        return None
    # A trial whose process died would otherwise hold the circuit half-open for ever.
    return Breaker(Circuit.HALF_OPEN, now, trials=1)


def record(breaker: Breaker, policy: BreakerPolicy, *, ok: bool, now: int) -> Breaker:
    """The breaker after a call ended.

    >>> record(Breaker(), BreakerPolicy(failures=2), ok=False, now=1).circuit.value
    'closed'
    """
    match breaker.circuit:
        case Circuit.CLOSED:
            return _closed(breaker, policy, ok, now)
        case Circuit.HALF_OPEN if not ok:
            return Breaker(Circuit.OPEN, since=now)
        case Circuit.HALF_OPEN if breaker.passed + 1 >= policy.trials:
            return Breaker(Circuit.CLOSED, since=now)
        case Circuit.HALF_OPEN:
            return replace(breaker, passed=breaker.passed + 1)
        case Circuit.OPEN:
            return breaker  # a late answer of a call that began before the circuit opened


def _closed(breaker: Breaker, policy: BreakerPolicy, ok: bool, now: int) -> Breaker:
    recent = tuple(at for at in breaker.failed if now - policy.sampling < at <= now)
    if ok:
        return replace(breaker, failed=recent)
    if len(recent) + 1 >= policy.failures:
        return Breaker(Circuit.OPEN, since=now)
    return replace(breaker, failed=(*recent, now))

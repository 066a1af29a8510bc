"""Who is signed in at the page: kept in this process, ended by time, by hand or with the process.

The browser holds 256 bits and nothing else. What a form needs besides, a token that is bound to
the session, to what is decided and to the bytes that were shown, is made with a key that never
leaves this process: a cookie alone, which other servers on localhost get to see because cookies
know no ports, makes no form of ours (TRUST.md 1.8, attack 14). The clock comes in.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.core.approval.state import Approver
    from engine.shell.clock import Clock

MINUTE = 60 * 1_000_000
IDLE = 15 * MINUTE
"""Microseconds without a request after which a session is over."""
LONGEST = 8 * 60 * MINUTE
"""Microseconds after which it is over in any case."""
MOST = 20
"""Sessions at a time; the oldest gives way."""


@dataclass(slots=True)
class Session:
    """One person at one browser."""

    approver: "Approver"
    key: bytes
    began: int
    seen: int

    def token(self, *what: str) -> str:
        """What a form of this session carries for exactly this purpose."""
        said = "\0".join(("handrail/form/v1", *what)).encode()
        return hmac.new(self.key, said, hashlib.sha256).hexdigest()

    def made(self, token: str, *what: str) -> bool:
        """Whether a token was made by this session for this purpose."""
        return hmac.compare_digest(token.encode(), self.token(*what).encode())


class Sessions:
    """The sessions of one page."""

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._open: dict[bytes, Session] = {}

    def begin(self, approver: "Approver") -> str:
        """A new session; what the browser is to keep. An id is never taken from outside."""
        now = self._clock.now()
        self._open = {name: each for name, each in self._open.items() if self._lives(each, now)}
        while len(self._open) >= MOST:
            del self._open[min(self._open, key=lambda name: self._open[name].seen)]
        secret = self._clock.bytes(32)
        self._open[_name(secret.hex())] = Session(approver, self._clock.bytes(32), now, now)
        return secret.hex()

    def find(self, secret: str) -> Session | None:
        """The session that a browser names, if it lives; it lives on from now."""
        session, now = self._open.get(_name(secret)), self._clock.now()
        if session is None:
            return None
        if not self._lives(session, now):
            self.end(secret)
            return None
        session.seen = now
        return session

    def end(self, secret: str) -> None:
        """Sign out."""
        self._open.pop(_name(secret), None)

    @staticmethod
    def _lives(session: Session, now: int) -> bool:
        # A clock that was set back revives nothing: a session from the future is over too.
        return session.seen <= now < min(session.seen + IDLE, session.began + LONGEST)


def _name(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()

"""Who may decide: enrolling an approver, checking a PIN, and what this installation remembers.

Wrong PINs are counted in the database, before they are judged, so neither a restart nor many tries
at once help who guesses: five wrong ones close the door for a quarter of an hour, then for twice as
long, and so on. The journal says that somebody was enrolled, never with what.
"""

import unicodedata
from dataclasses import dataclass

from engine.core.approval.events import ApproverEnrolled
from engine.core.approval.plan import Requester
from engine.core.approval.state import Approver
from engine.core.errors import Move, Refused
from engine.core.log import NEW, Append, Entry, Param, Row, Taken, Unless, Write
from engine.shell import pin as pins
from engine.shell.clock import Clock
from engine.store import Store

SHORTEST = 6
LONGEST = 256
MOST_FAILURES = 5
LOCKED_FOR = 15 * 60 * 1_000_000
MOST_DOUBLINGS = 6
_NAME = 80


@dataclass(frozen=True, slots=True)
class Installation:
    """What this installation made once: a secret (hexadecimal, 256 bits) and the page's port.

    `console_port` is 0 as long as there is none.
    """

    secret: str
    console_port: int


class Approvers:
    """The approvers of one tenant, and the small things its installation keeps."""

    def __init__(self, store: Store, clock: Clock, tenant: str) -> None:
        self._store, self._clock, self._tenant = store, clock, tenant
        self._latest = 0
        self._known = False

    # -- approvers -----------------------------------------------------------------------------

    async def any(self) -> bool:
        """Whether somebody is enrolled; once somebody is, somebody stays so."""
        self._known = self._known or bool(await self._rows())
        return self._known

    async def names(self) -> tuple[str, ...]:
        """Who is enrolled."""
        return tuple(row["name"] for row in await self._rows())

    async def enrol(self, name: str, pin: str, *, old: str = "", channel: str = "terminal") -> None:
        """Let `name` decide with `pin`; where somebody is enrolled already, `old` is their PIN.

        Raises Refused `bad_pin`, `bad_name`, `already_enrolled`, and those of `authenticate`.
        """
        _check_name(name)
        _check_pin(pin)
        before = await self._rows()
        if before:
            if not old:
                raise _enrolled()
            await self.authenticate(old, channel=channel)
        secret = await pins.hashed(_pin(pin), self._clock.bytes(pins.SALT_BYTES))
        event = ApproverEnrolled(name, channel, any(row["name"] == name for row in before))
        put = Write("approver_put", {"tenant": self._tenant, "name": name, "secret": secret})
        unless = None if before else Unless("approver_list", {"tenant": self._tenant})
        entry = Entry(NEW, 0, (event,), (put,))
        try:
            await self._store.append(
                Append((entry,), self._clock.now(), f"{channel}:{name}", self._tenant, unless)
            )
        except Taken:
            raise _enrolled() from None

    async def authenticate(self, pin: str, *, channel: str) -> Approver:
        """The approver whose PIN it is, with assurance A2.

        Raises Refused `no_approver`, `wrong_pin` (with the tries left), `locked_out` (with the
        time until when).
        """
        rows = await self._rows()
        if not rows:
            raise Refused(
                "no_approver",
                "nobody is set up to approve yet",
                "Set a PIN once, in a terminal: handrail approver init",
                move=Move.PERSON,
            )
        now = self._clock.now()
        tried = [await self._try(row["name"], now) for row in rows]
        if not all(tried):
            raise await self._lock(rows, now)
        for row in rows:
            if await pins.fits(_pin(pin), row["secret"]):
                await self._passed(rows)
                return Approver(row["name"], "A2", channel, await self.now())
        raise await self._wrong(rows, min(MOST_FAILURES - left["failures"] for left in tried), now)

    async def _try(self, name: str, now: int) -> Row:
        place = {"tenant": self._tenant, "name": name}
        count: dict[str, Param] = {**place, "now": now, "most": MOST_FAILURES}
        ((*found,),) = await self._store.write(Write("approver_try", count))
        return found[0] if found else {}

    async def _passed(self, rows: list[Row]) -> None:
        places = [{"tenant": self._tenant, "name": row["name"]} for row in rows]
        await self._store.write(*(Write("approver_passed", place) for place in places))

    async def _wrong(self, rows: list[Row], left: int, now: int) -> Refused:
        if left > 0:
            return Refused(
                "wrong_pin",
                f"that is not the PIN; {left} tries are left",
                "Try again, or ask whoever set the PIN.",
                move=Move.PERSON,
                details={"triesLeft": left},
            )
        return await self._lock(rows, now)

    async def _lock(self, rows: list[Row], now: int) -> Refused:
        """Close the door where too many tries were counted, by whoever did not come to it too."""
        until = now + LOCKED_FOR * 2 ** min(max(r["lockouts"] for r in rows), MOST_DOUBLINGS)
        for row in rows:
            place = {"tenant": self._tenant, "name": row["name"]}
            lock = {**place, "until": until, "most": MOST_FAILURES}
            await self._store.write(Write("approver_lock", lock))
        return _locked(max(row["locked_until"] for row in await self._rows()))

    def attested(self, requester: Requester) -> Approver:
        """Whoever answered a form in a client: assurance A1, for the client may have done so."""
        return Approver(requester.sub or requester.client or "client", "A1", requester.channel)

    async def _rows(self) -> list[Row]:
        return await self._store.fetch("approver_list", tenant=self._tenant)

    # -- the installation ------------------------------------------------------------------------

    async def installation(self) -> Installation:
        """What was made once for all processes of this installation."""
        secret = await self._once("secret", self._clock.bytes(32).hex())
        port = await self._once("console_port", "0")
        return Installation(secret, int(port))

    async def remember_port(self, port: int, instead_of: int) -> int:
        """Keep the page's port if `instead_of` is still what is kept; returns what is kept."""
        await self._once("console_port", "0")
        change = {"value": str(port), "instead": str(instead_of)}
        place = {"tenant": self._tenant, "name": "console_port"}
        await self._store.write(Write("installation_instead", {**place, **change}))
        return int(await self._kept("console_port"))

    async def key(self, name: str) -> bytes:
        """A key of 32 bytes that this installation made once, for `name`."""
        return bytes.fromhex(await self._once(f"key:{name}", self._clock.bytes(32).hex()))

    async def _once(self, name: str, value: str) -> str:
        """What is kept under a name; `value` where nothing was, whichever process is first."""
        found = await self._kept(name)
        if not found:
            row = {"tenant": self._tenant, "name": name, "value": value}
            await self._store.write(Write("installation_once", row))
            found = await self._kept(name)
        return found

    async def _kept(self, name: str) -> str:
        rows = await self._store.fetch("installation_get", tenant=self._tenant, name=name)
        return str(rows[0]["value"]) if rows else ""

    # -- time --------------------------------------------------------------------------------------

    async def now(self) -> int:
        """The time, never before the latest that approvals have seen: what ran out stays so."""
        kept = await self._kept("latest")
        self._latest = max(self._latest, self._clock.now(), int(kept or 0))
        return self._latest

    def seen(self, now: int) -> Write:
        """Remember a time; goes along with what happened at it."""
        row = {"tenant": self._tenant, "name": "latest", "value": f"{now:020d}"}
        return Write("installation_raise", row)


def _pin(pin: str) -> str:
    """One spelling of a PIN: keyboards write the same letter in several ways."""
    return unicodedata.normalize("NFKC", pin)


def _check_pin(pin: str) -> None:
    if not SHORTEST <= len(_pin(pin)) <= LONGEST or len(set(pin)) < 2:
        raise Refused(
            "bad_pin",
            f"a PIN has at least {SHORTEST} characters, not all the same",
            "Choose a longer one; words and spaces are welcome.",
            move=Move.PERSON,
        )


def _check_name(name: str) -> None:
    if not 0 < len(name) <= _NAME or not name.isprintable() or name != name.strip():
        raise Refused(
            "bad_name",
            f"a name has 1 to {_NAME} printable characters",
            "Say how people call you.",
            move=Move.PERSON,
        )


def _enrolled() -> Refused:
    return Refused(
        "already_enrolled",
        "somebody is set up to approve already",
        "To replace the PIN, give the old one too.",
        move=Move.PERSON,
    )


def _locked(until: int) -> Refused:
    return Refused(
        "locked_out",
        "too many wrong PINs; nobody can log in for a while",
        "Wait; what is asked meanwhile runs out or waits.",
        move=Move.CLOCK,
        details={"until": until},
    )

"""What a drive asks before it changes anything: the keeper of what people have allowed.

The drive proposes; the keeper grants, has the run wait for a person, or says no. What it wants
recorded goes into the same transaction as what the drive records, so that neither can be there
without the other. Whoever implements `Keeper` knows approvals and policies; the drive knows
neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from engine.core.approval.plan import Operation
from engine.core.errors import Failure, Kind
from engine.core.log import Entry, Unless
from engine.shell.held import Held

Outcome = Literal["ok", "partial", "drifted", "indeterminate", "failed"]
"""What became of all that one grant allowed."""

PERSONAL = "apr_"
"""How the name of a grant begins that a person gave: its end is recorded."""


@dataclass(frozen=True, slots=True)
class Granted:
    """These operations may be carried out: their digests by id.

    `templates` says how many steps a template covers at most. With `unless` the grant counts only
    when it was recorded under that condition: what a rule lets pass has a budget.
    """

    grant: str
    ops: Mapping[str, str]
    entries: tuple[Entry, ...] = ()
    templates: Mapping[str, int] = field(default_factory=dict)
    unless: Unless | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """A person has to decide on `approval` first.

    `entries` name the stream of that approval even where nothing is recorded there: a vote that
    comes in between must not be missed. With `unless` the question is asked only when nothing is
    in its way as it is recorded.
    """

    approval: str
    entries: tuple[Entry, ...] = ()
    unless: Unless | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """It may not be, and the run ends."""

    failure: Failure
    entries: tuple[Entry, ...] = ()


Permit = Granted | Parked | Denied


class Keeper(Protocol):
    """Who says what may be changed."""

    async def ask(
        self, held: Held, proposals: tuple[Operation, ...], later: tuple[str, ...], now: int
    ) -> Permit:
        """Whether these operations of a run may be carried out; `later` says what will be asked."""
        ...

    async def finish(
        self, held: Held, outcomes: Mapping[str, Outcome], now: int
    ) -> tuple[Entry, ...]:
        """What is to be recorded of grants of people that came to their end."""
        ...

    async def secret(self) -> bytes:
        """What idempotency keys are made with, the same for every process of an installation."""
        ...


class Nobody:
    """The keeper where nobody can decide: nothing outside is ever changed."""

    async def ask(
        self, held: Held, proposals: tuple[Operation, ...], later: tuple[str, ...], now: int
    ) -> Permit:
        """No."""
        path = proposals[0].id
        message = f"step {path!r} would change a system outside, and nobody can allow it here"
        return Denied(Failure(Kind.PERMISSION, "needs_approval", message))

    async def finish(
        self, held: Held, outcomes: Mapping[str, Outcome], now: int
    ) -> tuple[Entry, ...]:
        """Nothing was ever allowed."""
        return ()

    async def secret(self) -> bytes:
        """No key is ever sent."""
        return b""

"""What an approval looks like to a page, a terminal and a tool: frozen, and everything they need.

Times are in microseconds since the epoch. Nothing in the engine reads these back.
"""

from dataclasses import dataclass
from typing import Any

from engine.core.approval.plan import Plan
from engine.core.value import value


@value
class ApprovalView:
    """One approval as a reader sees it now. `state` is `expired` as soon as its time is over.

    `confirm` is what a yes needs besides being logged in: nothing, the `pin` again, or `typed`,
    and `typed_words` what to type (`delete 47`). `result` is what came of an operation inside the
    engine; `approver_exists` and `worker_alive` say whether anybody can decide, and carry out.
    """

    id: str
    kind: str
    state: str
    outcome: str
    code: str
    digest: str
    plan: Plan
    summary: str
    run: str
    requester: str
    requested_at: int
    expires_at: int
    decided_at: int
    decided_by: str
    assurance_needed: str
    confirm: str
    typed_words: str
    channel: str
    comment: str
    result: Any
    successor: str
    next_step: str
    approver_exists: bool
    worker_alive: bool


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """Approvals, newest first; `cursor` is empty on the last page."""

    rows: tuple[ApprovalView, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """A change whose outcome nobody knows; a person has to say whether it happened."""

    run: str
    workflow: str
    path: str
    reason: str
    since: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """A run that a person has to put right: reconnect, allow, correct."""

    run: str
    workflow: str
    status: str
    step: str
    since: int


@dataclass(frozen=True, slots=True)
class Needing:
    """Everything that needs a person."""

    approvals: tuple[ApprovalView, ...]
    outcomes: tuple[Undecided, ...]
    blocked: tuple[Blocked, ...]


@dataclass(frozen=True, slots=True)
class GrantView:
    """A standing grant: what it allows, to whom it goes back, and until when."""

    id: str
    kind: str
    by: str
    approval: str
    given_at: int
    expires_at: int
    revoked_at: int
    revoked_by: str
    body: Any
    used: int


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """What "always allow" will match, line by line, and for how long (microseconds)."""

    words: tuple[str, ...]
    lasts: int


def next_step(state: str, *, enrolled: bool, working: bool) -> str:
    """What happens next, or what to do, in a sentence."""
    if state == "pending" and not enrolled:
        return "No approver is set up yet: the user runs `handrail approver init` once."
    if state == "approved" and not working:
        return "It is approved, but no worker is running: start one with `handrail worker`."
    return _NEXT[state]


_NEXT = {
    "pending": "Ask the user to decide on the approval page or in the terminal.",
    "approved": "Wait: it is carried out now.",
    "claimed": "Wait: it is being carried out.",
    "done": "",
    "denied": "A person said no. Do not ask for the same again; talk to the user.",
    "expired": "Nobody decided in time. Ask for it again if it is still wanted.",
    "cancelled": "The requester took it back.",
    "superseded": "A newer plan took its place: look at that one.",
    "void": "It holds no longer. Ask for it again: a fresh plan is shown.",
    "revoked": "A person took the approval back.",
}

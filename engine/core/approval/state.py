"""The life of an approval: what is known of it, how an event changes that, what may follow.

    pending -> approved -> claimed -> done
       |-> denied, expired, cancelled, superseded, void
    approved -> expired, revoked, superseded, void

`evolve` folds and never refuses, `decide` looks at a command and gives the events that follow, or
refuses. Every arrow is one append under the expected version of the approval's stream, so that of
fifty who claim at once one wins. The digest is made anew from the stored bytes each time: what was
changed behind our back allows nothing. Time comes in as an argument.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.core.approval import events as ev
from engine.core.approval.plan import code, confirmation, digest, read
from engine.core.errors import Move, Refused
from engine.core.log import Recorded
from engine.core.value import value

Outcome = Literal["ok", "partial", "drifted", "indeterminate", "failed"]
OPEN = frozenset({"pending", "approved"})
"""States in which time runs out."""
ENDED = frozenset({"done", "denied", "expired", "cancelled", "superseded", "void", "revoked"})
LEVELS = ("A0", "A1", "A2", "A3")
"""Assurance, weakest first; a word in a chat (A0) never counts."""

SECOND = 1_000_000
PENDING_FOR = 15 * 60 * SECOND
LONGEST_PENDING = 24 * 60 * 60 * SECOND
CLAIM_WITHIN = 60 * 60 * SECOND
CLAIM_WITHIN_DESTRUCTIVE = 5 * 60 * SECOND
COOL_DOWN = 10 * 60 * SECOND
"""How long the same is not asked again after a no, and a result is kept for who asks again."""
PROVED_FOR = 2 * 60 * SECOND
"""How long a PIN counts for a plan that asks for it again, from when it was typed."""
MOST_PENDING = 5
"""Open questions of one requester; more would bury a person."""
MOST_COMMENT = 1_000


@value
class Approver:
    """Somebody who proved to be a person who may decide; `assurance` says how well.

    `proved_at` is when they typed the PIN, in microseconds of the approvals' own time; 0 where
    no PIN was typed.
    """

    name: str
    assurance: str
    channel: str
    proved_at: int = 0


@dataclass(slots=True)
class Approval:
    """An approval, as far as its history tells. `expires_at` is that of its present state."""

    asked: ev.ApprovalRequested | None = None
    state: str = ""
    outcome: str = ""
    requested_at: int = 0
    expires_at: int = 0
    decided_at: int = 0
    ended_at: int = 0
    vote: ev.ApprovalVoted | None = None
    claimed_by: str = ""
    result: Any = None
    reason: str = ""
    ended_by: str = ""
    successor: str = ""

    @property
    def request(self) -> ev.ApprovalRequested:
        """What was asked; every history begins with it."""
        assert self.asked is not None
        return self.asked

    def state_at(self, now: int) -> str:
        """The state as a reader sees it: what has run out is expired, told or not."""
        return "expired" if self.state in OPEN and now >= self.expires_at else self.state


# -- folding -----------------------------------------------------------------------


def fold(history: Iterable[Recorded]) -> Approval:
    """The approval that a whole history tells."""
    approval = Approval()
    for line in history:
        evolve(approval, line.event, line.at)
    return approval


def evolve(approval: Approval, event: Any, at: int) -> Approval:
    """`approval` after `event`, changed in place. An erased event changes nothing."""
    change = _FOLD.get(type(event))
    if change is not None:
        change(approval, event, at)
    return approval


def _requested(approval: Approval, event: ev.ApprovalRequested, at: int) -> None:
    approval.asked, approval.state = event, "pending"
    approval.requested_at, approval.expires_at = at, event.expires_at


def _voted(approval: Approval, event: ev.ApprovalVoted, at: int) -> None:
    approval.vote, approval.decided_at = event, at
    approval.reason = event.comment
    if event.decision == "approve":
        approval.state, approval.expires_at = "approved", event.claim_by
    else:
        approval.state, approval.ended_at = "denied", at


def _claimed(approval: Approval, event: ev.ApprovalClaimed, at: int) -> None:
    approval.state, approval.claimed_by = "claimed", event.by


def _finished(approval: Approval, event: ev.ApprovalFinished, at: int) -> None:
    approval.state, approval.outcome, approval.result = "done", event.outcome, event.result
    approval.ended_at = at


def _ended(approval: Approval, event: ev.ApprovalEnded, at: int) -> None:
    approval.state, approval.reason, approval.ended_by = event.state, event.reason, event.by
    approval.successor, approval.ended_at = event.successor, at


_FOLD: Mapping[type[Any], Callable[[Approval, Any, int], None]] = {
    ev.ApprovalRequested: _requested,
    ev.ApprovalVoted: _voted,
    ev.ApprovalClaimed: _claimed,
    ev.ApprovalFinished: _finished,
    ev.ApprovalEnded: _ended,
}


# -- deciding ----------------------------------------------------------------------


@value
class Vote:
    """A person decides on what they were shown.

    `shown` is the digest of it, `code` and `typed` what they typed (empty: not asked for).
    `needed` is the assurance that the policy asks now, empty when it allows this to nobody.
    """

    decision: Literal["approve", "deny"]
    shown: str
    approver: Approver
    now: int
    needed: str
    comment: str = ""
    code: str = ""
    typed: str = ""


@value
class Claim:
    """The engine wants to carry it out; `needed` as in a vote."""

    by: str
    now: int
    needed: str


@value
class Finish:
    """What was claimed has been carried out."""

    outcome: Outcome
    result: Any


@value
class End:
    """Nothing shall come of it: it ran out, was taken back, or something else takes its place."""

    state: Literal["expired", "cancelled", "superseded", "void", "revoked"]
    reason: str
    by: str
    now: int
    successor: str = ""


Command = Vote | Claim | Finish | End

_FROM: Mapping[str, frozenset[str]] = {
    "expired": OPEN,
    "cancelled": frozenset({"pending"}),
    "superseded": OPEN,
    "void": OPEN,
    "revoked": frozenset({"approved"}),
}


def decide(approval: Approval, command: Command) -> tuple[ev.ApprovalEvent, ...]:
    """The events that follow from a command; raises Refused when it does not fit the state.

    Codes: `already_decided`, `expired`, `digest_changed`, `wrong_code`, `assurance_too_low`,
    `pin_needed_again`, `typed_confirmation_needed`, `policy_changed`, `not_approved`,
    `not_claimed`.
    """
    return _DECIDE[type(command)](approval, command)


def _vote(approval: Approval, vote: Vote) -> tuple[ev.ApprovalEvent, ...]:
    if approval.state != "pending":
        raise _decided(approval)
    _check_time(approval, vote.now)
    _check_digest(approval, vote.shown)
    if vote.code and not same_code(vote.code, code(vote.shown)):
        raise Refused("wrong_code", "that is not the code of this plan", "Type the code you see.")
    if vote.decision == "approve":
        _check_right(approval, vote)
    request, approver = approval.request, vote.approver
    return (
        ev.ApprovalVoted(
            vote.decision, vote.shown, approver.name, approver.assurance, approver.channel,
            vote.comment[:MOST_COMMENT], vote.now + request.claim_within,
        ),
    )  # fmt: skip


def _check_right(approval: Approval, vote: Vote) -> None:
    request = approval.request
    if not vote.needed:
        raise _forbidden()
    needed = max(request.assurance, vote.needed)
    if vote.approver.assurance < needed:
        raise Refused(
            "assurance_too_low",
            f"this needs a decision with assurance {needed}, not {vote.approver.assurance}",
            "Decide on the approval page or in the terminal, with the PIN.",
            move=Move.PERSON,
            details={"needed": needed},
        )
    proved = vote.approver.proved_at
    if request.again and (proved < approval.requested_at or vote.now - proved > PROVED_FOR):
        raise Refused(
            "pin_needed_again",
            "what this does cannot be undone, so the PIN is needed once more",
            "Type the PIN for this plan.",
            move=Move.PERSON,
        )
    wanted = confirmation(read(request.plan.encode())) if request.typed else ""
    if wanted and vote.typed.strip() != wanted:
        raise Refused(
            "typed_confirmation_needed",
            f"this destroys much: type {wanted!r} to allow it",
            f"Type: {wanted}",
            move=Move.PERSON,
            details={"type": wanted},
        )


def _claim(approval: Approval, claim: Claim) -> tuple[ev.ApprovalEvent, ...]:
    vote = approval.vote
    if approval.state != "approved" or vote is None:
        raise Refused("not_approved", f"the approval is {approval.state}, not approved")
    _check_time(approval, claim.now)
    _check_digest(approval, vote.digest)
    if not claim.needed or vote.assurance < claim.needed:
        raise _forbidden()
    return (ev.ApprovalClaimed(claim.by, vote.digest),)


def _finish(approval: Approval, finish: Finish) -> tuple[ev.ApprovalEvent, ...]:
    if approval.state != "claimed":
        raise Refused("not_claimed", f"the approval is {approval.state}, not claimed")
    return (ev.ApprovalFinished(finish.outcome, finish.result),)


def _end(approval: Approval, end: End) -> tuple[ev.ApprovalEvent, ...]:
    if approval.state not in _FROM[end.state]:
        raise _decided(approval)
    if end.state == "expired" and end.now < approval.expires_at:
        raise Refused("not_expired", "there is time left to decide")
    return (ev.ApprovalEnded(end.state, end.reason, end.by, end.successor),)


_DECIDE: Mapping[type[Any], Callable[[Approval, Any], tuple[ev.ApprovalEvent, ...]]] = {
    Vote: _vote,
    Claim: _claim,
    Finish: _finish,
    End: _end,
}


# -- guards ------------------------------------------------------------------------


def _check_time(approval: Approval, now: int) -> None:
    if now >= approval.expires_at:
        raise _expired()


def _check_digest(approval: Approval, shown: str) -> None:
    request = approval.request
    if digest(request.plan.encode()) != request.digest or shown != request.digest:
        raise Refused(
            "digest_changed",
            "the plan is not the one that was shown",
            "Look at the approval again before deciding.",
            move=Move.PERSON,
        )


def _expired() -> Refused:
    return Refused(
        "expired",
        "the time to decide this has run out; nothing was changed",
        "Ask for it again: a fresh plan is shown.",
    )


def _decided(approval: Approval) -> Refused:
    if approval.state == "expired":
        return _expired()
    return Refused(
        "already_decided",
        f"the approval is {approval.state} already",
        "Look at its result; to do it again, ask for it again.",
        details={"state": approval.state},
    )


def _forbidden() -> Refused:
    return Refused(
        "policy_changed",
        "the policy is stricter now than when this was asked",
        "Ask for it again: it is judged by the policy of today.",
        move=Move.PERSON,
    )


def same_code(typed: str, code: str) -> bool:
    """Whether a code is meant, as people type it: small letters, a dash, O for zero, I for one.

    >>> same_code("oi23-4567", "01234567")
    True
    """
    text = typed.strip().upper().replace("-", "").replace(" ", "")
    return text.replace("O", "0").replace("I", "1").replace("L", "1") == code

"""What can happen to an approval, to a standing grant and to the list of approvers.

Past tense, flat, JSON-shaped, as in `engine/core/events.py`; each approval and each grant is a
stream of its own. The plan is kept as the very text a person is shown and a digest is made of.
"""

from collections.abc import Mapping
from typing import Any

from engine.core.value import value


@value
class ApprovalRequested:
    """A person is asked. `plan` are the canonical bytes (they are ASCII), `digest` names them.

    `run_stream` is the stream of the run that waits for it, 0 where none does. `claim_within` is
    how many microseconds after the vote it may still be claimed. `again` and `typed` are what a
    yes needs besides the assurance. `derived` says that a person took operations out of the plan
    that it `replaces`.
    """

    uid: str
    kind: str
    subject: str
    digest: str
    plan: str
    run: str
    run_stream: int
    workflow: str
    version: str
    requester: str
    channel: str
    assurance: str
    typed: bool
    rule: str
    policy_rev: str
    expires_at: int
    claim_within: int
    replaces: str = ""
    again: bool = False
    derived: bool = False


@value
class ApprovalVoted:
    """A person decided (`approve` or `deny`) on the bytes that `digest` names."""

    decision: str
    digest: str
    approver: str
    assurance: str
    channel: str
    comment: str
    claim_by: int


@value
class ApprovalClaimed:
    """The one execution of an approval began; there is never a second."""

    by: str
    digest: str


@value
class ApprovalFinished:
    """What was allowed has been carried out, as far as `outcome` says; `result` is kept."""

    outcome: str
    result: Any


@value
class ApprovalEnded:
    """Nothing will come of it any more: `state` is expired, cancelled, superseded, void, revoked.

    `successor` is the approval that took its place.
    """

    state: str
    reason: str
    by: str
    successor: str = ""


ApprovalEvent = (
    ApprovalRequested | ApprovalVoted | ApprovalClaimed | ApprovalFinished | ApprovalEnded
)


@value
class ApproverEnrolled:
    """A person who may decide has a PIN now; the PIN and its hash are nowhere in the journal."""

    name: str
    channel: str
    replaced: bool


@value
class GrantGiven:
    """A person allowed something for longer: a narrow rule, or a workflow that runs by itself.

    `body` is what it matches, as typed fields of plans only.
    """

    uid: str
    kind: str
    by: str
    approval: str
    expires_at: int
    body: Mapping[str, Any]


@value
class GrantRevoked:
    """A standing grant holds no longer."""

    by: str
    reason: str

"""Approvals and standing grants as lists see them: one row each. Plans stay in the journal."""

import json
from collections.abc import Iterable
from types import MappingProxyType

from engine.core.approval import events as ev
from engine.core.log import EventKind, Feature, Param, Recorded, Write


def _requested(recorded: Recorded) -> Iterable[Write]:
    event: ev.ApprovalRequested = recorded.event
    row = Write(
        "approval_insert",
        {
            "id": recorded.stream,
            "tenant": recorded.tenant,
            "uid": event.uid,
            "kind": event.kind,
            "subject": event.subject,
            "digest": event.digest,
            "run": event.run,
            "principal": event.requester,
            "requested_at": recorded.at,
            "expires_at": event.expires_at,
        },
    )
    return (row,)


def _voted(recorded: Recorded) -> Iterable[Write]:
    event: ev.ApprovalVoted = recorded.event
    granted = event.decision == "approve"
    row = Write(
        "approval_voted",
        {
            "id": recorded.stream,
            "state": "approved" if granted else "denied",
            "expires_at": event.claim_by,
            "ended_at": None if granted else recorded.at,
        },
    )
    return (row,)


def _claimed(recorded: Recorded) -> Iterable[Write]:
    return (Write("approval_claimed", {"id": recorded.stream}),)


def _finished(recorded: Recorded) -> Iterable[Write]:
    event: ev.ApprovalFinished = recorded.event
    ended: dict[str, Param] = {"outcome": event.outcome, "ended_at": recorded.at}
    return (Write("approval_finished", {"id": recorded.stream, **ended}),)


def _ended(recorded: Recorded) -> Iterable[Write]:
    event: ev.ApprovalEnded = recorded.event
    ended: dict[str, Param] = {"state": event.state, "ended_at": recorded.at}
    return (Write("approval_ended", {"id": recorded.stream, **ended}),)


def _given(recorded: Recorded) -> Iterable[Write]:
    event: ev.GrantGiven = recorded.event
    row = Write(
        "grant_insert",
        {
            "id": recorded.stream,
            "tenant": recorded.tenant,
            "uid": event.uid,
            "kind": event.kind,
            "given_by": event.by,
            "approval": event.approval,
            "given_at": recorded.at,
            "expires_at": event.expires_at,
            "body": json.dumps(event.body, ensure_ascii=False, separators=(",", ":")),
        },
    )
    return (row,)


def _revoked(recorded: Recorded) -> Iterable[Write]:
    event: ev.GrantRevoked = recorded.event
    revoked: dict[str, Param] = {"at": recorded.at, "by": event.by}
    return (Write("grant_revoked", {"id": recorded.stream, **revoked}),)


FEATURE = Feature(
    name="approvals",
    kinds=(
        EventKind("approval.requested", ev.ApprovalRequested),
        EventKind("approval.voted", ev.ApprovalVoted),
        EventKind("approval.claimed", ev.ApprovalClaimed),
        EventKind("approval.finished", ev.ApprovalFinished),
        EventKind("approval.ended", ev.ApprovalEnded),
        EventKind("approver.enrolled", ev.ApproverEnrolled),
        EventKind("grant.given", ev.GrantGiven),
        EventKind("grant.revoked", ev.GrantRevoked),
    ),
    tables=("approvals", "grants"),
    project=MappingProxyType(
        {
            ev.ApprovalRequested: _requested,
            ev.ApprovalVoted: _voted,
            ev.ApprovalClaimed: _claimed,
            ev.ApprovalFinished: _finished,
            ev.ApprovalEnded: _ended,
            ev.GrantGiven: _given,
            ev.GrantRevoked: _revoked,
        }
    ),
)

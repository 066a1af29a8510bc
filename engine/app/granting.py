"""Standing grants: "always allow" exactly this, and a workflow that may run by itself, for a time.

A person gives them, in the transaction of a yes; they are events of the journal, narrow, run out by
themselves, and can be taken back at any time. What a rule will match is said in words before it is
made. The policy file stands above them: what it forbids they do not allow, and once it has changed,
rules that were added under the old one count no longer.
"""

import json
from collections.abc import Mapping
from typing import Any

from engine.app.judging import STANDING
from engine.app.listing import FAR
from engine.app.questions import Held, busy
from engine.app.replanning import Replanning
from engine.core.approval.events import GrantGiven, GrantRevoked
from engine.core.approval.policy import MINUTE, written
from engine.core.approval.standing import LASTS, describe, narrow
from engine.core.approval.state import Approver, Vote
from engine.core.approval.views import ApprovalView, GrantView, ProposedRule
from engine.core.errors import Move, Refused, Stale
from engine.core.log import NEW, Append, Entry, Row

_TRIES = 20
MOST_GRANTS = 200


class Granting(Replanning):
    """What is allowed for longer than once."""

    async def proposed_rule(self, approval_id: str) -> ProposedRule:
        """The rule that "always allow" would make of an approval, in words.

        Raises Refused `unknown_approval`, `cannot_always_allow`.
        """
        held = await self._questions.load(approval_id)
        return ProposedRule(describe(narrow(held.plan)), LASTS)

    async def allow_always(
        self, approval_id: str, *, digest: str, approver: Approver
    ) -> ApprovalView:
        """Say yes, and let what is just like it pass from now on, for a while.

        Raises Refused as `approve` does, and `cannot_always_allow`.
        """
        if approver.assurance < "A2":
            raise Refused(
                "assurance_too_low",
                "only a person with the PIN allows something for longer",
                "Decide on the approval page or in the terminal.",
                move=Move.PERSON,
                details={"needed": "A2"},
            )
        vote = Vote("approve", digest, approver, 0, "")
        return await self._vote(approval_id, vote, self._rule)

    def _rule(self, held: Held, vote: Vote) -> tuple[Entry, ...]:
        rule, uid = narrow(held.plan), held.approval.request.uid
        body = {"rule": written(rule), "policy": self._questions.judge.revision()}
        who, until = vote.approver.name, vote.now + LASTS
        event = GrantGiven(f"grant_{uid[4:]}", STANDING, who, uid, until, body)
        return (Entry(NEW, 0, (event,)),)

    async def grants(self) -> tuple[GrantView, ...]:
        """The newest standing grants, also those that hold no longer."""
        place: dict[str, Any] = {"tenant": self._tenant, "before": FAR, "limit": MOST_GRANTS}
        rows = await self._store.fetch("grant_list", **place)
        return tuple([await self._granted(row) for row in rows])

    async def _granted(self, row: Row) -> GrantView:
        body = json.loads(row["body"])
        (used,) = await self._store.fetch(
            "grant_used",
            tenant=self._tenant,
            name=_name(row["kind"], row["uid"], body),
            since=row["given_at"] // MINUTE,
        )
        return GrantView(
            id=row["uid"],
            kind=row["kind"],
            by=row["given_by"],
            approval=row["approval"],
            given_at=row["given_at"],
            expires_at=row["expires_at"],
            revoked_at=row["revoked_at"] or 0,
            revoked_by=row["revoked_by"],
            body=body,
            used=int(used["operations"] or 0),
        )

    async def revoke_grant(self, grant_id: str, *, approver: Approver) -> None:
        """Take a standing grant back; what it let begin goes on.

        Raises Refused `unknown_grant`, `already_revoked`.
        """
        for _ in range(_TRIES):
            rows = await self._store.fetch("grant_by_uid", tenant=self._tenant, uid=grant_id[:80])
            if not rows:
                raise Refused("unknown_grant", f"there is no grant {grant_id[:60]!r}")
            if rows[0]["revoked_at"] is not None:
                raise Refused("already_revoked", "this grant was taken back already")
            history = await self._store.read(rows[0]["id"], tenant=self._tenant)
            event = GrantRevoked(approver.name, "taken back")
            entry = Entry(rows[0]["id"], history[-1].version, (event,))
            now, who = await self._approvers.now(), f"{approver.channel}:{approver.name}"
            try:
                await self._store.append(Append((entry,), now, who, self._tenant))
            except Stale:
                continue
            return
        raise busy()


def _name(kind: str, uid: str, body: Mapping[str, Any]) -> str:
    """What runs call a grant that they were granted by."""
    return f"rule:{body['rule']['id']}" if kind == STANDING else uid

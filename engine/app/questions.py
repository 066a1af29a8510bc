"""Approvals in the journal: reading one, asking for one, and how one is shown.

Asking for the same twice gives the same approval; that is decided inside the transaction, so that
two processes cannot both ask. A no holds for ten minutes, and nobody buries a person in questions.
"""

import base64
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.app.approvers import Approvers
from engine.app.judging import Judging, Verdict
from engine.core.approval import events as ev
from engine.core.approval.plan import (
    DESTRUCTIVE,
    Operation,
    Plan,
    Requester,
    canonical,
    code,
    confirmation,
    digest,
    read,
    subject,
)
from engine.core.approval.policy import BROKEN
from engine.core.approval.render import summary
from engine.core.approval.state import (
    CLAIM_WITHIN,
    CLAIM_WITHIN_DESTRUCTIVE,
    COOL_DOWN,
    MOST_PENDING,
    Approval,
    End,
    decide,
    fold,
)
from engine.core.approval.views import ApprovalView, next_step
from engine.core.errors import Move, Refused, Stale
from engine.core.log import NEW, Append, Entry, Recorded, Row, Taken, Unless
from engine.core.value import value
from engine.shell.clock import Clock
from engine.store import Store


@value
class Question:
    """What shall be asked: a plan without its times and without the policy's revision."""

    kind: str
    requester: Requester
    workflow: str
    version: str
    ops: tuple[Operation, ...]
    run: str = ""
    later: tuple[str, ...] = ()
    rationale: str = ""
    env: str = ""


@dataclass(slots=True)
class Held:
    """An approval with its place in the journal. `version` is where its stream ends."""

    stream: int
    version: int
    approval: Approval
    history: Sequence[Recorded]

    @property
    def plan(self) -> Plan:
        """The plan that is asked for."""
        return read(self.approval.request.plan.encode())


class Questions:
    """The approvals of one tenant."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        tenant: str,
        approvers: Approvers,
        judge: Judging,
        alive: Callable[[], Awaitable[bool]],
    ) -> None:
        self.store, self.clock, self.tenant = store, clock, tenant
        self.approvers, self.judge, self._alive = approvers, judge, alive

    # -- reading ---------------------------------------------------------------------------

    async def load(self, uid: str) -> Held:
        """An approval by its public id; raises Refused `unknown_approval`."""
        rows = await self.store.fetch("approval_by_uid", tenant=self.tenant, uid=uid[:80])
        if not rows:
            raise Refused(
                "unknown_approval",
                f"there is no approval {uid[:40]!r}",
                "Ids come from the answers that say approval_required.",
            )
        return await self.at(rows[0]["id"])

    async def at(self, stream: int) -> Held:
        """An approval by its stream."""
        history = await self.store.read(stream, tenant=self.tenant)
        return Held(stream, history[-1].version, fold(history), history)

    async def newest(self, query: str, **params: Any) -> Held | None:
        """The newest approval of a subject or a run."""
        rows: list[Row] = await self.store.fetch(query, tenant=self.tenant, **params)
        return await self.at(rows[0]["id"]) if rows else None

    async def view(self, held: Held, now: int | None = None) -> ApprovalView:
        """How an approval looks now."""
        at = await self.approvers.now() if now is None else now
        (found,) = await self.views((held,), at)
        return found

    async def views(self, many: Iterable[Held], now: int) -> list[ApprovalView]:
        """How some approvals look at a time."""
        enrolled, working = await self.approvers.any(), await self._alive()
        return [shown(held, now, enrolled=enrolled, working=working) for held in many]

    # -- asking ------------------------------------------------------------------------------

    async def plan(self, question: Question, now: int) -> tuple[Plan, Verdict]:
        """The plan of a question asked now, and what the policy says of it."""
        plan = Plan(
            self.tenant, question.kind, question.requester, question.run, question.workflow,
            question.version, question.ops, question.later, "", now, now,
            question.rationale, question.env,
        )  # fmt: skip
        verdict = await self.judge(plan, now)
        until = now + verdict.ttl + claim_within(plan)
        return replace(plan, policy_rev=verdict.policy, not_after=until), verdict

    async def ask(self, question: Question) -> Held:
        """The open approval of a question: the one that is there, or a new one.

        Raises Refused `recently_denied`, `too_many_pending`, `forbidden`, `bad_plan`.
        """
        for _ in range(20):
            now = await self.approvers.now()
            plan, verdict = await self.plan(question, now)
            if verdict.says == "deny":
                raise forbidden(verdict)
            _, entry = self.requested(plan, verdict, now)
            try:
                done = await self.store.append(
                    Append(
                        (entry,),
                        now,
                        by(plan.requester),
                        self.tenant,
                        self.unless(plan, now, "approval_in_the_way"),
                    )
                )
            except Taken as taken:
                found = await self._found(taken.row, now)
                if found is not None:
                    return found
                continue
            return await self.at(done.streams[0])
        raise busy()

    def requested(
        self,
        plan: Plan,
        verdict: Verdict,
        now: int,
        run_stream: int = 0,
        replaces: str = "",
        *,
        derived: bool = False,
    ) -> tuple[str, Entry]:
        """The public id of a new approval, and the entry that asks for it."""
        raw, uid = canonical(plan), self._uid()
        event = ev.ApprovalRequested(
            uid=uid,
            kind=plan.kind,
            subject=subject(plan),
            digest=digest(raw),
            plan=raw.decode(),
            run=plan.run,
            run_stream=run_stream,
            workflow=plan.workflow,
            version=plan.version,
            requester=plan.requester.principal,
            channel=plan.requester.channel,
            assurance=verdict.assurance,
            typed=verdict.typed,
            rule=verdict.rule,
            policy_rev=plan.policy_rev,
            expires_at=now + verdict.ttl,
            claim_within=claim_within(plan),
            replaces=replaces,
            again=verdict.again,
            derived=derived,
        )
        return uid, Entry(NEW, 0, (event,), (self.approvers.seen(now),))

    def _uid(self) -> str:
        chance = base64.b32encode(self.clock.bytes(16)).decode().rstrip("=").lower()
        return f"apr_{chance}"

    def unless(self, plan: Plan, now: int, query: str = "approval_not_now") -> Unless:
        """The condition under which a plan may be asked for: nothing is in the way."""
        return Unless(
            query,
            {
                "tenant": self.tenant,
                "subject": subject(plan),
                "principal": plan.requester.principal,
                "now": now,
                "cooled": now - COOL_DOWN,
                "most": MOST_PENDING,
            },
        )

    async def _found(self, row: Row, now: int) -> Held | None:
        if row["why"] == "many":
            raise too_many()
        held = await self.at(row["id"])
        if held.approval.state == "denied":
            raise recently_denied(held.approval)
        return held if held.approval.state_at(now) in {"pending", "approved", "claimed"} else None

    async def not_now(self, plan: Plan, now: int) -> Refused | None:
        """Why a run may not ask for this now; None when it may."""
        unless = self.unless(plan, now)
        rows = await self.store.fetch(unless.query, **unless.params)
        if not rows:
            return None
        if rows[0]["why"] == "many":
            return too_many()
        return recently_denied((await self.at(rows[0]["id"])).approval)

    # -- arrows --------------------------------------------------------------------------------

    async def end(self, held: Held, end: End, *more: Entry) -> None:
        """One arrow to an end; raises Stale when somebody was faster, Refused as `decide` does."""
        events = decide(held.approval, end)
        entry = Entry(held.stream, held.version, events, (self.approvers.seen(end.now),))
        await self.store.append(Append((entry, *more), end.now, end.by, self.tenant))

    async def lapse(self, held: Held, now: int) -> bool:
        """Record that an approval has run out, if it has."""
        if held.approval.state_at(now) != "expired" or held.approval.state == "expired":
            return False
        with contextlib.suppress(Stale, Refused):  # somebody else saw it first
            await self.end(held, End("expired", "nobody acted in time", "clock", now))
        return True


def claim_within(plan: Plan) -> int:
    """How long after the vote a plan may be claimed, in microseconds."""
    worst = any(op.verb in DESTRUCTIVE for op in plan.ops)
    return CLAIM_WITHIN_DESTRUCTIVE if worst else CLAIM_WITHIN


def shown(held: Held, now: int, *, enrolled: bool, working: bool) -> ApprovalView:
    """An approval as a reader sees it."""
    approval, request, plan = held.approval, held.approval.request, held.plan
    state, vote = approval.state_at(now), approval.vote
    return ApprovalView(
        id=request.uid,
        kind=request.kind,
        state=state,
        outcome=approval.outcome,
        code=code(request.digest),
        digest=request.digest,
        plan=plan,
        summary=summary(plan),
        run=request.run,
        requester=plan.requester.words,
        requested_at=approval.requested_at,
        expires_at=approval.expires_at,
        decided_at=approval.decided_at,
        decided_by=vote.approver if vote is not None else "",
        assurance_needed=request.assurance,
        confirm=_confirm(request),
        typed_words=confirmation(plan) if request.typed else "",
        channel=vote.channel if vote is not None else request.channel,
        comment=vote.comment if vote is not None else approval.reason,
        result=approval.result,
        successor=approval.successor,
        next_step=next_step(state, enrolled=enrolled, working=working),
        approver_exists=enrolled,
        worker_alive=working,
    )


def _confirm(request: ev.ApprovalRequested) -> str:
    if request.typed:
        return "typed"
    return "pin" if request.again else ""


def by(requester: Requester) -> str:
    """Who acts, for the journal."""
    return requester.sub or requester.client or requester.channel


# -- refusals ------------------------------------------------------------------------------


def forbidden(verdict: Verdict) -> Refused:
    """The policy lets nobody do this."""
    if verdict.rule == BROKEN:
        return Refused(
            BROKEN, "no change is allowed: the policy cannot be read",
            "A person corrects it: `handrail policy check` lists every problem.", move=Move.PERSON,
        )  # fmt: skip
    return Refused(
        "forbidden",
        f"the policy forbids this (rule {verdict.rule})" if verdict.rule else "policy forbids this",
        "Only a person who edits the policy file can change that.",
        move=Move.PERSON,
        details={"rule": verdict.rule},
    )


def too_many() -> Refused:
    """A person is not buried in questions."""
    return Refused(
        "too_many_pending",
        f"{MOST_PENDING} questions of yours wait for a person already",
        "Have the user decide on those first, or let them run out.",
        move=Move.PERSON,
    )


def recently_denied(approval: Approval) -> Refused:
    """A no holds for a while."""
    return Refused(
        "recently_denied",
        "a person said no to exactly this a moment ago",
        "Do not ask for the same again; talk to the user about what they want.",
        details={"approvalId": approval.request.uid, "until": approval.ended_at + COOL_DOWN},
    )


def busy() -> Refused:
    """Others write to the same faster than we can."""
    return Refused("busy", "the approval changes too fast", "Try again.")

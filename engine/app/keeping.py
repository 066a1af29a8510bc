"""The keeper of runs: what a run wants to change, held against the policy and against approvals.

A rule grants, or the run waits for a person; the approval is recorded in the same transaction in
which the run begins to wait, and claimed in the same in which the run is granted what it asked
for. An approval that ran out, was taken back or fits no longer is void; the run is not, it asks
anew. What is written goes under the expected version of the approval's stream, so that a vote in
between is never missed and two workers never both claim.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.app.approvers import Approvers
from engine.app.judging import Verdict
from engine.app.questions import Held as Asked
from engine.app.questions import Question, Questions, forbidden
from engine.core.approval.plan import (
    MOST_OPERATIONS,
    Operation,
    Plan,
    operation_digest,
    requester_of,
    subject,
)
from engine.core.approval.state import Claim, End, Finish, Outcome, decide
from engine.core.errors import Failure, Kind, Refused
from engine.core.events import RunPaused, RunStarted
from engine.core.log import Entry
from engine.shell.keeping import Denied, Granted, Parked, Permit

if TYPE_CHECKING:
    from engine.shell.drive import Held

KEY = "idempotency"
_WAITS = "paused:approval"


class Gatekeeper:
    """Says what the runs of one tenant may change."""

    def __init__(self, questions: Questions, approvers: Approvers) -> None:
        self._questions, self._approvers = questions, approvers
        self._secret = b""

    async def secret(self) -> bytes:
        """What idempotency keys are made with, the same for every process."""
        if not self._secret:
            self._secret = await self._approvers.key(KEY)
        return self._secret

    async def ask(
        self, held: "Held", proposals: tuple[Operation, ...], later: tuple[str, ...], now: int
    ) -> Permit:
        """Whether these operations of a run may be carried out."""
        question = _question(held, proposals, later)
        try:
            plan, verdict = await self._questions.plan(question, now)
            if verdict.says == "allow" and not _waited(held):
                return _by_rule(verdict, plan)
            return await self._asked(held, plan, verdict, await self._approvers.now())
        except Refused as refused:
            if refused.code != "bad_plan":
                raise
            return Denied(Failure(Kind.VALIDATION, refused.code, refused.message, refused.hint))

    async def finish(
        self, held: "Held", outcomes: Mapping[str, Outcome], now: int
    ) -> tuple[Entry, ...]:
        """The end of approvals whose operations have been carried out, as far as they were.

        What a run that has ended still asked for is void.
        """
        entries = []
        for grant, outcome in outcomes.items():
            asked = await self._questions.load(grant)
            if asked.approval.state == "claimed":
                events = decide(asked.approval, Finish(outcome, {"runId": held.run.uid}))
                entries.append(self._entry(asked, events, now))
            elif asked.approval.state in {"pending", "approved"}:
                entries += self._ended(asked, "void", "the run has ended", now)
        return tuple(entries)

    # -- what is known of the run already --------------------------------------------------------

    async def _asked(self, held: "Held", plan: Plan, verdict: Verdict, now: int) -> Permit:
        asked = await self._questions.newest("approval_of_run", run=plan.run)
        if asked is None:
            return await self._first(held, plan, verdict, now)
        state = asked.approval.state_at(now)
        if state == "denied":
            return Denied(_no(asked))
        if state == "approved":
            return self._claimed(held, asked, plan, verdict, now)
        if state == "pending":
            return self._pending(held, asked, plan, verdict, now)
        ended = self._ended(asked, "expired", "nobody acted in time", now)
        return self._judged(held, plan, verdict, now, ended if state == "expired" else ())

    async def _first(self, held: "Held", plan: Plan, verdict: Verdict, now: int) -> Permit:
        """The first question of a run; none is asked that a person refused a moment ago."""
        permit = self._judged(held, plan, verdict, now, ())
        if not isinstance(permit, Parked):
            return permit
        no = await self._questions.not_now(plan, now)
        if no is not None:
            return Denied(Failure(Kind.PERMISSION, no.code, no.message, no.hint))
        return replace(permit, unless=self._questions.unless(plan, now))

    def _judged(
        self, held: "Held", plan: Plan, verdict: Verdict, now: int, entries: tuple[Entry, ...]
    ) -> Permit:
        """What the policy says where no approval counts; a person is asked."""
        if verdict.says == "allow":
            return replace(_by_rule(verdict, plan), entries=entries)
        if verdict.says == "deny":
            no = forbidden(verdict)
            return Denied(Failure(Kind.PERMISSION, no.code, no.message, no.hint), entries)
        uid, entry = self._questions.requested(plan, verdict, now, held.stream)
        return Parked(uid, (*entries, entry))

    def _claimed(
        self, held: "Held", asked: Asked, plan: Plan, verdict: Verdict, now: int
    ) -> Permit:
        """Claim what a person allowed, if it is still what the run wants to do."""
        wanted = {op.id: operation_digest(op) for op in plan.ops}
        allowed = {op.id: operation_digest(op) for op in asked.plan.ops}
        if any(wanted.get(name, digest) != digest for name, digest in allowed.items()):
            return self._anew(held, asked, "void", "the plan has drifted", plan, verdict, now)
        if allowed.keys().isdisjoint(wanted):
            return self._anew(held, asked, "void", "it is not wanted any more", plan, verdict, now)
        request = asked.approval.request
        try:
            claim = Claim(f"run:{plan.run}", now, verdict.needed(request))
            events = decide(asked.approval, claim)
        except Refused as refused:
            return self._anew(held, asked, "void", refused.message, plan, verdict, now)
        granted = _granted(request.uid, asked.plan)
        entry = self._entry(asked, events, now)
        return Granted(granted.grant, granted.ops, (entry,), granted.templates)

    def _pending(
        self, held: "Held", asked: Asked, plan: Plan, verdict: Verdict, now: int
    ) -> Permit:
        request = asked.approval.request
        same = request.subject == subject(plan) or (request.derived and _part(asked.plan, plan))
        if not same or verdict.says == "allow":
            return self._anew(
                held, asked, "superseded", "the run wants something else", plan, verdict, now
            )
        if verdict.needed(request) > request.assurance or not verdict.needed(request):
            return self._anew(held, asked, "void", "the policy is stricter", plan, verdict, now)
        return Parked(request.uid, (Entry(asked.stream, asked.version, ()),))

    def _anew(
        self, held: "Held", asked: Asked, state: Any, why: str, plan: Plan, verdict: Verdict,
        now: int,
    ) -> Permit:  # fmt: skip
        return self._judged(held, plan, verdict, now, self._ended(asked, state, why, now))

    def _ended(self, asked: Asked, state: Any, why: str, now: int) -> tuple[Entry, ...]:
        try:
            events = decide(asked.approval, End(state, why, "engine", now))
        except Refused:
            return (Entry(asked.stream, asked.version, ()),)  # it is over; only hold it still
        return (self._entry(asked, events, now),)

    def _entry(self, asked: Asked, events: tuple[Any, ...], now: int) -> Entry:
        return Entry(asked.stream, asked.version, events, (self._approvers.seen(now),))


def _question(held: "Held", proposals: tuple[Operation, ...], later: tuple[str, ...]) -> Question:
    first = held.recorded[0]
    started: RunStarted = first.event
    ops, rest = proposals[:MOST_OPERATIONS], len(proposals) - MOST_OPERATIONS
    return Question(
        "run.mutations",
        requester_of(started.requester, started.channel or "engine", first.actor),
        f"{started.namespace}/{started.workflow}",
        started.version,
        ops,
        started.uid,
        (*later, f"{rest:,} more operations of this run") if rest > 0 else later,
    )


def _waited(held: "Held") -> bool:
    """Whether a person was asked for something of this run before."""
    return any(
        isinstance(line.event, RunPaused) and line.event.status == _WAITS for line in held.recorded
    )


def _granted(grant: str, plan: Plan) -> Granted:
    ops = {op.id: operation_digest(op) for op in plan.ops}
    templates = {op.id: op.count for op in plan.ops if op.count > 1 or "[*]" in op.id}
    return Granted(grant, ops, templates=templates)


def _by_rule(verdict: Verdict, plan: Plan) -> Granted:
    return replace(_granted(verdict.grant, plan), unless=verdict.unless)


def _part(derived: Plan, plan: Plan) -> bool:
    """Whether a plan that a person made smaller is still part of what is wanted."""
    wanted = {op.id: operation_digest(op) for op in plan.ops}
    return all(wanted.get(op.id) == operation_digest(op) for op in derived.ops)


def _no(asked: Asked) -> Failure:
    vote = asked.approval.vote
    who = vote.approver if vote is not None else "a person"
    return Failure(Kind.PERMISSION, "denied", f"{who} said no", "Talk to the user.")

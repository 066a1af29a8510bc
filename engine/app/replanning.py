"""A fresh approval in the place of one that is void, and a smaller one than was asked for.

What is asked comes from stored bytes each time: nobody but the engine says what a plan holds, and
an assistant never chooses the part of it that a person sees. A run that waits is told which
approval it waits for now, in the same transaction.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from engine.app.deciding import Deciding, run_over
from engine.app.questions import Held, Question, busy, by, forbidden
from engine.core.approval.plan import Plan, Requester
from engine.core.approval.state import Approver, End, decide
from engine.core.approval.views import ApprovalView
from engine.core.errors import Refused, Stale
from engine.core.events import RunPaused
from engine.core.log import Append, Entry, Recorded
from engine.core.run import fold
from engine.core.status import Status

_TRIES = 20
_FINAL = frozenset({"done", "denied"})


class Replanning(Deciding):
    """Asking again, for the same or for less."""

    async def replan(self, approval_id: str, *, requester: Requester) -> ApprovalView:
        """A fresh approval of what an approval asked for that is void by now.

        One that is open is given as it is. Raises Refused `unknown_approval`, `already_decided`,
        `run_over`, `not_waiting`, `forbidden`, and what asking raises.
        """
        for _ in range(_TRIES):
            held = await self._questions.load(approval_id)
            now = await self._approvers.now()
            if await self._questions.lapse(held, now):
                continue
            if held.approval.state in _FINAL:
                raise _decided(held)
            if held.approval.state_at(now) in {"pending", "approved", "claimed"}:
                return await self._questions.view(held, now)
            if not held.approval.request.run_stream:
                fresh = await self._questions.ask(_question(held.plan))
                return await self._questions.view(fresh, now)
            try:
                return await self._fresh(held, by(requester), now)
            except Stale:
                continue  # the run moved, or somebody else asked
        raise busy()

    async def derive(
        self, approval_id: str, keep: Collection[str], *, approver: Approver
    ) -> ApprovalView:
        """The approval of a part of a plan: the operations whose ids are in `keep`.

        The whole plan is superseded; what was left out is asked for again later. Raises Refused
        `unknown_approval`, `already_decided`, `expired`, `bad_selection`, `run_over`, `forbidden`.
        """
        for _ in range(_TRIES):
            held = await self._questions.load(approval_id)
            now = await self._approvers.now()
            await self._questions.lapse(held, now)
            ops = tuple(op for op in held.plan.ops if op.id in keep)
            if not 0 < len(ops) < len(held.plan.ops) or not held.approval.request.run_stream:
                raise Refused(
                    "bad_selection",
                    "choose some, but not all, of the operations of a run",
                    "To allow none of them, deny the approval.",
                )
            try:
                return await self._smaller(held, ops, approver, now)
            except Stale:
                continue
        raise busy()

    # -- runs ------------------------------------------------------------------------------------

    async def _fresh(self, held: Held, who: str, now: int) -> ApprovalView:
        newest = await self._questions.newest("approval_of_run", run=held.approval.request.run)
        if newest is not None and newest.stream != held.stream:
            return await self.replan(newest.approval.request.uid, requester=Requester("engine"))
        history = await self._waiting(held)
        plan, verdict = await self._questions.plan(_question(held.plan), now)
        if verdict.says == "deny":
            raise forbidden(verdict)
        stream, old = held.approval.request.run_stream, held.approval.request.uid
        if verdict.says == "allow":
            run = fold(line.event for line in history)
            entry = Entry(stream, history[-1].version, (), (self._due(run, stream),))
            await self._written((entry,), who, now, held)
            return await self._questions.view(held, now)
        uid, asks = self._questions.requested(plan, verdict, now, stream, old)
        still = Entry(held.stream, held.version, ())
        await self._written((still, asks, _waits_for(history, stream, uid)), who, now, held)
        return await self.get(uid)

    async def _smaller(
        self, held: Held, ops: tuple[Any, ...], approver: Approver, now: int
    ) -> ApprovalView:
        stream, who = held.approval.request.run_stream, f"{approver.channel}:{approver.name}"
        history = await self._waiting(held)
        question = replace(_question(held.plan), ops=ops)
        plan, verdict = await self._questions.plan(question, now)
        if verdict.says == "deny":
            raise forbidden(verdict)
        old = held.approval.request.uid
        asked = replace(verdict, ttl=max(held.approval.expires_at - now, 0))
        uid, asks = self._questions.requested(plan, asked, now, stream, old, derived=True)
        ends = decide(held.approval, End("superseded", "a part was taken out", who, now, uid))
        entries = (self._entry(held, ends, now), asks, _waits_for(history, stream, uid))
        await self._written(entries, who, now, held)
        return await self.get(uid)

    async def _waiting(self, held: Held) -> list[Recorded]:
        """The history of the run that waits for an approval."""
        stream = held.approval.request.run_stream
        history = await self._store.read(stream, tenant=self._tenant)
        run = fold(line.event for line in history)
        if run.over:
            raise run_over()
        if run.status is not Status.APPROVAL:
            raise Refused(
                "not_waiting",
                f"the run waits for nobody's decision: it is {run.status}",
                "Look at the run; it asks by itself when it needs to.",
                details={"runId": run.uid},
            )
        return history

    async def _written(self, entries: tuple[Entry, ...], who: str, now: int, held: Held) -> None:
        await self._store.append(Append(entries, now, who, self._tenant))
        await self._told(self._concerned(held), "")


def _question(plan: Plan) -> Question:
    return Question(
        plan.kind, plan.requester, plan.workflow, plan.version, plan.ops, plan.run, plan.later,
        plan.rationale, plan.env,
    )  # fmt: skip


def _waits_for(history: list[Recorded], stream: int, uid: str) -> Entry:
    """The run goes on waiting, for another approval."""
    paused = [line.event for line in history if isinstance(line.event, RunPaused)][-1]
    return Entry(stream, history[-1].version, (replace(paused, approval=uid),))


def _decided(held: Held) -> Refused:
    state = held.approval.state
    return Refused(
        "already_decided",
        f"the approval is {state} already",
        "Look at its result; to do it again, ask for it again.",
        details={"state": state},
    )

"""Deciding on approvals: a person votes, and what is the engine's own is carried out at once.

Each verb is one transaction. A vote on what a run waits for makes the run due in the same one, so
that a worker of any process takes it up; a no ends the run in it. A yes to an operation of the
engine's own claims, carries out and finishes it, from the stored bytes.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.app.approvers import Approvers, Installation
from engine.app.internal import Carried, Internal, Word, runs_of
from engine.app.judging import Verdict
from engine.app.listing import FAR, read_cursor, slots, write_cursor
from engine.app.questions import Held, Question, Questions, busy, by
from engine.core import events as run_events
from engine.core.approval.gated import Gated
from engine.core.approval.plan import Plan, Requester
from engine.core.approval.policy import MINUTE
from engine.core.approval.state import (
    Approver,
    Claim,
    Command,
    End,
    Finish,
    Vote,
    decide,
    evolve,
)
from engine.core.approval.views import ApprovalPage, ApprovalView, Blocked, Needing, Undecided
from engine.core.due import done_with, due
from engine.core.errors import Failure, Kind, Refused, Stale
from engine.core.log import Append, Entry, Param, Row, Taken, Write
from engine.core.run import Run, fold
from engine.core.status import Status

_TRIES = 20
MOST_OUTCOMES = 100
"""How many open outcomes a list shows."""

CANCEL = "run.cancel"
_STUCK = (Status.AUTH, Status.PERMISSION, Status.PRECONDITION, Status.BUDGET, Status.STALE)
"""Where a run waits for a person to put something right."""


class Deciding:
    """What people can do with approvals: look, and decide.

    `told` is called after a change with the runs concerned and the kind of what was carried out.
    """

    def __init__(
        self,
        questions: Questions,
        approvers: Approvers,
        internal: Internal,
        lane: Callable[[str, str], int],
        told: Callable[[Iterable[str], str], Awaitable[None]],
    ) -> None:
        self._questions, self._approvers, self._internal = questions, approvers, internal
        self._lane, self._told = lane, told
        self._store, self._tenant = questions.store, questions.tenant

    # -- approvers -----------------------------------------------------------------------------

    async def enrol(self, name: str, pin: str, *, old: str = "", channel: str = "terminal") -> None:
        """Let `name` decide with `pin`; once somebody is enrolled, their PIN is needed as `old`.

        Raises Refused `bad_pin`, `bad_name`, `already_enrolled`, `wrong_pin`, `locked_out`.
        """
        await self._approvers.enrol(name, pin, old=old, channel=channel)

    async def has_approver(self) -> bool:
        """Whether anybody is set up to decide."""
        return await self._approvers.any()

    async def approvers(self) -> tuple[str, ...]:
        """The names of those who may decide."""
        return await self._approvers.names()

    async def authenticate(self, pin: str, *, channel: str) -> Approver:
        """Who decides with this PIN; raises Refused `no_approver`, `wrong_pin`, `locked_out`."""
        return await self._approvers.authenticate(pin, channel=channel)

    def attested(self, requester: Requester) -> Approver:
        """Whoever answered a form in a client (A1)."""
        return self._approvers.attested(requester)

    async def installation(self) -> Installation:
        """The secret and the port that this installation made once."""
        return await self._approvers.installation()

    async def remember_port(self, port: int, instead_of: int) -> int:
        """Keep the page's port if `instead_of` is what is kept; returns what is kept now."""
        return await self._approvers.remember_port(port, instead_of)

    async def key(self, name: str) -> bytes:
        """A key of 32 bytes that this installation made once, for `name`."""
        return await self._approvers.key(name)

    # -- reading -------------------------------------------------------------------------------

    async def get(self, approval_id: str) -> ApprovalView:
        """One approval as it stands; raises Refused `unknown_approval`."""
        held = await self._questions.load(approval_id)
        now = await self._approvers.now()
        if await self._questions.lapse(held, now):
            held = await self._questions.at(held.stream)
        return await self._questions.view(held, now)

    async def list(
        self, *, open_only: bool = True, limit: int = 20, cursor: str = ""
    ) -> ApprovalPage:
        """A page of approvals, newest first; raises Refused `invalid_cursor`."""
        now = await self._approvers.now()
        before = read_cursor(cursor) if cursor else FAR
        place: dict[str, Any] = {"tenant": self._tenant, "before": before, "limit": limit + 1}
        if open_only:
            rows = await self._store.fetch("approval_list_open", now=now, **place)
        else:
            rows = await self._store.fetch("approval_list", **place)
        found = [await self._questions.at(row["id"]) for row in rows[:limit]]
        views = await self._questions.views(found, now)
        more = len(rows) > limit
        return ApprovalPage(tuple(views), write_cursor(rows[limit - 1]["id"]) if more else "")

    async def needing(self) -> Needing:
        """Everything that needs a person."""
        page = await self.list(limit=100)
        place: dict[str, Any] = {"tenant": self._tenant, "after": 0, "limit": MOST_OUTCOMES}
        rows = await self._store.fetch("outcomes_open", **place)
        stuck = await self._store.fetch("run_list_status", limit=MOST_OUTCOMES, **self._stuck())
        blocked = tuple(_stuck(row) for row in stuck)
        return Needing(page.rows, tuple(_undecided(row) for row in rows), blocked)

    def _stuck(self) -> dict[str, Any]:
        anything = {"namespace": "", "version": "", "kind": "", "since": 0, "until": FAR}
        place = {"tenant": self._tenant, "before": FAR, "open": 1}
        return {**anything, **place, **slots([status.value for status in _STUCK])}

    # -- asking --------------------------------------------------------------------------------

    async def ask(self, question: Question) -> None:
        """Have a person decide on an operation of the engine's own; raises Gated, or Refused.

        Returns where the policy lets it pass, and it has been carried out.
        """
        for _ in range(_TRIES):
            now = await self._approvers.now()
            plan, verdict = await self._questions.plan(question, now)
            if verdict.says != "allow":
                held = await self._questions.ask(question)
                raise Gated(await self._questions.view(held))
            with contextlib.suppress(Stale, Taken):  # the budget is spent, or somebody was faster
                return await self._let_pass(plan, verdict, now)
        raise busy()

    async def _let_pass(self, plan: Plan, verdict: Verdict, now: int) -> None:
        """Carry out what a rule allows, and count it against the rule's budget."""
        grant = verdict.grant
        carried = await self._internal.carry(plan, Word(grant, by(plan.requester), now))
        if not carried.entries:
            return
        count = sum(op.count for op in plan.ops)
        place: dict[str, Param] = {"tenant": self._tenant, "name": grant, "minute": now // MINUTE}
        used = Write("grant_use", {**place, "operations": count})
        first, *others = carried.entries
        entries = (first._replace(also=(*first.also, used)), *others)
        actor = by(plan.requester)
        await self._store.append(Append(entries, now, actor, self._tenant, verdict.unless))
        await self._told(runs_of(plan), plan.kind)

    # -- deciding ------------------------------------------------------------------------------

    async def approve(
        self,
        approval_id: str,
        *,
        digest: str,
        approver: Approver,
        code: str = "",
        comment: str = "",
        typed: str = "",
    ) -> ApprovalView:
        """Say yes to the bytes that `digest` names; what is the engine's own is done with it.

        Raises Refused `unknown_approval`, `expired`, `already_decided`, `digest_changed`,
        `wrong_code`, `assurance_too_low`, `pin_needed_again`, `typed_confirmation_needed`,
        `policy_changed`.
        """
        vote = Vote("approve", digest, approver, 0, "", comment, code, typed)
        return await self._vote(approval_id, vote)

    async def deny(
        self, approval_id: str, *, digest: str, approver: Approver, comment: str = ""
    ) -> ApprovalView:
        """Say no; a run that waits for it ends. Raises Refused as `approve` does."""
        return await self._vote(approval_id, Vote("deny", digest, approver, 0, "", comment))

    async def revoke(self, approval_id: str, *, approver: Approver) -> ApprovalView:
        """Take a yes back, as long as nothing was begun; raises Refused `already_decided`."""
        reason, who = "taken back", f"{approver.channel}:{approver.name}"
        return await self._end(approval_id, "revoked", reason, who)

    async def withdraw(self, approval_id: str, *, requester: Requester) -> ApprovalView:
        """Take a question back; raises Refused `not_yours`, `already_decided`."""
        held = await self._questions.load(approval_id)
        if held.approval.request.requester != requester.principal:
            raise Refused("not_yours", "somebody else asked for this", "Only they can withdraw it.")
        return await self._end(approval_id, "cancelled", "withdrawn", by(requester))

    async def _vote(
        self,
        approval_id: str,
        vote: Vote,
        more: Callable[[Held, Vote], tuple[Entry, ...]] = lambda held, vote: (),
    ) -> ApprovalView:
        for _ in range(_TRIES):
            held = await self._questions.load(approval_id)
            now = await self._approvers.now()
            await self._questions.lapse(held, now)
            await self._check_run(held, vote, now)
            verdict = await self._questions.judge(held.plan, now)
            cast = replace(vote, now=now, needed=verdict.needed(held.approval.request))
            entries, kind = await self._voting(held, cast)
            actor = f"{vote.approver.channel}:{vote.approver.name}"
            try:
                whole = (*entries, *more(held, cast))
                await self._store.append(Append(whole, now, actor, self._tenant))
            except Stale:
                continue  # somebody else decided, or the run moved: look again
            await self._told(self._concerned(held), kind)
            return await self._questions.view(await self._questions.at(held.stream), now)
        raise busy()

    async def _voting(self, held: Held, vote: Vote) -> tuple[tuple[Entry, ...], str]:
        """What a vote writes, and the kind of what it carries out."""
        said: tuple[Any, ...] = decide(held.approval, vote)
        request = held.approval.request
        if request.run_stream:
            run = await self._of_run(held, vote)
            return (self._entry(held, said, vote.now), run), ""
        if vote.decision == "deny":
            return (self._entry(held, said, vote.now),), ""
        word = Word(request.uid, vote.approver.name, vote.now)
        carried = await self._internal.carry(held.plan, word)
        said += _at_once(held, said, vote, carried)
        ends = [entry for run in _cancelled(held, carried) for entry in await self.ending(run)]
        return (self._entry(held, said, vote.now), *carried.entries, *ends), request.kind

    async def _check_run(self, held: Held, vote: Vote, now: int) -> None:
        """An approval of a run that has ended meanwhile is void; raises Refused `run_over`."""
        stream = held.approval.request.run_stream
        if not stream or vote.decision == "deny":
            return
        history = await self._store.read(stream, tenant=self._tenant)
        if fold(line.event for line in history).over:
            with contextlib.suppress(Stale, Refused):
                await self._questions.end(held, End("void", "the run has ended", "engine", now))
            raise run_over()

    def _entry(self, held: Held, events: Sequence[Any], now: int) -> Entry:
        return Entry(held.stream, held.version, tuple(events), (self._approvers.seen(now),))

    async def _of_run(self, held: Held, vote: Vote) -> Entry:
        """What a vote means for the run that waits: it is due, or it ends."""
        stream = held.approval.request.run_stream
        history = await self._store.read(stream, tenant=self._tenant)
        run = fold(line.event for line in history)
        if run.over:
            return Entry(stream, history[-1].version, ())
        if vote.decision == "deny":
            failed = run_events.RunFailed(
                Status.FAILED_DENIED, run.failed_step or held.plan.ops[0].id, _denied(vote)
            )
            return Entry(stream, history[-1].version, (failed,), (done_with(stream),))
        return Entry(stream, history[-1].version, (), (self._due(run, stream),))

    def _due(self, run: Run, stream: int) -> Write:
        # By the clock that the workers look at: approvals' own time never goes back.
        now = self._questions.clock.now()
        lane = self._lane(run.namespace, run.workflow)
        return due(stream, self._tenant, lane, now)

    async def _end(self, approval_id: str, state: Any, reason: str, who: str) -> ApprovalView:
        for _ in range(_TRIES):
            held = await self._questions.load(approval_id)
            now = await self._approvers.now()
            await self._questions.lapse(held, now)
            try:
                await self._questions.end(held, End(state, reason, who, now))
            except Stale:
                continue
            await self._told(self._concerned(held), "")
            return await self._questions.view(await self._questions.at(held.stream), now)
        raise busy()

    async def ending(self, run_id: str) -> tuple[Entry, ...]:
        """What is written of a run's last approval together with the run's end by a person."""
        held = await self._questions.newest("approval_of_run", run=run_id)
        if held is None or held.approval.state not in {"pending", "approved", "claimed"}:
            return ()
        now = await self._approvers.now()
        command: Command = End("void", "the run has ended", "engine", now)
        if held.approval.state == "claimed":
            command = Finish("partial", {"runId": run_id})
        return (self._entry(held, decide(held.approval, command), now),)

    def _concerned(self, held: Held) -> Iterable[str]:
        request = held.approval.request
        return (request.run,) if request.run else runs_of(held.plan)


def _at_once(held: Held, said: Iterable[Any], vote: Vote, carried: Carried) -> tuple[Any, ...]:
    """The claim and the end that follow a yes in the same transaction."""
    approval, more = replace(held.approval), list[Any]()
    commands: tuple[Command, ...] = (
        Claim("engine", vote.now, vote.needed),
        Finish(carried.outcome, carried.result),
    )
    for event in said:
        evolve(approval, event, vote.now)
    for command in commands:
        for event in decide(approval, command):
            evolve(approval, event, vote.now)
            more.append(event)
    return tuple(more)


def _stuck(row: Mapping[str, Any]) -> Blocked:
    name = f"{row['namespace']}/{row['workflow']}"
    return Blocked(row["uid"], name, row["status"], row["failed_step"], row["created_at"])


def _cancelled(held: Held, carried: Carried) -> Iterable[str]:
    """The runs that end by what is carried out."""
    return runs_of(held.plan) if held.approval.request.kind == CANCEL and carried.entries else ()


def run_over() -> Refused:
    """There is nothing to decide about a run that has ended."""
    return Refused("run_over", "the run has ended meanwhile", "There is nothing to decide.")


def _denied(vote: Vote) -> Failure:
    said = f": {vote.comment}" if vote.comment else ""
    return Failure(
        Kind.PERMISSION,
        "denied",
        f"{vote.approver.name} said no{said}",
        "Talk to the user about what they want; do not start the same again.",
    )


def _undecided(row: Row) -> Undecided:
    workflow = f"{row['namespace']}/{row['workflow']}"
    return Undecided(row["uid"], workflow, row["path"], row["reason"], row["since"])

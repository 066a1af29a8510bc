"""The gated verbs: what nobody gets done without a person, and how that person is asked for it.

Each verb looks first whether there is anything to do; then it asks, and raises Gated until a
person has decided. What the operations are is `internal.py`'s, how votes are cast `deciding.py`'s.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

from engine.app.approvers import Approvers
from engine.app.catalogue import Shelf
from engine.app.granting import Granting
from engine.app.impact import Impact
from engine.app.internal import (
    Internal,
    accepting,
    activating,
    cancelling,
    deprecating,
    resolving,
    switching,
)
from engine.app.judging import Judging
from engine.app.keeping import Gatekeeper
from engine.app.questions import Question, Questions, too_many
from engine.app.receipting import receipt
from engine.app.settings import Settings, policy_of
from engine.core.approval.concerns import concerning
from engine.core.approval.plan import Operation, Requester, requester_of
from engine.core.approval.state import MOST_PENDING
from engine.core.errors import Refused, StepError
from engine.core.events import RunStarted
from engine.core.labels.change import Item
from engine.core.plain import plain
from engine.core.run import Resolve, Run, decide, fold
from engine.core.version import Semver
from engine.shell.label_files import LabelFile
from engine.shell.library import Known, Library
from engine.shell.roll import silent
from engine.store import Store

MOST_RESULT = 256 * 1024
"""Characters in the result of a mutation, as a person says it."""
MOST_HOURLY, MOST_HOURS = 10_000, 366 * 24
LOCAL = Requester("engine")
"""Whoever calls the engine as a library."""


class Approvals(Granting):
    """Everything about approvals: asking for what is gated, looking, deciding."""

    def __init__(
        self,
        questions: Questions,
        approvers: Approvers,
        library: Library,
        shelf: Shelf,
        told: Callable[[Iterable[str], str], Awaitable[None]],
        labels: LabelFile,
        impact: Impact,
    ) -> None:
        self._impact = impact
        store, tenant = questions.store, questions.tenant
        internal = Internal(store, questions.clock, library, tenant, labels)
        super().__init__(questions, approvers, internal, library.lane, told)
        self._library, self._shelf = library, shelf
        self.keeper = Gatekeeper(questions, approvers)

    # -- versions ------------------------------------------------------------------------------

    async def accept(self, name: str, version: str = "", *, requester: Requester) -> None:
        """Let a version run that changes systems outside, with all that it opens.

        Returns when it is accepted already; raises Gated, Refused `unknown_workflow`, ...
        """
        await self.admit(self._shelf.known(name, version), requester)

    async def admit(self, known: Known, requester: Requester) -> None:
        """Raise Gated unless a version, and every sub-workflow it opens, is accepted."""
        await self._library.reread()  # it may have been accepted in another process just now
        workflow = await self._library.learn(known.digest)
        ops: list[Operation] = []
        for one in await self._library.learn_all(workflow):
            row = self._library.row(one.namespace, one.name, one.version or "")
            if row is not None and row.pending:
                default = self._library.default_row(one.namespace, one.name)
                ops.append(accepting(row, one, default))
        if ops:
            await self._of_version("version.accept", known, tuple(ops), requester)

    async def switch(self, name: str, version: str, *, requester: Requester) -> None:
        """Pin the default version; `latest` unpins it. Raises Gated, Refused `pending_version`."""
        pinned = version != "latest"
        known = self._shelf.known(name, version) if pinned else self._highest(name)
        if known.pending:
            raise Refused(
                "pending_version", f"{known.version} is not accepted yet", "Have it accepted first."
            )
        default = self._library.default_row(known.namespace, known.name)
        if default != known or known.pinned != pinned:
            op = switching(known, default, pinned=pinned)
            await self._of_version("version.default", known, (op,), requester)

    def _highest(self, name: str) -> Known:
        rows = self._library.rows(*self._shelf.find(name))
        able = [row for row in rows if not row.pending and not row.deprecated] or list(rows)
        return max(able, key=lambda row: Semver.parse(row.version))

    async def deprecate(
        self, name: str, version: str, *, requester: Requester, undo: bool = False
    ) -> None:
        """Let a version take no new runs unless asked for; `undo` takes that back."""
        known = self._shelf.known(name, version)
        if known.deprecated == undo:
            op = deprecating(known, undo=undo)
            await self._of_version("version.deprecate", known, (op,), requester)

    async def _of_version(
        self, kind: str, known: Known, ops: tuple[Operation, ...], requester: Requester
    ) -> None:
        name = f"{known.namespace}/{known.name}"
        ops = concerning(ops, await self._impact.concerns(self._changed(kind, known, ops)))
        await self.ask(Question(kind, requester, name, known.version, ops))

    async def relabel(self, question: Question, items: Iterable[Item]) -> None:
        """Ask for a change of the labels of some things; raises as `ask` does."""
        ops = concerning(question.ops, await self._impact.around(items))
        await self.ask(replace(question, ops=ops))

    def _changed(
        self, kind: str, known: Known, ops: tuple[Operation, ...]
    ) -> Iterable[tuple[Known, bool]]:
        """The versions that a plan changes, and whether what asks for none of them is concerned."""
        for op in ops:
            args = op.args
            row = self._library.row(args["namespace"], args["name"], args["version"])
            if row is not None:
                soon = kind == "version.default" or args.get("becomesDefault", False)
                yield row, row.is_default or soon

    async def full(self, requester: Requester) -> Refused | None:
        """Why somebody may ask for nothing more now: too much of theirs waits for a person."""
        now, who = await self._approvers.now(), requester.principal
        (row,) = await self._store.fetch(
            "approval_pending", tenant=self._tenant, principal=who, now=now
        )
        return too_many() if row["pending"] >= MOST_PENDING else None

    # -- runs ------------------------------------------------------------------------------------

    async def may_cancel(self, started: RunStarted, requester: Requester, reason: str) -> None:
        """Return if a run is the requester's own; raise Gated where it is somebody else's."""
        owner = requester_of(started.requester, started.channel)
        if owner.principal == requester.principal:
            return
        name = f"{started.namespace}/{started.workflow}"
        op = cancelling(started.uid, name, owner.words, reason)
        await self.ask(Question("run.cancel", requester, name, started.version, (op,)))

    async def resolve(
        self, run_id: str, path: str, verdict: str, result: Any = None, *, requester: Requester
    ) -> None:
        """Say what became of a mutation: `happened` (with its result), `did_not_happen`, `skip`.

        Returns when just that was said already; raises Gated, Refused `unknown_run`,
        `unknown_step`, `unknown_verdict`, `not_unresolved`, `invalid_input`.
        """
        run = await self._run_of(run_id)
        given = _plain(result)
        known = run.sends.get(path)
        if known is not None and known.word == verdict:
            return
        decide(run, Resolve(path, verdict, given, "", 0))
        name = f"{run.namespace}/{run.workflow}"
        op = resolving(run, path, verdict, given)
        await self.ask(Question("mutation.resolve", requester, name, run.version, (op,)))

    async def activate(
        self, name: str, version: str = "", *, requester: Requester, hourly: int, hours: int
    ) -> None:
        """Let a version change systems outside when it runs by itself, without asking each time:
        at most `hourly` operations an hour, for so many `hours`.

        Returns when it may already; raises Gated, Refused `invalid_input`, `unknown_workflow`, ...
        """
        if not (0 < hourly <= MOST_HOURLY and 0 < hours <= MOST_HOURS):
            message = f"1 to {MOST_HOURLY:,} operations an hour, for 1 to {MOST_HOURS:,} hours"
            raise Refused("invalid_input", message, "Choose numbers within these.")
        known = self._shelf.known(name, version)
        await self.admit(known, requester)
        if await self._questions.judge.active(known.digest, await self._approvers.now()):
            return
        op = activating(known, hourly, hours)
        await self._of_version("workflow.activate", known, (op,), requester)

    async def receipt(self, approval_id: str) -> dict[str, Any]:
        """What an approval was and what came of it, with its proofs; raises `unknown_approval`."""
        held = await self._questions.load(approval_id)
        return await receipt(self._store, self._tenant, held)

    async def _run_of(self, run_id: str) -> Run:
        rows = await self._store.fetch("run_by_uid", tenant=self._tenant, uid=run_id[:80])
        if not rows:
            raise Refused("unknown_run", f"there is no run {run_id[:60]!r}", "list_runs has them.")
        history = await self._store.read(rows[0]["id"], tenant=self._tenant)
        return fold(line.event for line in history)


def _plain(result: Any) -> Any:
    try:
        return plain(result, MOST_RESULT)
    except StepError as error:
        failure = error.failure
        raise Refused("invalid_input", failure.message, failure.hint) from None


def approvals_of(
    store: Store,
    settings: Settings,
    library: Library,
    shelf: Shelf,
    told: Callable[[Iterable[str], str], Awaitable[None]],
    labels: LabelFile,
    impact: Impact,
) -> Approvals:
    """The approvals of an engine."""
    clock, tenant, pace = settings.clock, settings.tenant, settings.pace
    judging = Judging(store, tenant, policy_of(settings), labels)

    async def alive() -> bool:
        now = clock.now()
        rows = await store.fetch("worker_list")
        return any(row["state"] == "working" and not silent(row, now, pace) for row in rows)

    approvers = Approvers(store, clock, tenant)
    questions = Questions(store, clock, tenant, approvers, judging, alive)
    return Approvals(questions, approvers, library, shelf, told, labels, impact)

"""Starting, cancelling and retrying runs: the commands that change a run from outside.

Each is one append under an expected version, so it happens once or not at all. A retry closes
the old run and starts the new one in the same transaction, and copies the results of completed
steps when the version is the same (SEMANTICS section 2).
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from engine.app.approving import Approvals
from engine.app.catalogue import Shelf
from engine.core import events as ev
from engine.core import uid
from engine.core.approval.plan import Requester
from engine.core.calls import call_key, is_call
from engine.core.carry import carried
from engine.core.due import PATIENCE, done_with, due
from engine.core.errors import Move, Refused, Stale, StepError
from engine.core.log import NEW, Append, Entry, Param, Recorded, Taken, Unless, Write
from engine.core.model import Effect, Workflow
from engine.core.plain import plain
from engine.core.plan import Planner
from engine.core.run import Cancel, Run, decide, fold
from engine.core.schema import coerce_json, explain, with_defaults
from engine.core.status import RETRYABLE_BY_HAND
from engine.shell.clock import Clock
from engine.shell.drive import Drive, Held, recorded
from engine.shell.library import Known, Library
from engine.shell.redact import KNOWN
from engine.shell.worker import Worker
from engine.store import Store, StoreError

MAX_INPUT = 1024 * 1024
"""Characters of text in a run's input."""


class Runs:
    """The commands on runs of one tenant."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        library: Library,
        shelf: Shelf,
        worker: Worker | None,
        tenant: str,
        approvals: Approvals,
    ) -> None:
        self._store, self._clock, self._library = store, clock, library
        self._shelf, self._worker, self._tenant = shelf, worker, tenant
        self._approvals = approvals

    # -- starting ---------------------------------------------------------------------------

    async def start(
        self,
        name: str,
        given: Any,
        version: str,
        key: str,
        deadline: int | None,
        actor: str,
        requester: Requester,
        again_after: int | None = None,
    ) -> tuple[str, bool]:
        """Start a run; returns its id and whether it is an earlier start under the same key."""
        known = self._shelf.known(name, version)
        workflow, changes = await self._runnable(known, requester, asked=bool(version))
        checked, now = check_input(workflow, given), self._clock.now()
        if not key and again_after is not None and changes:
            key = call_key(requester.principal, version, checked)
        digest = _digest(checked) if key else ""
        event = ev.RunStarted(
            uid=uid.new(now, self._clock.bytes(10)),
            namespace=known.namespace,
            workflow=known.name,
            version=known.version,
            digest=known.digest,
            kind="workflow",
            input=checked,
            held=self._adopts(known),
            key=key,
            input_digest=digest,
            deadline=None if deadline is None else now + deadline,
            requester=requester.principal if requester.sub else "",
            channel=requester.channel,
        )
        try:
            unless = self._unless(known, key, again_after, now)
            await self._check_room(unless, requester)
            await self._launch(event, workflow, (), actor, unless)
        except Taken as taken:
            return await self._earlier(taken.row, digest, key), True
        return event.uid, False

    async def _check_room(self, unless: Unless | None, requester: Requester) -> None:
        """Refuse a new run that would ask, from somebody of whom too much waits already."""
        if unless is None or unless.query != "call_key_find":
            return
        full = await self._approvals.full(requester)
        if full is not None and not await self._store.fetch(unless.query, **unless.params):
            raise full

    def _adopts(self, known: Known) -> bool:
        """Whether this process works on a new run at once; a limited one has to be claimed."""
        worker = self._worker
        if worker is None or worker.room <= 0:
            return False
        return not worker.claims.limited(self._library.lane(known.namespace, known.name))

    def _unless(self, known: Known, key: str, again_after: int | None, now: int) -> Unless | None:
        if not key:
            return None
        place = {"tenant": self._tenant, "namespace": known.namespace, "workflow": known.name}
        if again_after is not None and is_call(key):
            return Unless("call_key_find", {**place, "key": key, "since": now - again_after})
        return Unless("start_key_find", {**place, "key": key})

    async def _earlier(self, row: Mapping[str, Any], digest: str, key: str) -> str:
        (run,) = await self._store.fetch("run_by_id", tenant=self._tenant, id=row["run"])
        if row["input_digest"] != digest:
            raise Refused(
                "idempotency_key_reused",
                f"the key {key[:60]!r} was used for run {run['uid']} with another input",
                "Use a new key for a new run, or the same input to get that run.",
                details={"runId": run["uid"]},
            )
        return str(run["uid"])

    async def _runnable(
        self, known: Known, requester: Requester, *, asked: bool
    ) -> tuple[Workflow, bool]:
        """The version, compiled with all that it opens; and whether that changes systems outside.

        Raises Gated until it is accepted.
        """
        if known.deprecated and not asked:
            raise Refused(
                "deprecated_version",
                f"the default version {known.version} of {known.name} is deprecated",
                f"Ask for it by version, or choose another: handrail versions {known.name}",
                move=Move.PERSON,
            )
        workflow = await self._library.learn(known.digest)
        opened = await self._library.learn_all(workflow)
        if not all(map(self._library.accepted, opened)):
            await self._library.reread()  # a person may have accepted it in another process
            await self._approvals.admit(known, requester)
            opened = await self._library.learn_all(workflow)
        return workflow, any(one.effect is Effect.MUTATION for one in opened)

    async def _launch(
        self,
        event: ev.RunStarted,
        workflow: Workflow,
        copied: tuple[Any, ...],
        actor: str,
        unless: Unless | None = None,
        before: tuple[Entry, ...] = (),
    ) -> None:
        if event.held and unless is None and not before and not copied:
            await self._begin(event, workflow, actor)
            return
        owner = self._worker.id if event.held and self._worker is not None else 0
        now, lane = self._clock.now(), self._library.lane(event.namespace, event.workflow)
        put: dict[str, Param] = {"tenant": self._tenant, "lane": lane, "at": now, "owner": owner}
        entry = Entry(NEW, 0, (event, *copied), (Write("due_put", put),))
        request = Append((*before, entry), now, actor, self._tenant, unless)
        try:
            done = await self._store.append(request)
        except StoreError:
            if self._worker is not None:
                self._worker.doubt()  # it may have been carried out all the same
            raise
        if self._worker is None:
            return
        if not event.held:
            self._worker.poke()
            return
        run = fold((event, *copied))
        stream = done.streams[-1]
        history = list(recorded(entry, self._tenant, stream, now, actor))
        held = Held(stream, run, self._tenant, history)
        self._worker.adopt(held, Planner(run, workflow, self._library), owner)

    async def _begin(self, event: ev.RunStarted, workflow: Workflow, actor: str) -> None:
        """Start a run and work on it at once: what is done at once is recorded with its start.

        Only what reads is done before the start is durable, and nobody hears of it earlier. A
        fault leaves nothing behind, or a lease that this worker has to look for.
        """
        worker, tenant, now = self._worker, self._tenant, self._clock.now()
        assert worker is not None
        owner, start = worker.id, Entry(NEW, 0, (event,))
        history = list(recorded(start, tenant, NEW, now, actor))
        held = Held(NEW, fold((event,)), tenant, history)
        drive = worker.conceive(held, Planner(held.run, workflow, self._library))
        try:
            await asyncio.sleep(0)  # its turn: what waits for nothing is done when it is over
            entries = self._together(start, drive, owner, now)
            done = await self._store.append_soon(Append(entries, now, actor, tenant))
        except BaseException:
            worker.stillborn(drive)
            worker.doubt()
            raise
        held.stream = done.streams[0]
        held.recorded = [
            line
            for entry in entries
            for line in recorded(entry, tenant, held.stream, entry.at or now, entry.by or actor)
        ]
        worker.born(drive, owner)

    def _together(self, start: Entry, drive: Drive, owner: int, now: int) -> tuple[Entry, ...]:
        """The start, with what was done; a lease on the run, unless it rests by then."""
        assert drive.birth is not None
        drive.birth.sent = True
        put: dict[str, Param] = {"tenant": self._tenant, "lane": 0, "at": now, "owner": owner}
        lease, done = (Write("due_put", put),), drive.birth.entry
        if done is None:
            return (start._replace(also=lease),)
        if drive.birth.whole:
            return start, done
        kept = tuple(write for write in done.also if write != done_with(NEW))
        return start, done._replace(also=kept if done.also else lease)

    # -- cancelling and retrying -----------------------------------------------------------------

    async def cancel(self, stream: int, actor: str, reason: str, requester: Requester) -> None:
        """End a run now; what is under way is abandoned. Raises Refused `already_ended`; Gated
        where the run is somebody else's."""
        for _ in range(20):
            run, history = await self._load(stream)
            events = decide(run, Cancel(reason))
            await self._approvals.may_cancel(history[0].event, requester, reason)
            entry = Entry(stream, history[-1].version, events, (self._left(stream, run),))
            entries = (entry, *await self._approvals.ending(run.uid))
            try:
                await self._store.append(Append(entries, self._clock.now(), actor, self._tenant))
            except Stale:
                continue  # a step ended in between: look again
            if self._worker is not None:
                self._worker.drop(stream)
            return
        raise Refused("busy", "the run changes too fast to be cancelled", "Try again.")

    def _left(self, stream: int, run: Run) -> Write:
        """Nobody looks at a run that is over, unless the outcome of what it sent is open."""
        if not run.unresolved:
            return done_with(stream)
        at = self._clock.now() + PATIENCE
        return due(stream, self._tenant, 0, at)

    async def retry(self, stream: int, version: str, actor: str, requester: Requester) -> str:
        """Start a new run in the place of one that failed; returns the new id."""
        run, history = await self._load(stream)
        if run.retried_by:
            raise Refused(
                "already_retried",
                f"the run was retried already, by {run.retried_by}",
                "Look at that run.",
                details={"runId": run.retried_by},
            )
        if run.status not in RETRYABLE_BY_HAND:
            raise Refused(
                "not_retryable",
                f"a run that is {run.status} cannot be retried",
                "Only failed, cancelled and blocked runs can.",
                details={"status": run.status.value},
            )
        known, workflow = await self._again(run, version, requester)
        same = workflow.digest == run.digest
        given = run.input if same else check_input(workflow, run.input)
        started = self._retrying(run, stream, history, known, given, requester)
        told = (line.event for line in history)
        copied = carried(run, told, workflow, same=same)
        ended = (ev.RunRetried(started.uid),)
        closing = Entry(stream, history[-1].version, ended, (done_with(stream),))
        try:
            await self._launch(started, workflow, copied, actor, None, (closing,))
        except Stale:
            raise Refused(
                "busy", "the run changed while it was being retried", "Look at it again."
            ) from None
        return started.uid

    async def _again(self, run: Run, version: str, requester: Requester) -> tuple[Known, Workflow]:
        name = f"{run.namespace}/{run.workflow}"
        known = self._shelf.known(name, version or run.version)
        workflow, _ = await self._runnable(known, requester, asked=True)
        return known, workflow

    def _retrying(
        self,
        run: Run,
        stream: int,
        history: list[Recorded],
        known: Known,
        given: Any,
        requester: Requester,
    ) -> ev.RunStarted:
        first, now = history[0].event, self._clock.now()
        return ev.RunStarted(
            uid=uid.new(now, self._clock.bytes(10)),
            namespace=known.namespace,
            workflow=known.name,
            version=known.version,
            digest=known.digest,
            kind=first.kind,
            input=given,
            held=self._adopts(known),
            retry_of=stream,
            root=first.root or stream,
            root_uid=run.root,
            requester=requester.principal if requester.sub else "",
            channel=requester.channel,
        )

    async def _load(self, stream: int) -> tuple[Run, list[Recorded]]:
        history = await self._store.read(stream, tenant=self._tenant)
        run = fold(entry.event for entry in history)
        return run, history


def check_input(workflow: Workflow, given: Any) -> Any:
    """The input with defaults filled in.

    Raises Refused `invalid_input` with every problem, and `secret_in_input`.
    """
    try:
        value = plain({} if given is None else given, MAX_INPUT)
        value = coerce_json(value, workflow.input_schema)
    except StepError as error:
        failure = error.failure
        raise Refused("invalid_input", failure.message, failure.hint) from None
    if KNOWN.value(value) is not value:
        message = "the input holds the value of a secret, and inputs are kept and shown"
        hint = "Leave it out: a connector refers to it as secret://name and sends it itself."
        raise Refused("secret_in_input", message, hint)
    value = with_defaults(workflow.input_schema, value)
    missing, invalid = explain(workflow.input_schema, value)
    if not missing and not invalid:
        return value
    names = ", ".join([field.name for field in missing] + [one.name for one in invalid])
    raise Refused(
        "invalid_input",
        f"the input of {workflow.name} is not complete or not right: {names}",
        "Correct these inputs and call again.",
        details={"missing": missing, "invalid": invalid},
    )


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()

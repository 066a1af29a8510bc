"""Operations inside the engine that wait for a person: what they are, and carrying them out.

The transaction of the vote carries them out, from the stored bytes of the plan and from nothing
else, so between the yes and the deed nothing can crash. Each kind has a function that says what
the events are; it may find that there is nothing left to do, or that it cannot be done any more.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from engine.app.label_plans import CHANGE, PROTECT, LabelJournal
from engine.core import events as ev
from engine.core.approval.events import GrantGiven
from engine.core.approval.plan import Operation, Plan
from engine.core.approval.standing import HOUR
from engine.core.approval.state import Outcome
from engine.core.declared import HttpSpec
from engine.core.documents.effects import claims
from engine.core.due import PATIENCE, done_with, due
from engine.core.errors import Refused
from engine.core.log import NEW, Entry, Recorded, Write
from engine.core.model import Effect, Task, Workflow, targets_of
from engine.core.run import Cancel, Resolve, Run, decide, fold
from engine.core.value import value
from engine.shell.clock import Clock
from engine.shell.label_files import LabelFile
from engine.shell.library import Known, Library
from engine.store import Store


@value
class Carried:
    """What carrying a plan out means: events for other streams, and what is kept as its result."""

    entries: tuple[Entry, ...]
    outcome: Outcome
    result: Any


@value
class Word:
    """Whose word a plan is carried out on: the approval (or rule), who said yes, and when."""

    approval: str
    by: str
    at: int


class Internal:
    """Carries out plans whose operations are the engine's own, for one tenant."""

    def __init__(
        self, store: Store, clock: Clock, library: Library, tenant: str, labels: LabelFile
    ) -> None:
        self._labels = LabelJournal(store, tenant, labels)
        self._store, self._clock = store, clock
        self._library, self._tenant = library, tenant
        self._kinds: Mapping[str, Callable[[Plan, Word], Awaitable[Carried]]] = {
            "version.accept": self._accept,
            "version.default": self._default,
            "version.deprecate": self._deprecate,
            "run.cancel": self._cancel,
            "mutation.resolve": self._resolve,
            "workflow.activate": self._activate,
            CHANGE: self._label,
            PROTECT: self._label,
        }

    def carries(self, kind: str) -> bool:
        """Whether plans of this kind are the engine's own to carry out."""
        return kind in self._kinds

    async def carry(self, plan: Plan, word: Word) -> Carried:
        """What is to be written together with the claim of an approval; reads, writes nothing."""
        return await self._kinds[plan.kind](plan, word)

    # -- versions ------------------------------------------------------------------------------

    async def _accept(self, plan: Plan, word: Word) -> Carried:
        await self._library.reread()
        streams: dict[int, list[Any]] = {}
        accepted: list[str] = []
        for op in plan.ops:
            known = self._same(op.args)
            if known is None:
                return Carried((), "drifted", {"missing": op.target})
            events = streams.setdefault(known.stream, [])
            if known.pending:
                events.append(ev.VersionAccepted(known.version, known.digest, word.approval))
                accepted.append(op.target)
            if op.args["becomesDefault"] and self._may_succeed(known):
                events.append(ev.DefaultSet(known.version, pinned=False))
        return Carried(await self._entries(streams), "ok", {"accepted": accepted})

    async def _default(self, plan: Plan, word: Word) -> Carried:
        args = plan.ops[0].args
        return await self._moved(args, ev.DefaultSet(args["version"], pinned=args["pinned"]))

    async def _deprecate(self, plan: Plan, word: Word) -> Carried:
        args = plan.ops[0].args
        return await self._moved(args, ev.VersionDeprecated(args["version"], undone=args["undo"]))

    async def _moved(self, args: Mapping[str, Any], event: Any) -> Carried:
        await self._library.reread()
        known = self._same(args)
        if known is None:
            return Carried((), "drifted", {"missing": args["version"]})
        entries = await self._entries({known.stream: [event]})
        return Carried(entries, "ok", {"version": known.version})

    async def _activate(self, plan: Plan, word: Word) -> Carried:
        await self._library.reread()
        args = plan.ops[0].args
        if self._same(args) is None:
            return Carried((), "drifted", {"missing": args["version"]})
        uid, until = f"activation:{word.approval[4:]}", word.at + args["hours"] * HOUR
        event = GrantGiven(uid, "activation", word.by, word.approval, until, args)
        return Carried((Entry(NEW, 0, (event,)),), "ok", {"grant": uid, "until": until})

    def _same(self, args: Mapping[str, Any]) -> Known | None:
        """The version that is meant, if its content is still what was shown."""
        known = self._library.row(args["namespace"], args["name"], args["version"])
        return known if known is not None and known.digest == args["digest"] else None

    def _may_succeed(self, known: Known) -> bool:
        default = self._library.default_row(known.namespace, known.name)
        return default is None or (not default.pinned and default.version != known.version)

    async def _entries(self, streams: Mapping[int, list[Any]]) -> tuple[Entry, ...]:
        entries = []
        for stream, events in streams.items():
            history = await self._store.read(stream, tenant=self._tenant)
            entries.append(Entry(stream, history[-1].version, tuple(events)))
        return tuple(entries)

    async def _label(self, plan: Plan, word: Word) -> Carried:
        done = await self._labels.carried(plan)
        if done.drifted:
            return Carried((), "drifted", {"message": done.drifted})
        result = {"change": done.change, "things": len(plan.ops), "moved": done.moved}
        return Carried(done.entries, "ok", result)

    # -- runs ------------------------------------------------------------------------------------

    async def _cancel(self, plan: Plan, word: Word) -> Carried:
        args = plan.ops[0].args
        stream, history, run = await self._run(args["run"])
        try:
            events = decide(run, Cancel(args["reason"]))
        except Refused as refused:
            return _failed(refused)
        also = done_with(stream)
        if run.unresolved:  # what it sent is looked into all the same
            also = self._due(run, stream, PATIENCE)
        entry = Entry(stream, history[-1].version, events, (also,))
        return Carried((entry,), "ok", {"run": args["run"], "status": "cancelled"})

    async def _resolve(self, plan: Plan, word: Word) -> Carried:
        args = plan.ops[0].args
        stream, history, run = await self._run(args["run"])
        if sending(run, args["path"]) != args["sent"]:
            return Carried((), "drifted", {"message": "it was sent again meanwhile"})
        path, verdict, result = args["path"], args["verdict"], args["result"]
        try:
            said = Resolve(path, verdict, result, word.by, word.at, word.approval)
            events = decide(run, said)
        except Refused as refused:
            return _failed(refused)
        entry = Entry(stream, history[-1].version, events, (self._due(run, stream, 0),))
        return Carried((entry,), "ok", {"run": args["run"], "path": path, "verdict": verdict})

    async def _run(self, uid: str) -> tuple[int, list[Recorded], Run]:
        (row,) = await self._store.fetch("run_by_uid", tenant=self._tenant, uid=uid)
        history = await self._store.read(row["id"], tenant=self._tenant)
        return row["id"], history, fold(line.event for line in history)

    def _due(self, run: Run, stream: int, after: int) -> Write:
        # By the clock that the workers look at: approvals' own time never goes back.
        at = self._clock.now() + after
        lane = self._library.lane(run.namespace, run.workflow)
        return due(stream, self._tenant, lane, at)


def _failed(refused: Refused) -> Carried:
    return Carried((), "failed", {"code": refused.code, "message": refused.message})


def sending(run: Run, path: str) -> dict[str, Any]:
    """Which send of a step is meant: a word about one is none about the next."""
    found = run.sends.get(path)
    return {} if found is None else {"send": found.send, "epoch": found.epoch}


# -- what is asked -------------------------------------------------------------------------


def accepting(known: Known, workflow: Workflow, default: Known | None) -> Operation:
    """Let a version run that waits for a person; says why, step by step."""
    args = {
        **_named(known),
        "becomesDefault": _succeeds(known, default),
        "changes": list(_changes(workflow)),
    }
    args |= {word: told for word, told in _besides(workflow).items() if told}
    target = f"version {known.namespace}/{known.name} {known.version}"
    return Operation(f"accept {target}", "accept", target, args, definition=known.digest)


def _succeeds(known: Known, default: Known | None) -> bool:
    """Whether an accepted version takes the default's place, as a new document does."""
    if default is None or default.pinned or default.version == known.version:
        return False
    return default.published_at <= known.published_at


def _changes(workflow: Workflow) -> Iterable[dict[str, str]]:
    for step in workflow.steps:
        for target in targets_of(step):
            if isinstance(target, Task) and target.effect is Effect.MUTATION:
                task = f"{target.namespace}/{target.name}"
                yield {"step": step.id, "task": task, "calls": _called(target)}


def _called(task: Task) -> str:
    """What a task calls, as its document has it."""
    if task.http is None:
        return f"{task.type} {task.python or ''}".strip()
    own, base = f"connector://{task.http.connector}", task.http.base.rstrip("/")
    place = task.http.url.source
    return f"{task.http.method} {place.replace(own, base, 1) if base else place}"


def _besides(workflow: Workflow) -> Mapping[str, list[dict[str, str]]]:
    """Other reasons to wait: calls that only claim to read, and secrets that are sent."""
    claimed: list[dict[str, str]] = []
    secrets: list[dict[str, str]] = []
    for step in workflow.steps:
        for target in targets_of(step):
            if not isinstance(target, Task):
                continue
            if target.effect is not Effect.MUTATION and claims(target):
                claimed.append({"step": step.id, "task": f"{target.namespace}/{target.name}"})
            if target.http is not None:
                secrets += _sent(step.id, target.http)
    return {"saidToRead": claimed, "sendsSecrets": secrets}


def _sent(step: str, spec: HttpSpec) -> Iterable[dict[str, str]]:
    for reference in sorted(spec.secrets.values()):
        yield {"step": step, "secret": reference, "to": spec.base}


def switching(known: Known, default: Known | None, *, pinned: bool) -> Operation:
    """Make a version the one that runs when none is asked for."""
    target = f"default of {known.namespace}/{known.name} to {known.version}"
    args = {**_named(known), "pinned": pinned, "before": default.version if default else ""}
    return Operation("switch", "switch", target, args, definition=known.digest, reversible=True)


def deprecating(known: Known, *, undo: bool) -> Operation:
    """Let a version take no new runs unless it is asked for, or take that back."""
    word = "deprecation back of" if undo else "version"
    target = f"{word} {known.namespace}/{known.name} {known.version}"
    args = {**_named(known), "undo": undo}
    verb = "switch" if undo else "deprecate"
    return Operation("deprecate", verb, target, args, definition=known.digest, reversible=True)


def cancelling(run: str, workflow: str, whose: str, reason: str) -> Operation:
    """End a run of somebody else."""
    args = {"run": run, "reason": reason, "whose": whose}
    return Operation("cancel", "cancel", f"run {run} of {workflow}", args)


def activating(known: Known, hourly: int, hours: int) -> Operation:
    """Let a workflow that runs by itself change systems outside without asking each time."""
    args = {**_named(known), "hourly": hourly, "hours": hours}
    target = f"workflow {known.namespace}/{known.name} {known.version}, to run by itself"
    return Operation("activate", "activate", target, args, definition=known.digest)


_THEN = {
    "happened": "the run goes on with this result",
    "did_not_happen": "it is sent once more, exactly as it was allowed",
    "skip": "the run goes on without it",
}


def resolving(run: Run, path: str, verdict: str, result: Any) -> Operation:
    """Say what became of a mutation of which nobody knows whether it happened."""
    args = {
        "run": run.uid,
        "path": path,
        "verdict": verdict,
        "result": result,
        "sent": sending(run, path),
        "then": _THEN[verdict],
    }
    name = f"{run.namespace}/{run.workflow}"
    return Operation("resolve", "resolve", f"outcome of {path} in run {run.uid} of {name}", args)


def _named(known: Known) -> dict[str, Any]:
    return {
        "namespace": known.namespace,
        "name": known.name,
        "version": known.version,
        "digest": known.digest,
    }


def runs_of(plan: Plan) -> Sequence[str]:
    """The runs that a plan of the engine's own changes."""
    if not plan.kind.startswith(("run.", "mutation.")):
        return ()
    return [op.args["run"] for op in plan.ops]

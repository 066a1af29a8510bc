"""The engine as its users see it: every verb, each a line or two over the part that does it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from engine.app.approving import LOCAL, approvals_of
from engine.app.audit import Audits
from engine.app.catalogue import Shelf
from engine.app.checks import checks
from engine.app.crew import crew, worker_of
from engine.app.describe import workflow_details
from engine.app.impact import Impact
from engine.app.labelling import Labelling
from engine.app.listing import Lists
from engine.app.matching import Matching
from engine.app.places import audit_places, database_of
from engine.app.refusals import Refusals
from engine.app.rehearsing import rehearsed
from engine.app.running import Runs
from engine.app.settings import Settings, beside, label_file_of, secrets_of
from engine.app.statistics import Figures
from engine.app.suggesting import Suggesting
from engine.app.versions import Versions
from engine.core.approval.plan import Requester
from engine.core.found import Found
from engine.core.labels.filter import Filter
from engine.core.model import Effect, Workflow
from engine.core.views import (
    Crew,
    DryRun,
    FailureGroup,
    Health,
    Problem,
    RunFilter,
    RunPage,
    RunView,
    TaskInfo,
    VersionInfo,
    WorkflowDetails,
    WorkflowInfo,
)
from engine.features import approvals, labels, outcomes, refusals, runs, suggestions, versions
from engine.shell.checkpoints import Signer
from engine.shell.connectors.http import HttpConnector
from engine.shell.drive import Held
from engine.shell.encoders import ranking_of
from engine.shell.library import Library
from engine.shell.news import News
from engine.store import Store, Verification, open_store

_ROOMS = (runs, versions, refusals, approvals, outcomes, labels, suggestions)
FEATURES = tuple(each.FEATURE for each in _ROOMS)
"""The built-in features come in through the same door as anybody else's."""


class Engine:
    """A catalogue of workflows and their durable runs, for one tenant."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self._watchers: set[Callable[[str], None]] = set()
        self._moved: asyncio.Event | None = None
        effects = {name: task.effect for name, task in settings.functions.items()}
        tenant, clock, apart = settings.tenant, settings.clock, settings.first_reading
        self._library = Library(store, tenant, lambda: effects)
        self._shelf = Shelf(
            store, clock, self._library, settings.folders, effects, tenant, beside(store),
            file := label_file_of(settings), ranking_of(settings.encoder, settings.ranker), apart,
        )  # fmt: skip
        self._http = HttpConnector(settings.allowed_hosts, secrets=secrets_of(settings))
        self.patience = settings.drain
        self._news = News(store, self._library, self._noticed)
        self._versions = Versions(store, self._library, tenant)
        self.impact = Impact(self._shelf, self._library, self._versions, effects)
        self.approvals = approvals_of(
            store, settings, self._library, self._shelf, self._told, file, self.impact
        )
        self.labels = Labelling(store, tenant, self._shelf, self.approvals, file)
        self.suggesting = Suggesting(store, self._shelf, self.labels, settings)
        self._worker = worker_of(
            settings, store, self._http, self._library, self._news, self._changed, self._ended,
            self.approvals.keeper,
        )  # fmt: skip
        self._following: asyncio.Task[None] | None = None
        self._signing: asyncio.Task[None] | None = None
        self._runs = Runs(
            store, clock, self._library, self._shelf, self._worker, tenant, self.approvals
        )
        self._lists = Lists(store, self._library, self._worker, tenant)
        self.statistics = Figures(store, tenant)
        self.audits = Audits(store, audit_places(settings), self._lists.row)
        self.matching = Matching(self._shelf, self._library, settings)
        self.refusals = Refusals(store, clock, tenant)

    # -- life ---------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Read the folders and begin to work; `open_engine` does this."""
        await self.refresh()
        if self._worker is not None:
            await self._worker.start()
        if self.settings.signs:
            signer = Signer(self.store, self.settings.clock, self.audits.places)
            self._signing = asyncio.create_task(signer.follow())

    def drain(self) -> None:
        """Take nothing more up; what is under way comes to its next safe point."""
        if self._worker is not None:
            self._worker.drain()

    def hurry(self) -> None:
        """Hand back at once what is under way when the engine ends."""
        if self._worker is not None:
            self._worker.hurry()

    async def end(self) -> None:
        """Stop working in good order."""
        for task in filter(None, (self._following, self._signing)):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._worker is not None:
            await self._worker.stop(self.patience)
        for each in (self.refusals, self.matching, self.suggesting, self._http):
            await each.close()
        self._shelf.close()

    def subscribe(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Have `callback(run_id)` called in this process when a run changes here."""
        self._watchers.add(callback)
        return lambda: self._watchers.discard(callback)

    async def moved(self) -> None:
        """Return when something has changed: a run here, or anything in another process."""
        await self._bell().wait()

    def _bell(self) -> asyncio.Event:
        if self._moved is None:
            self._moved = asyncio.Event()
        if self._worker is None and self._following is None:
            # A worker hears of others by itself; without one, somebody has to listen.
            self._following = asyncio.create_task(self._news.follow())
        return self._moved

    def _ring(self) -> None:
        # Most of the time nobody waits, and a bell nobody hears need not be made.
        if self._moved is not None:
            self._moved.set()
            self._moved = None

    def _changed(self, run_id: str) -> None:
        for watcher in tuple(self._watchers):
            watcher(run_id)
        self._ring()

    def _ended(self, held: Held) -> None:
        self._lists.ended(held)

    def _noticed(self) -> None:
        self._lists.forget_all()
        self._ring()

    # -- catalogue ----------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Read the folders again if they changed, and publish what is new."""
        if await self._shelf.refresh():
            self._poke()

    def _poke(self) -> None:
        # The limit of a workflow may have changed; what waits for a place finds out now.
        if self._worker is not None:
            self._worker.poke()

    def problems(self, most: int | None = None) -> tuple[Problem, ...]:
        """What is wrong in the documents, errors and warnings; no more than `most`."""
        return self._shelf.problems(most)

    def workflows(self, *, include_deprecated: bool = False) -> tuple[WorkflowInfo, ...]:
        """Every workflow of the folders, by namespace and name."""
        return self._shelf.everything() if include_deprecated else self._shelf.page()[0]

    def workflow_page(
        self, wanted: Filter, after: tuple[str, str], limit: int
    ) -> tuple[tuple[WorkflowInfo, ...], int]:
        """Workflows that fit a filter, behind a name, and how many do; Refused `invalid_filter`."""
        return self._shelf.page(wanted, after, limit)

    def names(self) -> list[tuple[str, str]]:
        """Namespace and name of every workflow of the folders, sorted."""
        return self._shelf.names()

    def search(self, query: str, limit: int = 10) -> Found:
        """The workflows that fit a query best, best first."""
        return self._shelf.search(query, limit)

    def tasks(self) -> tuple[TaskInfo, ...]:
        """Every task of the folders, by namespace and name."""
        return self._shelf.tasks()[0]

    def task_page(
        self, wanted: Filter, after: tuple[str, str], limit: int
    ) -> tuple[tuple[TaskInfo, ...], int]:
        """Tasks that fit a filter, behind a name, and how many fit in total; raises as above."""
        return self._shelf.tasks(wanted, after, limit)

    async def details(self, name: str, version: str = "") -> WorkflowDetails:
        """Everything a reader needs to run a workflow; raises Refused `unknown_workflow`."""
        known = self._shelf.known(name, version)
        workflow = await self._library.learn(known.digest)
        shown = await self._versions.list(known.namespace, known.name)
        found = workflow_details(workflow, known, shown)
        return replace(found, info=self._shelf.labelled(found.info))

    async def versions(self, name: str) -> tuple[VersionInfo, ...]:
        """The versions of a workflow with run counts, oldest first."""
        return await self._versions.list(*self._shelf.find(name))

    async def set_default(self, name: str, version: str, *, requester: Requester = LOCAL) -> None:
        """Pin the default version; `latest` unpins it. Raises Gated until a person has decided."""
        await self.approvals.switch(name, version, requester=requester)

    async def deprecate(
        self, name: str, version: str, *, requester: Requester = LOCAL, undo: bool = False
    ) -> None:
        """Let a version take no new runs unless asked for, or take that back. Raises Gated."""
        await self.approvals.deprecate(name, version, requester=requester, undo=undo)

    async def dry_run(self, name: str, given: Any, version: str = "") -> DryRun:
        """What a run would do, without recording or calling anything."""
        known = self._shelf.known(name, version)
        return rehearsed(await self._library.learn(known.digest), known, given)

    # -- runs ---------------------------------------------------------------------------------

    async def start(
        self,
        name: str,
        given: Any,
        *,
        version: str = "",
        key: str = "",
        deadline: int | None = None,
        actor: str = "engine",
        requester: Requester = LOCAL,
        again_after: int | None = None,
    ) -> RunView:
        """Start a run and return it, durable, with the steps that were reached so far.

        `deadline` is in microseconds from now. The same `key` with the same input gives the
        run that was started first; without a key, the same call of what changes something
        outside gives it until `again_after` microseconds after its end. Raises Refused:
        `unknown_workflow`, `unknown_version`, `invalid_input`, `deprecated_version`,
        `idempotency_key_reused`; and Gated where nobody has accepted a version that changes things.
        """
        run_id, reused = await self._runs.start(
            name, given, version, key, deadline, actor, requester, again_after
        )
        if reused:
            return replace(await self._lists.run(run_id), reused=True)
        return await self._lists.started(run_id)

    async def wait(self, run_id: str, seconds: float) -> RunView:
        """The run once it has ended or needs somebody, or as it stands after `seconds`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            if self._worker is not None:
                await self._worker.rested(run_id, end - loop.time())
            moved = self._bell()  # before looking, so that nothing is missed in between
            shown = await self._lists.run(run_id)
            if loop.time() >= end or await self._lists.rests(shown, self.settings.clock.now()):
                return shown
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(end):
                    await moved.wait()

    async def run(self, run_id: str) -> RunView:
        """One run with its steps and attempts; raises Refused `unknown_run`."""
        return await self._lists.run(run_id)

    async def run_as_of(self, run_id: str, at: int) -> RunView:
        """One run as it was at a time, in microseconds; raises Refused `unknown_run`, `not_yet`."""
        return await self._lists.as_of(run_id, at)

    async def runs(
        self, wanted: RunFilter | None = None, limit: int = 20, cursor: str = ""
    ) -> RunPage:
        """A page of runs, newest first; raises Refused `invalid_cursor`, `unknown_status`."""
        return await self._lists.runs(wanted or RunFilter(), limit, cursor)

    async def failures(
        self, wanted: RunFilter | None = None, limit: int = 20
    ) -> tuple[FailureGroup, ...]:
        """Failed runs grouped by workflow, step, kind and code."""
        return await self._lists.failures(wanted or RunFilter(), limit)

    async def cancel(
        self, run_id: str, *, actor: str, reason: str = "", requester: Requester = LOCAL
    ) -> RunView:
        """End a run now; raises Refused `unknown_run`, `already_ended`; Gated where it is not
        the requester's own."""
        row = await self._lists.row(run_id)
        await self._runs.cancel(row["id"], actor, reason, requester)
        self._changed(run_id)
        return await self._lists.run(run_id)

    async def retry(
        self, run_id: str, *, actor: str, version: str = "", requester: Requester = LOCAL
    ) -> RunView:
        """A new run in the place of a failed one; raises Gated, Refused `not_retryable`, ..."""
        row = await self._lists.row(run_id)
        new = await self._runs.retry(row["id"], version, actor, requester)
        self._lists.forget(run_id)
        self._changed(run_id)
        return await self._lists.run(new)

    # -- approvals ------------------------------------------------------------------------------

    async def _told(self, run_ids: Iterable[str], kind: str) -> None:
        """An approval moved: its runs go on or have ended, or versions are not what they were."""
        if kind.startswith("version."):
            await self._library.reread()
        if kind.startswith(("version.", "labels.")):
            await self._shelf.reshow()
        for run_id in run_ids:
            if kind == "run.cancel" and self._worker is not None:
                self._worker.drop((await self._lists.row(run_id))["id"])
            self._lists.forget(run_id)
            self._changed(run_id)
        self._ring()
        self._poke()

    # -- the database ---------------------------------------------------------------------------

    async def rebuild(self) -> int:
        """Throw every projection away and draw it again; returns the number of events."""
        self._lists.forget_all()
        return await self.store.rebuild()

    async def verify(self) -> Verification:
        """Walk the hash chain."""
        return await self.store.verify()

    async def health(self) -> tuple[Health, ...]:
        """What `doctor` reports."""
        return await checks(self.store, self._shelf.problems(), self.settings)

    # -- workers ----------------------------------------------------------------------------------

    async def crew(self) -> Crew:
        """Who works on this database."""
        return await crew(self.store, self.settings.clock, self.settings.pace)

    @property
    def draining(self) -> bool:
        """Whether this process takes up nothing more."""
        return self._worker is not None and self._worker.draining

    @property
    def holding(self) -> int:
        """How many runs this process works on."""
        return self._worker.held if self._worker else 0

    @property
    def handed_back(self) -> int:
        """How many runs this process has handed back before they rested."""
        return self._worker.handed_back if self._worker else 0

    @property
    def worker_name(self) -> str:
        """What others call this process's worker; empty where there is none."""
        return self._worker.roll.title if self._worker else ""

    @property
    def place(self) -> str:
        """Where the database is, for people."""
        return self.store.place


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncGenerator[Engine]:
    """Open the database, read the folders, work until the block ends.

    Raises StoreError when the database cannot be opened, Refused for a bad `database`.
    """
    database, clock = database_of(settings.database), settings.clock
    async with open_store(database, FEATURES, clock.bytes, clock.now()) as store:
        engine = Engine(settings, store)
        try:
            await engine.begin()
            yield engine
        finally:
            await engine.end()


__all__ = ["FEATURES", "Effect", "Engine", "Workflow", "open_engine"]

"""The catalogue of a process: documents read from folders, published as versions, searched.

Folders are read again when they changed. A document whose content is new becomes a new version
under the next number; nothing that was published is ever changed, so a run that is under way
keeps what it began with. The newest accepted version becomes the default, unless a person has
pinned another one; a version that waits for acceptance never takes the place of one that works.
What the documents are lies in `Papers`, and only what changed is read (`shell/reading.py`).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from engine.app.finding import Finding
from engine.app.people import People
from engine.core import events as ev
from engine.core.definition import needs_acceptance
from engine.core.describe import workflow_info
from engine.core.errors import Stale
from engine.core.log import NEW, Append, Entry, Taken, Unless
from engine.core.model import Workflow
from engine.core.version import VersionClash, next_version
from engine.core.views import Problem
from engine.shell.clock import Clock
from engine.shell.folders import Folders, place_of, rules_of
from engine.shell.give_back import give_back, give_back_large
from engine.shell.label_files import LabelFile
from engine.shell.library import Functions, Known, Library
from engine.shell.reading import Reading
from engine.store import Store, StoreError
from engine.store.paper_files import DAMAGED, kept, understood
from engine.store.paper_rows import Standing, info_text
from engine.store.papers import Papers, opened
from engine.store.search import Ranking
from engine.store.whole import whole

_LOG = logging.getLogger("handrail.engine")
AT_ONCE = 500
"""Workflows that are shown anew together."""

PATIENCE = 10_000_000
"""Microseconds of reading after which the log is told how far it got."""


class Shelf(Finding):
    """What this process serves: the documents of its folders and the versions they became.

    What is read of a large catalogue is kept in a file `beside` this one; before it is read for the
    first time `apart` is awaited, and another process may have read it then.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        library: Library,
        folders: tuple[Path, ...],
        functions: Functions,
        tenant: str,
        beside: Path,
        labels: LabelFile,
        ranking: Ranking,
        apart: Callable[[], Awaitable[None]],
    ) -> None:
        self._rules = rules_of(folders, functions, tenant, ranking.encoder)
        super().__init__(Papers(None, self._rules, ranking), library)
        self._beside, self._ranking, self._apart = beside, ranking, apart
        self._store, self._clock = store, clock
        self._folders, self._functions, self._tenant = folders, functions, tenant
        self._people = People(store, tenant, labels)
        self._mark: str | None = None
        self._turn = asyncio.Lock()

    def close(self) -> None:
        """Let go of the papers."""
        self._papers.close()

    async def refresh(self) -> bool:
        """Read the folders again if they changed; says whether they had."""
        async with self._turn:
            seen = await asyncio.to_thread(Folders, self._folders)
            damaged = self._papers.lists.damaged
            if seen.mark == self._mark and not damaged:
                await self._reshow()
                return False
            await self._library.reread()
            if damaged:
                self._papers = self._papers.renewed()
            try:
                await self._reread(seen)
            except StoreError as error:
                if error.code != DAMAGED:
                    raise
                self._papers = self._papers.renewed()
                await self._reread(seen)
            self._around, self._mark = tuple(seen.problems), seen.mark
            if self._papers.large:
                await self._rest()
            return True

    async def reshow(self) -> None:
        """List and find by its default what has another one now."""
        async with self._turn:
            await self._reshow()

    async def _rest(self) -> None:
        """Let go of what was needed to read them; what stays keeps the memory round it."""
        self._papers.rest()
        await self._store.rest()
        await asyncio.to_thread(give_back)

    # -- reading ---------------------------------------------------------------------------

    async def _reread(self, seen: Folders) -> None:
        await self._settle(seen)
        async with self._change():
            reached, anew = await self._people.follow(self._papers)
            await self._read(seen)
            await self._show(None)
            await whole(partial(self._papers.relabel, anew))
        self._people.keep(reached)

    async def _settle(self, seen: Folders) -> None:
        """Have papers that are fit for so many documents."""
        place = place_of(self._beside, seen, self._rules)
        if place is not None and not self._papers.large:
            if not await asyncio.to_thread(kept, place, self._rules):
                await self._apart()
                await self._library.reread()
            before = self._papers
            give_back_large()
            ready = partial(opened, place, self._rules, self._ranking)
            self._papers = await whole(ready, Papers.close)
            before.close()

    @asynccontextmanager
    async def _change(self) -> AsyncGenerator[None]:
        waiting = False
        while not await whole(self._papers.begin):
            if not waiting:
                _LOG.warning("waiting for another process that reads the same folders")
            waiting = True
        try:
            yield
            await whole(self._papers.commit)
        except BaseException as error:
            self._papers.rollback()
            known = understood(error)
            if known is error:
                raise
            raise known from error
        self._papers.turn()
        self._spaces.clear()

    async def _read(self, seen: Folders) -> None:
        again = await whole(self._unsettled)
        reading = Reading(self._papers, seen, self._functions)
        chunks, told = reading.read(again), self._clock.now()
        while (some := await whole(lambda: next(chunks, None))) is not None:
            await self._publish(some)
            if self._clock.now() - told > PATIENCE:
                told = self._clock.now()
                _LOG.warning("still reading documents: %s", reading.reached)
        self._clashes = tuple(await whole(self._clashing))
        self._library.moved()

    async def _reshow(self) -> None:
        moved = self._library.moved()
        if moved is None or moved or await self._people.said_more(self._papers):
            async with self._change():
                reached, anew = await self._people.follow(self._papers)
                await self._show(moved)
                await whole(partial(self._papers.relabel, anew))
            self._people.keep(reached)

    async def _show(self, keys: set[tuple[str, str]] | None) -> None:
        """List every workflow by its default version, whatever its document says now."""
        changes = self._changes(keys)
        while some := await whole(lambda: list(islice(changes, AT_ONCE))):
            for _, digest, _, _ in some:
                if not self._papers.has_info(digest):
                    workflow = await self._library.learn(digest)
                    self._papers.put_info(digest, info_text(workflow_info(workflow)))
            await whole(partial(self._papers.show_all, some))

    def _changes(self, keys: set[tuple[str, str]] | None) -> Iterator[tuple[int, str, int, int]]:
        for standing, shown, hidden in self._papers.standing(keys):
            digest, how, at = self._wanted(standing)
            if (digest, how) != (shown, hidden):
                yield standing.document, digest, how, at

    def _wanted(self, standing: Standing) -> tuple[str, int, int]:
        default = self._library.default_row(standing.namespace, standing.name)
        if default is None:
            return standing.digest, 2, 0
        return default.digest, int(default.deprecated), default.published_at

    # -- publishing ------------------------------------------------------------------------

    def _unsettled(self) -> list[int]:
        """The documents whose workflow is not what its versions say it should be."""
        return [one.document for one, _, _ in self._papers.standing() if not self._settled(one)]

    def _clashing(self) -> list[Problem]:
        declaring = (one for one, _, _ in self._papers.standing() if one.declared)
        numbers = ((one, self._number(one)) for one in declaring)
        return [_clash(one, found) for one, found in numbers if isinstance(found, VersionClash)]

    async def _publish(self, workflows: list[Workflow]) -> None:
        for _ in range(5):  # another process may publish the same folder at the same moment
            todo = [each for each in workflows if not self._settled(_standing(each))]
            if not todo:
                break
            await asyncio.gather(*(self._publish_one(workflow) for workflow in todo))
            await self._library.reread()

    def _settled(self, one: Standing) -> bool:
        known = self._library.rows(one.namespace, one.name)
        same = len(known) == 1 and known[0].digest == one.digest and known[0].is_default
        if same and one.declared in ("", known[0].version):
            return True
        version = self._number(one)
        return isinstance(version, VersionClash) or not self._moves(one, version)

    def _number(self, one: Standing) -> str | VersionClash:
        rows = self._library.rows(one.namespace, one.name)
        published = [(row.version, row.digest) for row in rows]
        return next_version(published, one.declared or None, one.digest)

    def _moves(self, one: Standing, version: str, bundle: Any = None) -> list[Any]:
        """The events that make a document on disk a version, and the default where it should."""
        known = self._library.row(one.namespace, one.name, version)
        default = self._library.default_row(one.namespace, one.name)
        pending = known.pending if known else one.pending
        events: list[Any] = []
        if known is None:
            events.append(
                ev.VersionPublished(
                    one.namespace, one.name, version, one.digest, one.effect, pending, bundle
                )
            )
        if default is None or self._succeeds(default, version, pending):
            events.append(ev.DefaultSet(version, pinned=False))
        return events

    @staticmethod
    def _succeeds(default: Known, version: str, pending: bool) -> bool:
        return (
            default.version != version and not default.pinned and (not pending or default.pending)
        )

    async def _publish_one(self, workflow: Workflow) -> None:
        one = _standing(workflow)
        version = self._number(one)
        assert isinstance(version, str)
        rows = self._library.rows(workflow.namespace, workflow.name)
        stream = rows[0].stream if rows else NEW
        name = {
            "tenant": self._tenant, "namespace": workflow.namespace, "name": workflow.name,
        }  # fmt: skip
        reached = (await self._store.read(stream, tenant=self._tenant))[-1].version if rows else 0
        entry = Entry(stream, reached, tuple(self._moves(one, version, workflow.bundle)))
        unless = None if rows else Unless("version_known", name)
        try:
            await self._store.append(
                Append((entry,), self._clock.now(), "documents", self._tenant, unless)
            )
        except (Stale, Taken):
            return  # the other process was first; the next round sees what it wrote


def _standing(workflow: Workflow) -> Standing:
    return Standing(
        0, workflow.namespace, workflow.name, workflow.version or "", workflow.digest,
        workflow.effect.value, needs_acceptance(workflow),
    )  # fmt: skip


def _clash(one: Standing, clash: VersionClash) -> Problem:
    subject = f"Workflow {one.namespace}/{one.name}"
    return Problem(
        "", 0, "metadata.version", "error", "version_clash", clash.message, clash.hint, subject
    )

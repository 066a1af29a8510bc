"""The catalogue of a process: documents read from folders, published as versions, searched.

Folders are read again when they changed. A document whose content is new becomes a new version
under the next number; nothing that was published is ever changed, so a run that is under way
keeps what it began with. The newest accepted version becomes the default, unless a person has
pinned another one; a version that waits for acceptance never takes the place of one that works.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.core import events as ev
from engine.core.definition import Catalogue, RawDocument, needs_acceptance, parse_documents
from engine.core.errors import Refused, Stale
from engine.core.log import NEW, Append, Entry, Taken, Unless
from engine.core.model import Workflow
from engine.core.version import VersionClash, next_version
from engine.core.views import Problem
from engine.core.words import did_you_mean, suggestions
from engine.shell.clock import Clock
from engine.shell.library import Functions, Known, Library
from engine.shell.load import fingerprint, load_folder
from engine.store import Store

EMPTY = Catalogue()


class Shelf:
    """What this process serves: the documents of its folders and the versions they became."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        library: Library,
        folders: tuple[Path, ...],
        functions: Functions,
        tenant: str,
    ) -> None:
        self._store, self._clock, self._library = store, clock, library
        self._folders, self._functions, self._tenant = folders, functions, tenant
        self._seen: tuple[str, ...] | None = None
        self._turn = asyncio.Lock()
        self.catalogue = EMPTY
        self.problems: tuple[Problem, ...] = ()
        self.current: Mapping[tuple[str, str], Workflow] = {}
        self.revision = 0
        self._by_name: Mapping[str, list[tuple[str, str]]] = {}

    async def refresh(self, *, force: bool = False) -> bool:
        """Read the folders again if they changed; says whether they had."""
        async with self._turn:
            seen = await asyncio.to_thread(self._fingerprints)
            if seen == self._seen and not force:
                return False
            self.catalogue, problems = await asyncio.to_thread(self._read)
            self.problems = (*problems, *self.catalogue.problems, *await self._publish())
            self._seen = seen
            self.revision += 1
            return True

    def _fingerprints(self) -> tuple[str, ...]:
        return tuple(fingerprint(folder) for folder in self._folders)

    def _read(self) -> tuple[Catalogue, tuple[Problem, ...]]:
        raw, problems = list[RawDocument](), list[Problem]()
        for folder in self._folders:
            documents, wrong = load_folder(folder)
            raw += documents
            problems += wrong
        return parse_documents(raw, self._functions), tuple(problems)

    # -- publishing ------------------------------------------------------------------------

    async def _publish(self) -> list[Problem]:
        await self._library.reread()
        problems: list[Problem] = []
        for _ in range(5):  # another process may publish the same folder at the same moment
            todo = [w for w in self.catalogue.workflows.values() if not self._settled(w, problems)]
            if not todo:
                break
            await asyncio.gather(*(self._publish_one(workflow) for workflow in todo))
            await self._library.reread()
            problems.clear()
        self._keep()
        return problems

    def _settled(self, workflow: Workflow, problems: list[Problem]) -> bool:
        version = self._number(workflow)
        if isinstance(version, VersionClash):
            subject = f"Workflow {workflow.namespace}/{workflow.name}"
            problems.append(
                Problem(
                    "", 0, "metadata.version", "error", "version_clash",
                    version.message, version.hint, subject,
                )
            )  # fmt: skip
            return True
        return not self._moves(workflow, version)

    def _number(self, workflow: Workflow) -> str | VersionClash:
        rows = self._library.rows(workflow.namespace, workflow.name)
        published = [(row.version, row.digest) for row in rows]
        return next_version(published, workflow.version, workflow.digest)

    def _moves(self, workflow: Workflow, version: str) -> list[Any]:
        """The events that make a document on disk a version, and the default where it should."""
        known = self._library.row(workflow.namespace, workflow.name, version)
        default = self._library.default_row(workflow.namespace, workflow.name)
        pending = known.pending if known else needs_acceptance(workflow)
        events: list[Any] = []
        if known is None:
            events.append(
                ev.VersionPublished(
                    workflow.namespace, workflow.name, version, workflow.digest,
                    workflow.effect.value, pending, workflow.bundle,
                )
            )  # fmt: skip
        if default is None or self._succeeds(default, version, pending):
            events.append(ev.DefaultSet(version, pinned=False))
        return events

    @staticmethod
    def _succeeds(default: Known, version: str, pending: bool) -> bool:
        return (
            default.version != version and not default.pinned and (not pending or default.pending)
        )

    async def _publish_one(self, workflow: Workflow) -> None:
        version = self._number(workflow)
        assert isinstance(version, str)
        rows = self._library.rows(workflow.namespace, workflow.name)
        stream = rows[0].stream if rows else NEW
        name = {
            "tenant": self._tenant, "namespace": workflow.namespace, "name": workflow.name,
        }  # fmt: skip
        reached = (await self._store.read(stream, tenant=self._tenant))[-1].version if rows else 0
        entry = Entry(stream, reached, tuple(self._moves(workflow, version)))
        unless = None if rows else Unless("version_known", name)
        try:
            await self._store.append(
                Append((entry,), self._clock.now(), "documents", self._tenant, unless)
            )
        except (Stale, Taken):
            return  # the other process was first; the next round sees what it wrote

    def _keep(self) -> None:
        current = {}
        for key, workflow in self.catalogue.workflows.items():
            version = self._number(workflow)
            if isinstance(version, str):
                current[key] = self._library.keep(workflow, version)
        self.current = current
        by_name: dict[str, list[tuple[str, str]]] = {}
        for key in current:
            by_name.setdefault(key[1], []).append(key)
        self._by_name = by_name

    # -- finding ---------------------------------------------------------------------------

    def find(self, name: str) -> tuple[str, str]:
        """Namespace and name of `[namespace/]name`.

        Without a namespace, `default` wins, then a unique match. Raises Refused
        `unknown_workflow`, or `ambiguous_workflow` when several namespaces have it.
        """
        namespace, slash, bare = name.rpartition("/")
        if slash:
            if (namespace, bare) in self.current or self._library.rows(namespace, bare):
                return namespace, bare
            raise self._unknown(name)
        keys = self._by_name.get(bare) or self._published(bare)
        if ("default", bare) in keys:
            return "default", bare
        if len(keys) > 1:
            options = sorted("/".join(key) for key in keys)
            raise Refused(
                "ambiguous_workflow",
                f"several namespaces have a workflow {bare!r}",
                f"Name one of: {', '.join(options)}.",
                details={"suggestions": options},
            )
        if not keys:
            raise self._unknown(name)
        return keys[0]

    def _published(self, bare: str) -> list[tuple[str, str]]:
        """Workflows of this name that were published once and are in no folder of this process."""
        return [key for key in self._library.names() if key[1] == bare]

    def _unknown(self, name: str) -> Refused:
        names = [bare for _, bare in self.current] + ["/".join(key) for key in self.current]
        close = suggestions(name, names)
        hint = did_you_mean(name, names) or "Call list_workflows or search_workflows to see them."
        return Refused(
            "unknown_workflow",
            f"there is no workflow {name[:80]!r}",
            hint,
            details={"suggestions": list(close)},
        )

    def known(self, name: str, version: str = "") -> Known:
        """The published version that a name and an optional version mean; raises Refused."""
        key = self.find(name)
        if not version:
            default = self._library.default_row(*key)
            if default is None:
                raise self._unknown(name)
            return default
        found = self._library.row(*key, version)
        if found is not None:
            return found
        versions = [row.version for row in self._library.rows(*key)]
        raise Refused(
            "unknown_version",
            f"workflow {key[1]!r} has no version {version[:40]!r}",
            f"It has: {', '.join(versions[-8:])}.",
            details={"suggestions": list(suggestions(version, versions)) or versions[-3:]},
        )

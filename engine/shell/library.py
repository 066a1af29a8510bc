"""Every compiled workflow that this process knows: defaults, versions, and what runs pinned.

It answers the planner's look-ups at once; whatever a run needs is loaded from the store by
`learn` before the run is planned. A workflow here always carries its published version.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.core.definition import rebuild
from engine.core.model import Effect, Workflow, WorkflowRef, targets_of
from engine.store import Store

Functions = Mapping[str, Effect]


@dataclass(frozen=True, slots=True)
class Known:
    """A published version, as its row tells."""

    stream: int
    namespace: str
    name: str
    version: str
    digest: str
    effect: Effect
    pending: bool
    published_at: int
    is_default: bool
    pinned: bool
    deprecated: bool
    concurrency: int = 0


class Library:
    """Compiled workflows, in memory."""

    def __init__(self, store: Store, tenant: str, functions: Callable[[], Functions]) -> None:
        self._store = store
        self._tenant = tenant
        self._functions = functions
        self._compiled: dict[str, Workflow] = {}
        self._known: dict[tuple[str, str], tuple[Known, ...]] = {}
        self.lanes: frozenset[int] = frozenset()

    # -- what the planner asks -------------------------------------------------------------

    def default(self, namespace: str, name: str) -> Workflow | None:
        """The default version, when it is compiled."""
        known = self.default_row(namespace, name)
        return self._compiled.get(known.digest) if known else None

    def version(self, namespace: str, name: str, version: str) -> Workflow | None:
        """A named version, when it is compiled."""
        known = self.row(namespace, name, version)
        return self._compiled.get(known.digest) if known else None

    def pinned(self, digest: str) -> Workflow:
        """A version that was learned before."""
        return self._compiled[digest]

    def accepted(self, workflow: Workflow) -> bool:
        """Whether it may run without a person's acceptance."""
        known = self.row(workflow.namespace, workflow.name, workflow.version or "")
        return known is not None and not known.pending

    # -- rows --------------------------------------------------------------------------------

    def rows(self, namespace: str, name: str) -> tuple[Known, ...]:
        """All published versions of a workflow, oldest first."""
        return self._known.get((namespace, name), ())

    def row(self, namespace: str, name: str, version: str) -> Known | None:
        """One published version."""
        rows = self.rows(namespace, name)
        return next((row for row in rows if row.version == version), None)

    def default_row(self, namespace: str, name: str) -> Known | None:
        """The default version of a workflow."""
        return next((row for row in self.rows(namespace, name) if row.is_default), None)

    def names(self) -> Iterable[tuple[str, str]]:
        """Every workflow that was ever published, by namespace and name."""
        return self._known.keys()

    def lane(self, namespace: str, name: str) -> int:
        """Where the runs of a workflow queue: in a lane of their own once they were ever limited.

        0 is the place of all that never were.
        """
        if not self.lanes:
            return 0
        rows = self.rows(namespace, name)
        return rows[0].stream if rows and rows[0].stream in self.lanes else 0

    async def reread(self) -> None:
        """Read the rows again; compiled workflows stay."""
        rows = await self._store.fetch("version_index", tenant=self._tenant)
        known: dict[tuple[str, str], list[Known]] = {}
        for row in rows:
            entry = _known(row)
            known.setdefault((entry.namespace, entry.name), []).append(entry)
        self._known = {key: tuple(entries) for key, entries in known.items()}
        self.lanes = frozenset(
            row.stream for rows in known.values() for row in rows if row.concurrency
        )

    # -- compiling ------------------------------------------------------------------------------

    def keep(self, workflow: Workflow, version: str) -> Workflow:
        """Remember a workflow that has just been compiled from its document."""
        kept = replace(workflow, version=version)
        self._compiled[kept.digest] = kept
        return kept

    def has(self, digest: str) -> bool:
        """Whether a version is compiled."""
        return digest in self._compiled

    async def learn(self, digest: str) -> Workflow:
        """A version by its digest, compiled from the store when it is not at hand.

        Raises KeyError when the store has no such version.
        """
        found = self._compiled.get(digest)
        if found is not None:
            return found
        rows = await self._store.fetch("version_bundle", tenant=self._tenant, digest=digest)
        if not rows:
            raise KeyError(digest)
        bundle = json.loads(rows[0]["bundle"])
        workflow = await asyncio.to_thread(rebuild, bundle, self._functions())
        return self.keep(workflow, rows[0]["version"])

    async def learn_all(self, workflow: Workflow) -> Iterable[Workflow]:
        """Have at hand every sub-workflow that `workflow` may open now; they and it."""
        seen, todo = {workflow.digest: workflow}, [workflow]
        while todo:
            for known in self._references(todo.pop()):
                if known.digest not in seen:
                    seen[known.digest] = await self.learn(known.digest)
                    todo.append(seen[known.digest])
        return seen.values()

    def _references(self, workflow: Workflow) -> Iterable[Known]:
        for namespace, name, version in references(workflow):
            if version is None:
                known = self.default_row(namespace, name)
            else:
                known = self.row(namespace, name, version)
            if known is not None:
                yield known


def references(workflow: Workflow) -> Iterable[tuple[str, str, str | None]]:
    """The sub-workflows that the steps of a workflow refer to."""
    for step in workflow.steps:
        for target in targets_of(step):
            ref = target if isinstance(target, WorkflowRef) else target.workflow
            if ref is not None:
                yield ref.namespace, ref.name, ref.version


def _known(row: Mapping[str, Any]) -> Known:
    return Known(
        row["stream"],
        row["namespace"],
        row["name"],
        row["version"],
        row["digest"],
        Effect(row["effect"]),
        bool(row["pending"]),
        row["published_at"],
        bool(row["is_default"]),
        bool(row["pinned"]),
        bool(row["deprecated"]),
        row["concurrency"],
    )

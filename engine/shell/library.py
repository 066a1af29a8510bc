"""The versions that this process knows, and those that are compiled because they are needed.

It answers the planner's look-ups at once; whatever a run needs is loaded from the store by
`learn` before the run is planned. A workflow here always carries its published version. A
hundred thousand versions fit in memory, since all but a few are nothing but a packed row.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from struct import Struct
from typing import Any
from weakref import WeakValueDictionary, ref

from engine.core.definition import rebuild, stored_input
from engine.core.model import Effect, Workflow, WorkflowRef, targets_of
from engine.shell.packed import Packed
from engine.store import Store

Functions = Mapping[str, Effect]
Key = tuple[str, str]
"""Namespace and name."""
Rows = Sequence[Mapping[str, Any]]
"""Rows of versions; all versions of a workflow come together."""

RECENT = 128
"""Compiled workflows that are kept although nobody holds them."""

PAGE = 1_000
"""Rows that are read at a time."""

FEW = 500
"""Workflows whose rows are read one by one; if more have changed, all are read."""


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
    """Rows of all versions, packed, and some compiled workflows.

    A compiled workflow stays while anybody holds it, or it was asked for lately. What a workflow
    may open stays as long as the workflow does, so a run that is held never has to wait for it.
    """

    def __init__(self, store: Store, tenant: str, functions: Callable[[], Functions]) -> None:
        self._store = store
        self._tenant = tenant
        self._functions = functions
        self._recent: OrderedDict[str, Workflow] = OrderedDict()
        self._single: set[str] = set()
        self._alive: WeakValueDictionary[str, Workflow] = WeakValueDictionary()
        self._learned: dict[str, asyncio.Task[Workflow]] = {}
        self._within: dict[str, _Within] = {}
        self._known = Packed()
        self._seen = -1
        self.lanes: frozenset[int] = frozenset()
        self._moved: set[Key] | None = None

    # -- what the planner asks -------------------------------------------------------------

    def default(self, namespace: str, name: str) -> Workflow | None:
        """The default version, when it is compiled."""
        known = self.default_row(namespace, name)
        return self._alive.get(known.digest) if known else None

    def version(self, namespace: str, name: str, version: str) -> Workflow | None:
        """A named version, when it is compiled."""
        known = self.row(namespace, name, version)
        return self._alive.get(known.digest) if known else None

    def pinned(self, digest: str) -> Workflow:
        """A version that was learned before."""
        return self._alive[digest]

    def accepted(self, workflow: Workflow) -> bool:
        """Whether it may run without a person's acceptance."""
        known = self.row(workflow.namespace, workflow.name, workflow.version or "")
        return known is not None and not known.pending

    # -- rows --------------------------------------------------------------------------------

    def rows(self, namespace: str, name: str) -> tuple[Known, ...]:
        """All published versions of a workflow, oldest first."""
        return unpacked(namespace, name, self._known.get(f"{namespace}/{name}"))

    def row(self, namespace: str, name: str, version: str) -> Known | None:
        """One published version."""
        rows = self.rows(namespace, name)
        return next((row for row in rows if row.version == version), None)

    def default_row(self, namespace: str, name: str) -> Known | None:
        """The default version of a workflow."""
        return next((row for row in self.rows(namespace, name) if row.is_default), None)

    def names(self) -> Iterable[Key]:
        """Every workflow that was ever published, by namespace and name."""
        return (_key(name) for name in self._known)

    def called(self, name: str) -> list[Key]:
        """Every workflow of this name that was ever published, in whichever namespace."""
        if not self._known.mentions(f"/{name}"):
            return []
        return [key for key in self.names() if key[1] == name]

    def lane(self, namespace: str, name: str) -> int:
        """Where the runs of a workflow queue: in a lane of their own once they were ever limited.

        0 is the place of all that never were.
        """
        if not self.lanes:
            return 0
        rows = self.rows(namespace, name)
        return rows[0].stream if rows and rows[0].stream in self.lanes else 0

    def moved(self) -> set[Key] | None:
        """The workflows whose rows have changed since this was last asked; None for all."""
        moved, self._moved = self._moved, set()
        return moved

    async def reread(self) -> None:
        """Read the rows that have changed since the last time; compiled workflows stay."""
        (news,) = await self._store.fetch("journal_news", after=self._seen)
        changed = await self._changed_since(self._seen) if self._seen >= 0 else None
        touched = set[Key]()
        async for rows in self._all() if changed is None else self._of(changed):
            found = _packed_rows(rows)
            await self._prepare(found)
            self._take(rows, found)
            touched |= found.keys() & self._openable()
            if self._moved is not None and changed is not None:
                self._moved.update(found)
        self._seen = max(self._seen, news["position"])
        if changed is None:
            self._moved = None
        for within in list(self._within.values()):
            root = within.root()
            if root is not None and not within.keys.isdisjoint(touched):
                await self.learn_all(root)

    async def _changed_since(self, position: int) -> set[int] | None:
        rows = await self._store.fetch(
            "version_streams_since", tenant=self._tenant, after=position, limit=FEW + 1
        )
        return None if len(rows) > FEW else {row["stream"] for row in rows}

    async def _all(self) -> AsyncIterator[Rows]:
        """Every row, some at a time: all of them together would take far more than is kept."""
        after, most = -1, PAGE
        while True:
            rows = await self._store.fetch(
                "version_page", tenant=self._tenant, after=after, limit=most
            )
            full = len(rows) == most
            if full:  # the versions of the last one may go on behind the page
                whole = [row for row in rows if row["stream"] != rows[-1]["stream"]]
                most, rows = (most, whole) if whole else (most * 2, [])
            yield rows
            after = rows[-1]["stream"] if rows else after
            if not full:
                return

    async def _of(self, streams: set[int]) -> AsyncIterator[Rows]:
        found: list[Mapping[str, Any]] = []
        for stream in streams:
            found += await self._store.fetch("version_rows", tenant=self._tenant, stream=stream)
        yield found

    def _openable(self) -> set[Key]:
        """What runs that are held may open."""
        return {key for within in self._within.values() for key in within.keys}

    async def _prepare(self, found: Mapping[Key, bytes]) -> None:
        """Have at hand what runs that are held may open, before they can be told of it."""
        for key in self._openable() & found.keys():
            for row in unpacked(*key, found[key]):
                if row.is_default:
                    await self.learn_all(await self.learn(row.digest))

    def _take(self, rows: Rows, found: Mapping[Key, bytes]) -> None:
        for (space, name), text in found.items():
            self._known.put(f"{space}/{name}", text)
        limited = {row["stream"] for row in rows if row["concurrency"]}
        self.lanes = self.lanes.difference(row["stream"] for row in rows) | limited

    # -- compiling ------------------------------------------------------------------------------

    async def learn(self, digest: str) -> Workflow:
        """A version by its digest, compiled from the store when it is not at hand.

        Raises KeyError when the store has no such version.
        """
        known = self._alive.get(digest)
        found = await asyncio.shield(self._learning(digest)) if known is None else known
        self._recent[digest] = found
        self._recent.move_to_end(digest)
        if len(self._recent) > RECENT:
            self._single.discard(self._recent.popitem(last=False)[0])
        return found

    def _learning(self, digest: str) -> asyncio.Task[Workflow]:
        """Read and compile a version once for all who ask for it meanwhile."""
        task = self._learned.get(digest)
        if task is None:
            task = self._learned[digest] = asyncio.create_task(self._rebuilt(digest))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            task.add_done_callback(lambda _: self._learned.pop(digest))
        return task

    async def input_schema(self, digest: str) -> Mapping[str, Any]:
        """The input schema of a version, for the cost of that alone. Raises KeyError."""
        known = self._alive.get(digest)
        if known is not None:
            return known.input_schema
        return stored_input(json.loads((await self._stored(digest))["bundle"]))

    async def _rebuilt(self, digest: str) -> Workflow:
        row = await self._stored(digest)
        made = await asyncio.to_thread(rebuild, json.loads(row["bundle"]), self._functions())
        return self._alive.setdefault(digest, replace(made, version=row["version"]))

    async def _stored(self, digest: str) -> Mapping[str, Any]:
        rows = await self._store.fetch("version_bundle", tenant=self._tenant, digest=digest)
        if not rows:
            raise KeyError(digest)
        return rows[0]

    async def learn_all(self, workflow: Workflow, also: Iterable[str] = ()) -> Iterable[Workflow]:
        """Have at hand, as long as `workflow` is, every sub-workflow that it may open now.

        Returns them and it. `also` are digests of versions that a run of it has open already.
        """
        if workflow.digest in self._single and not also:
            return (workflow,)  # most refer to none, and this is asked for at every start
        seen, todo, keys = {workflow.digest: workflow}, [workflow], set[Key]()
        while todo:
            here = todo.pop()
            keys.update((namespace, name) for namespace, name, _ in references(here))
            for known in self._references(here):
                if known.digest not in seen:
                    seen[known.digest] = await self.learn(known.digest)
                    todo.append(seen[known.digest])
        opened = [await self.learn(digest) for digest in also]
        if not keys and workflow.digest in self._recent:
            self._single.add(workflow.digest)
        if keys or opened:
            self._keep(workflow, keys, {each.digest: each for each in opened} | seen)
        return seen.values()

    def _keep(self, workflow: Workflow, keys: set[Key], members: dict[str, Workflow]) -> None:
        digest = workflow.digest
        del members[digest]  # or it would keep itself alive
        within = self._within.get(digest)
        if within is None or within.root() is not workflow:
            root = ref(workflow, lambda gone: self._forget(digest, gone))
            within = self._within[digest] = _Within(root, set(), {})
        within.keys |= keys
        within.members |= members

    def _forget(self, digest: str, gone: "ref[Workflow]") -> None:
        within = self._within.get(digest)
        if within is not None and within.root is gone:
            del self._within[digest]

    def _references(self, workflow: Workflow) -> Iterable[Known]:
        for namespace, name, version in references(workflow):
            if version is None:
                known = self.default_row(namespace, name)
            else:
                known = self.row(namespace, name, version)
            if known is not None:
                yield known


@dataclass(slots=True)
class _Within:
    """What a compiled workflow may open: by name, and compiled."""

    root: "ref[Workflow]"
    keys: set[Key]
    members: dict[str, Workflow]


def references(workflow: Workflow) -> Iterable[tuple[str, str, str | None]]:
    """The sub-workflows that the steps of a workflow refer to."""
    for step in workflow.steps:
        for target in targets_of(step):
            meant = target if isinstance(target, WorkflowRef) else target.workflow
            if meant is not None:
                yield meant.namespace, meant.name, meant.version


_FIXED = Struct("<qqIBBB32s")
"""Stream, time, limit, flags, effect, length of the version behind, digest."""
_EFFECTS = tuple(Effect)


def packed(row: Mapping[str, Any]) -> bytes:
    """A row of a version in as few bytes as it takes; a hundred thousand lie in memory."""
    flags = (
        bool(row["pending"]) + 2 * bool(row["is_default"]) + 4 * bool(row["pinned"])
        + 8 * bool(row["deprecated"])
    )  # fmt: skip
    version = row["version"].encode()
    effect = _EFFECTS.index(Effect(row["effect"]))
    fixed = _FIXED.pack(
        row["stream"], row["published_at"], row["concurrency"], flags, effect, len(version),
        bytes.fromhex(row["digest"]),
    )  # fmt: skip
    return bytes(fixed + version)


@lru_cache(RECENT)
def unpacked(namespace: str, name: str, text: bytes) -> tuple[Known, ...]:
    """The rows that were packed, one behind the other."""
    rows, at = [], 0
    while at < len(text):
        stream, published, limit, flags, effect, length, digest = _FIXED.unpack_from(text, at)
        begins, at = at + _FIXED.size, at + _FIXED.size + length
        version = text[begins:at].decode()
        rows.append(
            Known(
                stream, namespace, name, version, digest.hex(), _EFFECTS[effect],
                bool(flags & 1), published, bool(flags & 2), bool(flags & 4), bool(flags & 8),
                limit,
            )
        )  # fmt: skip
    return tuple(rows)


def _key(name: str) -> Key:
    namespace, _, own = name.partition("/")
    return namespace, own


def _packed_rows(rows: Rows) -> dict[Key, bytes]:
    found: dict[Key, bytes] = {}
    for row in rows:
        key = (row["namespace"], row["name"])
        found[key] = found.get(key, b"") + packed(row)
    return found

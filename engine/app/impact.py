"""What a change of something concerns: the edges of this process, kept up to date, and spread.

The edges are read when they are first asked for, and from then on brought up to date with what
has moved since; a large catalogue is read and searched in a thread, so that nobody waits for it.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from engine.app.catalogue import Shelf
from engine.app.versions import Versions
from engine.core.approval.concerns import Concerns
from engine.core.errors import Refused
from engine.core.impact.adjacency import KINDS, TASK, WORKFLOW, Adjacency, Key
from engine.core.impact.radius import START, Place, Radius, radius
from engine.core.impact.spread import spread
from engine.core.impact.uses import shown
from engine.core.impact.whatif import NOUNS, Break, Change, breaks
from engine.core.labels.change import Item
from engine.core.model import Task, Workflow, targets_of
from engine.core.value import value
from engine.core.views import VersionInfo
from engine.core.words import did_you_mean, suggestions
from engine.shell.give_back import give_back
from engine.shell.library import Functions, Known, Library
from engine.store.edges import NEVER, Drawn

LARGE = 5_000
"""Things from which on a search is made in a thread."""
VERSION = "version"
CONCERNED = 3
"""Steps that are counted when a person is asked for a change."""
MOST_TRIED = 500
"""Users that are looked through when a change is tried out."""

_ENDED = ("completed", "failed", "cancelled", "stale")
T = TypeVar("T")


@value
class WhatIf:
    """What a change would break in those that use the thing directly: so many were `tried`.

    `untried` are more users than are looked through at once.
    """

    breaks: tuple[Break, ...]
    tried: int
    untried: int


class Impact:
    """The blast radius of what the folders of a process hold."""

    def __init__(
        self, shelf: Shelf, library: Library, versions: Versions, functions: Functions
    ) -> None:
        self._shelf, self._library, self._versions = shelf, library, versions
        self._functions = functions
        self._drawn: Drawn = NEVER
        self._turn = asyncio.Lock()

    async def edges(self) -> Adjacency:
        """Who uses what, as the documents are now."""
        async with self._turn:
            before, self._drawn = self._drawn, await self._shelf.drawn(self._drawn)
            if self._drawn is not before and len(self._drawn.edges) > LARGE:
                await asyncio.to_thread(give_back)
            return self._drawn.edges

    async def blast_radius(
        self,
        name: str,
        kind: str = "task",
        *,
        depth: int = 1,
        graph: bool = False,
        most_users: int = 0,
        after: Place = START,
        limit: int = 0,
    ) -> Radius:
        """What a change of a `task`, `workflow`, `connector` or `version` (`name@1.0.0`) concerns.

        `depth` 0 is unlimited; `graph` adds nodes and edges. What has more than `most_users` users
        is named and not followed (0: everything is). The page holds at most `limit` things behind
        `after` (0: all); counts are complete. Raises Refused: `unknown_task`, `unknown_workflow`,
        `unknown_connector`, `unknown_version`, `ambiguous_...`, `invalid_kind`.
        """
        edges = await self.edges()
        if kind == VERSION:
            return await self._version(edges, name, depth, graph, most_users, after, limit)
        if kind not in KINDS:
            hint = f"One of: {', '.join((*KINDS, VERSION))}."
            raise Refused("invalid_kind", f"there is no kind {kind[:40]!r}", hint)
        start = self._find(edges, KINDS.index(kind), name)
        return await _worked(
            edges,
            lambda: radius(
                edges, spread(edges, start, depth, most_users), depth,
                graph=graph, after=after, limit=limit,
            ),
        )  # fmt: skip

    async def _version(
        self,
        edges: Adjacency,
        name: str,
        depth: int,
        graph: bool,
        most_users: int,
        after: Place,
        limit: int,
    ) -> Radius:
        bare, _, version = name.partition("@")
        known = self._shelf.known(bare, version)
        start = self._find(edges, WORKFLOW, f"{known.namespace}/{known.name}")
        first = self.callers(edges, known, default=known.is_default)
        found = await _worked(
            edges,
            lambda: radius(
                edges, spread(edges, start, depth, most_users, first), depth,
                graph=graph, after=after, limit=limit,
            ),
        )  # fmt: skip
        rows = await self._versions.list(known.namespace, known.name)
        pins = pinned(await self._library.learn(known.digest))
        own = next(row for row in rows if row.version == known.version)
        return replace(found, version=known.version, pins=pins, runs=under_way(own))

    async def what_if(self, name: str, kind: str, change: Change) -> WhatIf:
        """What deleting or replacing a task or workflow, or giving it other schemas, breaks.

        Raises Refused: `invalid_what_if`, and as `blast_radius` does.
        """
        if kind not in NOUNS:
            hint = f"One of: {', '.join(NOUNS)}."
            raise Refused("invalid_what_if", f"a {kind[:40]} cannot be tried out", hint)
        edges, number = await self.edges(), KINDS.index(kind)
        start = self._find(edges, number, name)
        other = [self._find(edges, number, change.replace_with)] if change.replace_with else []
        named = replace(change, replace_with=edges.names[other[0]] if other else "")
        users = [*edges.users[start]]
        needed = _needed(edges, [start, *other, *users[:MOST_TRIED]])
        papers = self._shelf.documents(edges.key(each) for each in needed)
        own = edges.names[start]
        found = await asyncio.to_thread(breaks, papers, kind, own, named, self._functions)
        return WhatIf(found, min(len(users), MOST_TRIED), max(0, len(users) - MOST_TRIED))

    async def concerns(self, changes: Iterable[tuple[Known, bool]]) -> Concerns:
        """How much else a change of some versions concerns; True: as the default or as none yet.

        They themselves do not count.
        """
        edges = await self.edges()
        starts = [
            (start, self.callers(edges, known, default=default))
            for known, default in changes
            if (start := edges.find(Key(WORKFLOW, shown(known.namespace, known.name)))) >= 0
        ]
        return await _worked(edges, lambda: _together(edges, starts))

    async def around(self, items: Iterable[Item]) -> Concerns:
        """How much uses some workflows and tasks; they themselves do not count."""
        edges = await self.edges()
        keys = (Key(KINDS.index(each.thing), shown(each.namespace, each.name)) for each in items)
        starts = [(start, None) for key in keys if (start := edges.find(key)) >= 0]
        return await _worked(edges, lambda: _together(edges, starts))

    def callers(self, edges: Adjacency, known: Known, *, default: bool) -> list[int]:
        """What starts a version: by its number, and by none while it is the `default`."""
        versions = (known.version, "") if default else (known.version,)
        keys = self._shelf.callers((known.namespace, known.name), versions)
        return [number for key in keys if (number := edges.find(key)) >= 0]

    # -- names -------------------------------------------------------------------------------

    def _find(self, edges: Adjacency, kind: int, name: str) -> int:
        """The number of what a name means; raises Refused."""
        whole = kind == WORKFLOW
        own = shown(*self._shelf.find(name)) if whole else _meant(edges, kind, name)
        number = edges.find(Key(kind, own))
        if number < 0:
            raise _unknown(edges, kind, name)
        return number


def _needed(edges: Adjacency, some: Iterable[int]) -> list[int]:
    """Things with all that they use, directly or through others, in one order."""
    found, todo = set[int](), [*some]
    while todo:
        number = todo.pop()
        if number not in found:
            found.add(number)
            todo += edges.uses[number]
    return sorted(found)


def _meant(edges: Adjacency, kind: int, name: str) -> str:
    """A name with its namespace; raises Refused where several namespaces have it."""
    namespace, slash, bare = name.rpartition("/")
    if slash:
        return shown(namespace, bare)
    found = edges.called(kind, bare)
    if bare in found or len(found) < 2:
        return found[0] if found else bare
    raise Refused(
        f"ambiguous_{KINDS[kind]}",
        f"several namespaces have a {KINDS[kind]} {bare!r}",
        f"Name one of: {', '.join(found)}.",
        details={"suggestions": found},
    )


def _unknown(edges: Adjacency, kind: int, name: str) -> Refused:
    names = [*edges.of_kind(kind)]
    bare = [own.rpartition("/")[2] for own in names]
    see = "Call list_tasks to see them." if kind == TASK else "Call list_workflows to see them."
    return Refused(
        f"unknown_{KINDS[kind]}",
        f"there is no {KINDS[kind]} {name[:80]!r}",
        did_you_mean(name, names) or did_you_mean(name, bare) or see,
        details={"suggestions": list(suggestions(name, names))},
    )


def _together(edges: Adjacency, starts: Iterable[tuple[int, list[int] | None]]) -> Concerns:
    workflows, tasks, own = set[int](), set[int](), set[int]()
    for start, first in starts:
        own.add(start)
        for level in spread(edges, start, CONCERNED, first=first).levels:
            workflows.update(level.workflows)
            tasks.update(level.tasks)
    return Concerns(len(workflows - own), len(tasks - own), CONCERNED)


async def _worked(edges: Adjacency, work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work) if len(edges) > LARGE else work()


# -- versions ------------------------------------------------------------------------------------


def pinned(workflow: Workflow) -> tuple[str, ...]:
    """The tasks that a version carries with it."""
    targets = (target for step in workflow.steps for target in targets_of(step))
    return _sorted(shown(each.namespace, each.name) for each in targets if isinstance(each, Task))


def under_way(version: VersionInfo) -> int:
    """How many runs of a version have not ended."""
    open_ = (n for status, n in version.runs.items() if status.partition(":")[0] not in _ENDED)
    return sum(open_)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))

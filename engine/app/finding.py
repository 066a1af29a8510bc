"""Finding what the folders of a process hold: lists, searches, and what a name means.

Lists and searches come from the papers, the version of what they show from the library. How
documents become papers and versions is `catalogue.py`'s.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from engine.core.errors import Refused
from engine.core.found import Found
from engine.core.impact.adjacency import Key
from engine.core.labels.change import Item, Labels
from engine.core.labels.filter import EVERYTHING, Filter, fold
from engine.core.views import Problem, TaskInfo, WorkflowInfo
from engine.core.words import MOST_OPTIONS, did_you_mean, listed, suggestions
from engine.shell.library import Known, Library
from engine.store.edges import NEVER, Drawn
from engine.store.neighbours import Circle
from engine.store.paper_words import Word
from engine.store.papers import Papers

FIRST = ("", "")
"""A name that stands before all others."""
ALL = -1
MOST_SPACES = 1_000
"""Names of which it is kept where the folders have them."""


class Finding:
    """What can be asked of a process's catalogue; `papers` and `library` are kept by others."""

    def __init__(self, papers: Papers, library: Library) -> None:
        self._papers, self._library = papers, library
        self._drawn_of: Papers | None = None
        self._spaces: dict[str, Sequence[str]] = {}
        self._around: tuple[Problem, ...] = ()
        self._clashes: tuple[Problem, ...] = ()

    def problems(self, most: int | None = None) -> tuple[Problem, ...]:
        """What is wrong in the documents, errors and warnings; no more than `most`."""
        return (*self._around, *self._papers.lists.problems(most), *self._clashes)[:most]

    def everything(self) -> tuple[WorkflowInfo, ...]:
        """Every workflow of the folders by namespace and name, deprecated ones too."""
        return tuple(map(self._now, self._papers.lists.everything()))

    def page(
        self, wanted: Filter = EVERYTHING, after: tuple[str, str] = FIRST, limit: int = ALL
    ) -> tuple[tuple[WorkflowInfo, ...], int]:
        """Workflows behind a name, by namespace and name, and how many fit in total.

        Raises Refused `invalid_filter`.
        """
        infos, total = self._papers.lists.page(wanted, after, limit)
        now = map(self._now, infos)
        return tuple(info for info in now if not info.deprecated), total

    def among(self, wanted: Filter) -> Collection[int] | None:
        """The numbers of the workflows that fit a filter, for `search`; None is all of them."""
        return self._papers.lists.among(wanted)

    def search(self, query: str, limit: int, among: Collection[int] | None = None) -> Found:
        """The workflows that fit a query best, best first; only those with a number in `among`."""
        found = self._papers.lists.search(query, limit, among)
        now = [replace(hit, info=self._now(hit.info)) for hit in found.hits]
        kept = tuple(hit for hit in now if not hit.info.deprecated)
        first = bool(kept) and kept[0] is now[0]  # what is known is known of the first
        return replace(found, hits=kept, confidence=found.confidence if first else 0.0)

    def tasks(
        self, wanted: Filter = EVERYTHING, after: tuple[str, str] = FIRST, limit: int = ALL
    ) -> tuple[tuple[TaskInfo, ...], int]:
        """Tasks behind a name, by namespace and name, and how many fit in total."""
        tasks, total = self._papers.lists.tasks(wanted, after, limit)
        return tuple(tasks), total

    def names(self) -> list[tuple[str, str]]:
        """Namespace and name of every workflow of the folders, sorted."""
        return self._papers.lists.workflow_names()

    async def drawn(self, known: Drawn) -> Drawn:
        """Who uses what now; what is known already is only brought up to date."""
        if self._drawn_of is not self._papers:  # others count their turns anew
            self._drawn_of, known = self._papers, NEVER
        if self._papers.large:
            return await asyncio.to_thread(self._papers.drawn, known)
        return self._papers.drawn(known)

    def callers(self, key: tuple[str, str], versions: Iterable[str]) -> list[Key]:
        """The workflows and tasks that ask for a workflow by one of some versions ("": by none)."""
        return self._papers.lists.callers(key, versions)

    def documents(self, keys: Iterable[Key]) -> list[Any]:
        """The documents of tasks, workflows and connectors, as they stand in the folders."""
        return self._papers.lists.documents(keys)

    def _now(self, info: WorkflowInfo) -> WorkflowInfo:
        known = self._library.default_row(info.namespace, info.name)
        if known is None:
            return info
        return replace(
            info, version=known.version, pending=known.pending, deprecated=known.deprecated
        )

    def find(self, name: str) -> tuple[str, str]:
        """Namespace and name of `[namespace/]name`.

        Without a namespace, `default` wins, then a unique match. Raises Refused
        `unknown_workflow`, or `ambiguous_workflow` when several namespaces have it.
        """
        namespace, slash, bare = name.rpartition("/")
        here = [(space, bare) for space in self._namespaces(bare)]
        if slash:
            if (namespace, bare) in here or self._library.rows(namespace, bare):
                return namespace, bare
            raise self._unknown(name)
        keys = here or self._published(bare)
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

    def _namespaces(self, bare: str) -> Sequence[str]:
        """Where the folders have it; asked for at every start, so it is kept for a while."""
        kept = self._spaces.get(bare)
        if kept is not None:
            return kept
        found = self._papers.lists.namespaces(bare)
        if len(self._spaces) >= MOST_SPACES:
            self._spaces.clear()
        if found:
            self._spaces[bare] = found
        return found

    def _published(self, bare: str) -> list[tuple[str, str]]:
        """Workflows of this name that were published once and are in no folder of this process."""
        return self._library.called(bare)

    def _unknown(self, name: str) -> Refused:
        keys = self._papers.lists.workflow_names(MOST_OPTIONS)
        names = [bare for _, bare in keys] + ["/".join(key) for key in keys]
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

    # -- labels ----------------------------------------------------------------------------------

    def item(self, thing: str, name: str) -> Item:
        """The workflow or task of `[namespace/]name`; raises Refused `unknown_workflow`,
        `unknown_task`, `ambiguous_workflow`, `ambiguous_task`."""
        if thing == "workflow":
            found = Item(thing, *self.find(name))
            if self._papers.lists.words(lambda words: words.says(found)) is None:
                raise self._unknown(name)
            return found
        namespace, slash, bare = name.rpartition("/")
        keys = [
            key for key in self._papers.lists.task_names(bare) if not slash or key[0] == namespace
        ]
        if not slash and ("default", bare) in keys:
            keys = [("default", bare)]
        if len(keys) == 1:
            return Item(thing, *keys[0])
        if keys:
            options = ["/".join(key) for key in keys]
            message = f"several namespaces have a task {bare[:80]!r}"
            raise Refused("ambiguous_task", message, f"Name one of: {listed(options)}.")
        raise Refused("unknown_task", f"there is no task {name[:80]!r}", "list_tasks has them.")

    def says(self, item: Item) -> Labels:
        """The labels that a thing's document says."""
        return self._papers.lists.words(lambda words: words.says(item)) or Labels()

    def needing(
        self,
        thing: str,
        wanted: Filter,
        add: Iterable[tuple[str, str]],
        remove: Iterable[tuple[str, str]],
        most: int,
    ) -> tuple[list[Item], int]:
        """Things of a filter that lack a label or have one too many, and how many there are."""
        comes, goes = ([(kind, fold(label)) for kind, label in each] for each in (add, remove))
        asked = wanted.folded()
        return self._papers.lists.words(
            lambda words: words.needing(thing, asked, comes, goes, most)
        )

    def words(self, form: str) -> tuple[str, ...]:
        """Every label of a type that something has, in its most used spelling."""
        return tuple(sorted(each.label for each in self.counted() if each.type == form))

    def counted(self) -> list[Word]:
        """Every label that something has, with how many have it."""
        return self._papers.lists.words(lambda words: words.counted())

    def spelled(self, form: str) -> list[tuple[str, int]]:
        """Every spelling of labels of a type, and how many things have it."""
        return self._papers.lists.words(lambda words: words.spelled(form))

    def last_used(self, form: str, word: str) -> int:
        """When something last came to have a label, in microseconds; 0 when nobody knows."""
        return self._papers.lists.words(lambda words: words.last_used(form, word))

    def coverage(self) -> tuple[tuple[str, int, int, int, int], ...]:
        """For workflows and tasks: how many, with a tag, with a category, with any of both."""
        return self._papers.lists.words(lambda words: words.coverage())

    def described(self, item: Item) -> str:
        """What a workflow or task says of itself."""
        return self._papers.lists.described(item.thing, item.namespace, item.name)

    def around(self, item: Item) -> Circle | None:
        """A workflow or task with its neighbours."""
        return self._papers.lists.around(item.thing, item.namespace, item.name)

    def labelled(self, info: WorkflowInfo) -> WorkflowInfo:
        """A version of a workflow with the labels that the workflow has now."""
        found = self._papers.lists.shown(info.namespace, info.name)
        if found is None:
            return info
        return replace(info, categories=found.categories, tags=found.tags)

"""Lists of what the folders hold, for those who ask: pages, problems, names.

Reads what `papers.py` keeps, over a connection of its own, so that nobody waits for a reading of
the folders that goes on at the same time.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from engine.core.found import Found
from engine.core.impact.adjacency import Key
from engine.core.labels.filter import Filter
from engine.core.views import Problem, TaskInfo, WorkflowInfo
from engine.store.edges import Drawn, callers, documents, drawn
from engine.store.errors import StoreError
from engine.store.filtering import Filtering, Fits
from engine.store.neighbours import Circle, Neighbours
from engine.store.paper_files import DAMAGED, understood
from engine.store.paper_rows import info_of, labelled, labelled_task, task_info_of
from engine.store.paper_words import Words
from engine.store.search import PLAIN, Index, Ranking
from engine.store.search_rows import still

P = ParamSpec("P")
T = TypeVar("T")


def _asked(ask: "Callable[Concatenate[Lists, P], T]") -> "Callable[Concatenate[Lists, P], T]":
    """A question whose answer may be that the papers cannot be read, as a typed error."""

    @wraps(ask)
    def asking(self: "Lists", /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return ask(self, *args, **kwargs)
        except sqlite3.Error as error:
            known = understood(error)
            self.damaged |= isinstance(known, StoreError) and known.code == DAMAGED
            raise known from error

    return asking


class Lists:
    """What readers may ask; raises StoreError.

    Once `damaged`, they are to be thrown away and made again.
    """

    def __init__(self, db: sqlite3.Connection, ranking: Ranking = PLAIN) -> None:
        self._db = db
        self._index = Index(db, self._loaded, ranking)
        self._workflows, self._tasks = Filtering(db, "workflow"), Filtering(db, "task")
        self._words = Words(db, self._workflows, self._tasks)
        self.damaged = False

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @_asked
    def problems(self, most: int | None = None) -> list[Problem]:
        """What is wrong, by file and line; no more than `most`."""
        limit = -1 if most is None else most
        of_files = "select problems from files where problems <> '[]' order by place limit ?"
        of_documents = "select text from told order by path, number limit ?"
        found = _told(self._db.execute(of_files, (limit,)))
        more = _told(self._db.execute(of_documents, (limit,)))
        found += sorted(more, key=lambda problem: (problem.file, problem.line))
        return found[:most]

    @_asked
    def namespaces(self, name: str) -> list[str]:
        """The namespaces in which a workflow of this name can be used."""
        sql = "select namespace from workflows where name = ?"
        return [row[0] for row in self._db.execute(sql, (name,))]

    @_asked
    def workflow_names(self, most: int = -1) -> list[tuple[str, str]]:
        """Namespaces and names of workflows, sorted."""
        sql = "select namespace, name from workflows order by namespace, name limit ?"
        return self._db.execute(sql, (most,)).fetchall()

    @_asked
    def everything(self) -> list[WorkflowInfo]:
        """Every workflow that is ever listed, by namespace and name, deprecated ones too."""
        sql = "select document from workflows where hidden <= 1 order by namespace, name"
        return self._infos(number for (number,) in self._db.execute(sql).fetchall())

    @_asked
    def page(
        self, wanted: Filter, after: tuple[str, str], limit: int
    ) -> tuple[list[WorkflowInfo], int]:
        """Workflows behind a name, at most `limit` (-1: all), and how many fit in total."""
        with still(self._db):
            documents, total = self._workflows.page(wanted.folded(), after, limit)
            return self._infos(documents), total

    @_asked
    def tasks(
        self, wanted: Filter, after: tuple[str, str], limit: int
    ) -> tuple[list[TaskInfo], int]:
        """Tasks behind a name, at most `limit` (-1: all), and how many fit in total."""
        sql = "select namespace, name, info, labels from tasks where document = ?"
        with still(self._db):
            documents, total = self._tasks.page(wanted.folded(), after, limit)
            rows = [self._db.execute(sql, (number,)).fetchone() for number in documents]
            infos = ((task_info_of(row[2], self._users_of(*row[:2])), row[3]) for row in rows)
            return [labelled_task(*each) for each in infos], total

    @_asked
    def among(self, wanted: Filter) -> Fits | None:
        """The numbers of the workflows that fit a filter, None for one that keeps everything."""
        if wanted.empty:
            return None
        with still(self._db):
            return self._workflows.fits(wanted.folded())

    @_asked
    def words(self, ask: "Callable[[Words], T]") -> T:
        """What is asked of the words of labels."""
        with still(self._db):
            return ask(self._words)

    @_asked
    def around(self, thing: str, namespace: str, name: str) -> Circle | None:
        """A workflow or task with its neighbours."""
        return Neighbours(self._db).of(thing, namespace, name)

    @_asked
    def described(self, thing: str, namespace: str, name: str) -> str:
        """What a workflow or task says of itself; nothing where there is no such one."""
        if thing == "workflow":
            shown = self.shown(namespace, name)
            return shown.description if shown else ""
        sql = "select info from tasks where namespace = ? and name = ?"
        row = self._db.execute(sql, (namespace, name)).fetchone()
        return task_info_of(row[0], ()).description if row else ""

    @_asked
    def shown(self, namespace: str, name: str) -> WorkflowInfo | None:
        """A workflow as lists show it."""
        sql = "select document from workflows where namespace = ? and name = ?"
        row = self._db.execute(sql, (namespace, name)).fetchone()
        return None if row is None else self._loaded(row[0])

    @_asked
    def task_names(self, name: str) -> list[tuple[str, str]]:
        """Namespaces and names of the tasks with a bare name."""
        sql = "select namespace, name from tasks where name = ? order by namespace"
        return self._db.execute(sql, (name,)).fetchall()

    @_asked
    def search(self, query: str, limit: int, among: Collection[int] | None = None) -> Found:
        """The workflows that fit a query best, best first; only those with a number in `among`."""
        return self._index.search(query, limit, among)

    @_asked
    def drawn(self, known: Drawn) -> Drawn:
        """Who uses what now; what is known already is only brought up to date."""
        return drawn(self._db, known)

    @_asked
    def callers(self, key: tuple[str, str], versions: Iterable[str]) -> list[Key]:
        """The workflows and tasks that ask for a workflow by one of some versions ("": by none)."""
        return callers(self._db, key, versions)

    @_asked
    def documents(self, keys: Iterable[Key]) -> list[Any]:
        """The documents of some things, as they stand in the folders."""
        return documents(self._db, keys)

    def _users_of(self, namespace: str, name: str) -> list[str]:
        sql = (
            "select w.namespace || '/' || w.name from targets t join workflows w"
            " on w.document = t.document"
            " where t.kind = 'task' and t.namespace = ? and t.name = ?"
        )
        return [row[0] for row in self._db.execute(sql, (namespace, name))]

    def _infos(self, documents: Iterable[int]) -> list[WorkflowInfo]:
        return [info for info in map(self._loaded, documents) if info is not None]

    def _loaded(self, document: int) -> WorkflowInfo | None:
        sql = (
            "select i.info, w.labels from workflows w join infos i on i.digest = w.shown"
            " where document = ?"
        )
        row = self._db.execute(sql, (document,)).fetchone()
        return None if row is None else labelled(info_of(row[0]), row[1])


def _told(rows: Iterable[tuple[str]]) -> list[Problem]:
    return [Problem(**each) for (text,) in rows for each in json.loads(text)]

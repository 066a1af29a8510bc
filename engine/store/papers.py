"""The documents of the folders as they were last read, in a SQLite file of their own.

Everything here follows from the folders and can be thrown away: it is kept so that a catalogue
of any size needs no memory, and a file that has not changed is not read again, not even by the
next process. A small catalogue lies in memory, a large one in a file beside the database.
Reading the folders is one transaction; whoever asks meanwhile sees what was there before. What
the documents mean is not known here.
"""

import contextlib
import json
import logging
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.core.impact.uses import Use
from engine.core.labels.change import Item, effective
from engine.core.views import Problem, TaskInfo, WorkflowInfo
from engine.store import neighbours
from engine.store.connection import rest
from engine.store.edges import Drawn, Edges
from engine.store.paper_files import connect, copied, forget
from engine.store.paper_files import opened as open_papers
from engine.store.paper_lists import Lists
from engine.store.paper_looking import Looking
from engine.store.paper_marks import put_marks, said_of, task_marks, workflow_marks
from engine.store.paper_rows import (
    File,
    Standing,
    info_of,
    labelled,
    labelled_task,
    labels_of,
    labels_text,
    problems_text,
    task_info_of,
    task_text,
)
from engine.store.search import PLAIN, Index, Ranking

_LOG = logging.getLogger("handrail.engine")

UNREAD, GOOD, BROKEN, SECOND = range(4)
"""What is known of a document; SECOND is one whose name an earlier document has."""

_PER_DOCUMENT = ("uses", "told", "tasks", "workflows", "marks", "targets")
_SHOWN = (
    "select w.document, w.shown, w.hidden, (select at from marks m where m.document = w.document"
    " and m.kind = 'workflow.effect') from workflows w"
    " where w.namespace = ? and w.name = ? and w.hidden < 2"
)
_DROPS = (
    *(f"delete from {table} where document = ?" for table in _PER_DOCUMENT),  # noqa: S608 - our own names
    "delete from task_words where rowid = ?",
)


class Papers(Looking):
    """The documents that one process serves. Written by one thread at a time."""

    def __init__(
        self,
        path: Path | None,
        rules: str,
        ranking: Ranking = PLAIN,
        scratch: Path | None = None,
    ) -> None:
        self._scratch, self._ranking = scratch, ranking
        self._path, self._rules = path, rules
        self._stale: set[int] = set()
        self.protected: Callable[[str], bool] = lambda label: False
        self.db = open_papers(path, rules)
        self._index = Index(self.db, self._nothing, ranking)
        self._edges = Edges(self.db)
        self._next: Lists | None = None
        self.lists = Lists(copied(self.db) if path is None else connect(path), ranking)

    @property
    def large(self) -> bool:
        """Whether they lie in a file."""
        return self._path is not None

    def close(self) -> None:
        """Close both connections."""
        self.lists.close()
        self.db.close()
        if self._scratch is not None:
            import shutil  # seldom needed, and it brings three compressors along

            shutil.rmtree(self._scratch, ignore_errors=True)

    # -- writing ---------------------------------------------------------------------------

    def begin(self) -> bool:
        """Begin to change things, which nobody sees before `commit`; False while others do."""
        try:
            self.db.execute("begin immediate")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def commit(self) -> None:
        """Let other processes see what was changed, and this one with its next `turn`."""
        self._edges.write()
        self._index.merge()
        self.db.execute("commit")
        if self._path is None:
            self._next = Lists(copied(self.db), self._ranking)

    def turn(self) -> None:
        """Let readers in this process see what was committed; from the thread they read in."""
        if self._next is not None:
            before, self.lists, self._next = self.lists, self._next, None
            before.close()

    def drawn(self, known: Drawn) -> Drawn:
        """Who uses what now; may be asked in any thread where they are large."""
        if self._path is None:
            return self.lists.drawn(known)
        db = connect(self._path)
        db.execute("pragma cache_size = -1000")  # each page is asked for once or twice
        with closing(Lists(db)) as lists:
            return lists.drawn(known)

    def rest(self) -> None:
        """Let go of the pages that were needed to change things: nobody reads over them."""
        rest(self.db)

    def renewed(self) -> "Papers":
        """Empty papers in the place of these, whose file is thrown away: it is damaged."""
        _LOG.warning("what was read of the documents is damaged; reading all of them")
        self.close()
        if self._path is not None:
            forget(self._path)
        return Papers(None, self._rules, self._ranking)

    def rollback(self) -> None:
        """Forget what was changed since `begin`."""
        self._stale.clear()
        self._edges.forget()
        with contextlib.suppress(sqlite3.Error):
            if self.db.in_transaction:
                self.db.execute("rollback")

    def files(self) -> dict[str, File]:
        """Every file by its path."""
        rows = self.db.execute("select path, id, place, mark from files")
        return {os.fsdecode(row[0]): File(*row[1:]) for row in rows}

    def put_file(self, path: str, place: int, mark: str, problems: Iterable[Problem]) -> int:
        """A file that was read, with what could not be; returns its number."""
        row = self.db.execute(
            "insert into files (path, place, mark, problems) values (?, ?, ?, ?)"
            " on conflict (path) do update set place = excluded.place, mark = excluded.mark,"
            " problems = excluded.problems returning id",
            (os.fsencode(path), place, mark, problems_text(problems)),
        ).fetchone()
        return int(row[0])

    def move_file(self, file: int, place: int) -> None:
        """The file has another place among the others."""
        self.db.execute("update files set place = ? where id = ?", (place, file))

    def drop_file(self, file: int) -> None:
        """A file that is gone, without its documents."""
        self.db.execute("delete from files where id = ?", (file,))

    def names_in(self, file: int) -> set[tuple[str, str, str, bytes]]:
        """Kind, namespace, name and content of every document of a file."""
        sql = "select kind, namespace, name, hash from documents where file = ? and kind <> ''"
        return set(self.db.execute(sql, (file,)))

    def drop_documents(self, file: int) -> None:
        """The documents of a file."""
        for (document,) in self.db.execute(
            "select id from documents where file = ?", (file,)
        ).fetchall():
            self.unread(document)
        self.db.execute("delete from documents where file = ?", (file,))

    def put_document(
        self, file: int, number: int, key: tuple[str, str, str], value: str, lines: Any
    ) -> tuple[int, bytes]:
        """A document of a file, not read yet; returns its number and the mark of its content."""
        text = value.encode()
        packed = zlib.compress(text, 1), zlib.compress(json.dumps(dict(lines.items())).encode(), 1)
        mark = zlib.crc32(text).to_bytes(4) + len(text).to_bytes(4)
        row = self.db.execute(
            "insert into documents (file, number, kind, namespace, name, hash, value, lines,"
            " state) values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
            (file, number, *key, mark, *packed, UNREAD),
        ).fetchone()
        self._edges.note(*key)
        return int(row[0]), mark

    def unread(self, document: int) -> None:
        """Forget what is known of a document; it is to be read again."""
        self._stale.add(document)
        self._edges.drop(document)
        for sql in _DROPS:
            self.db.execute(sql, (document,))
        self.db.execute("update documents set state = ? where id = ?", (UNREAD, document))

    def settle(
        self,
        document: int,
        state: int,
        problems: Iterable[Problem],
        uses: Iterable[tuple[str, str]],
    ) -> None:
        """What came of reading a document, and the names that it looked for."""
        self.db.execute("update documents set state = ? where id = ?", (state, document))
        self.db.execute("delete from told where document = ?", (document,))
        told = problems_text(problems)
        if told != "[]":
            self.db.execute(
                "insert into told select f.path, d.number, d.id, ? from documents d"
                " join files f on f.id = d.file where d.id = ?",
                (told, document),
            )
        self.db.executemany(
            "insert or ignore into uses (kind, name, document) values (?, ?, ?)",
            [(kind, name, document) for kind, name in uses],
        )

    def put_task(self, document: int, info: TaskInfo, targets: Iterable[Use] = ()) -> None:
        """A task that can be used."""
        self._put_task(document, info)
        neighbours.put_task(self.db, document, info)
        self._edges.put(document, targets)

    def _put_task(self, document: int, info: TaskInfo) -> None:
        item = Item("task", info.namespace, info.name)
        said = said_of(self.db, item)
        labels = labels_text(effective("task", labels_of(info), said, self.protected))
        row = (document, info.namespace, info.name, task_text(info), labels)
        self.db.execute("insert or replace into tasks values (?, ?, ?, ?, ?)", row)
        put_marks(self.db, document, task_marks(labelled_task(info, labels)), 0, said)

    def put_workflow(self, standing: Standing, text: str, targets: Iterable[Use]) -> None:
        """A workflow that can be used. It is shown once `show` has said how."""
        document, digest = standing.document, bytes.fromhex(standing.digest)
        self.put_info(standing.digest, text)
        row = (
            document, standing.namespace, standing.name, standing.declared, digest,
            standing.effect, standing.pending, b"", 2, "",
        )  # fmt: skip
        places = ", ".join("?" * len(row))
        self.db.execute(f"insert or replace into workflows values ({places})", row)  # noqa: S608
        self._edges.put(document, targets)

    def info(self, digest: str) -> WorkflowInfo | None:
        """What lists show of a content, None when that was never put in."""
        sql = "select info from infos where digest = ?"
        row = self.db.execute(sql, (bytes.fromhex(digest),)).fetchone()
        return None if row is None else info_of(row[0])

    def has_info(self, digest: str) -> bool:
        """Whether it is known what lists show of a content."""
        sql = "select 1 from infos where digest = ?"
        return self.db.execute(sql, (bytes.fromhex(digest),)).fetchone() is not None

    def put_info(self, digest: str, text: str) -> None:
        """What lists show of a content."""
        row = (bytes.fromhex(digest), text)
        self.db.execute("insert or replace into infos values (?, ?)", row)

    def show_all(self, changes: Iterable[tuple[int, str, int, int]]) -> None:
        """`show` for each of them."""
        for change in changes:
            self.show(*change)
        self._index.fill(self.large)

    def show(self, document: int, digest: str, hidden: int, at: int = 0) -> None:
        """Under which content a workflow is listed and found, with the labels that it has.

        `hidden` is 1 for one that is listed only when everything is, 2 for one that never is; `at`
        is when it was published.
        """
        info = self.info(digest)
        assert info is not None, "what is shown was put in before"
        said = said_of(self.db, Item("workflow", info.namespace, info.name))
        labels = effective("workflow", labels_of(info), said, self.protected)
        info = labelled(info, labels_text(labels))
        self.db.execute(
            "update workflows set shown = ?, hidden = ?, labels = ? where document = ?",
            (bytes.fromhex(digest), hidden, labels_text(labels), document),
        )
        put_marks(self.db, document, () if hidden else workflow_marks(info), at, said)
        self._index.drop(document)
        if not hidden:
            self._index.put(document, info)

    def relabel(self, items: Iterable[Item]) -> None:
        """Show anew what these things have of labels."""
        for item in items:
            if item.thing == "task":
                sql = "select document, info from tasks where namespace = ? and name = ?"
                for document, text in self.db.execute(sql, (item.namespace, item.name)).fetchall():
                    self._put_task(document, task_info_of(text, ()))
            else:
                rows = self.db.execute(_SHOWN, (item.namespace, item.name)).fetchall()
                for document, digest, hidden, at in rows:
                    self.show(document, digest.hex(), hidden, at or 0)

    def put_protected(self, patterns: Iterable[str]) -> bool:
        """Keep which labels are protected; says whether others were before."""
        text = json.dumps(sorted(patterns))
        row = self.db.execute("select value from meta where name = 'protected'").fetchone()
        self.db.execute("insert or replace into meta values ('protected', ?)", (text,))
        return (row[0] if row else "[]") != text

    def items(self) -> list[Item]:
        """Everything that can have labels."""
        sql = "select ?, namespace, name from {}"
        return [
            Item(*row)
            for thing in ("workflow", "task")
            for row in self.db.execute(sql.format(f"{thing}s"), (thing,)).fetchall()
        ]

    def tidy(self) -> None:
        """Forget what belonged to documents that cannot be used any more."""
        if not self._stale:
            return
        for document in self._stale:
            if not self._stands(document):
                self._index.drop(document)
        self._stale.clear()
        self.db.execute(
            "delete from infos where digest not in (select digest from workflows)"
            " and digest not in (select shown from workflows)"
        )

    @staticmethod
    def _nothing(document: int) -> None:
        """Nobody searches while the papers are changed."""

    def _stands(self, document: int) -> bool:
        sql = "select 1 from workflows where document = ?"
        return self.db.execute(sql, (document,)).fetchone() is not None


def opened(path: Path, rules: str, ranking: Ranking = PLAIN) -> Papers:
    """Papers in a file, which is a temporary one where `path` cannot be used."""
    try:
        return Papers(path, rules, ranking)
    except sqlite3.Error:
        _LOG.warning("%s cannot be used; documents are read anew at every start", path)
        import tempfile  # as seldom

        folder = Path(tempfile.mkdtemp(prefix="handrail-"))
        return Papers(folder / "catalogue", rules, ranking, scratch=folder)

"""Looking into papers while they are changed, over the connection that changes them.

What others see meanwhile is `paper_lists.py`'s; what the documents mean is not known here.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from engine.store.paper_rows import Paper, Standing, value_of


class Looking:
    """What is asked of papers by those who change them; `db` is the writer's connection."""

    db: sqlite3.Connection

    def raw(self, document: int) -> tuple[str, int, Any, Any]:
        """File, number, value and lines of a document."""
        row = self.db.execute(
            "select f.path, d.number, d.value, d.lines from documents d"
            " join files f on f.id = d.file where d.id = ?",
            (document,),
        ).fetchone()
        return os.fsdecode(row[0]), row[1], value_of(row[2]), value_of(row[3])

    def unread_of(self, kind: str) -> Iterator[int]:
        """The documents of a kind that are to be read, in their order."""
        files = self.db.execute(
            "select id from files where id in"
            " (select file from documents where kind = ? and state = 0) order by place",
            (kind,),
        ).fetchall()
        of_file = (
            "select id from documents where kind = ? and file = ? and state = 0 order by number"
        )
        for (file,) in files:
            for (document,) in self.db.execute(of_file, (kind, file)).fetchall():
                yield document

    def having(self, kind: str, name: str) -> list[tuple[int, str]]:
        """The documents with a bare name and their namespaces."""
        sql = "select id, namespace from documents where kind = ? and name = ?"
        return self.db.execute(sql, (kind, name)).fetchall()

    def users(self, kind: str, name: str) -> list[tuple[int, str, str]]:
        """The documents that looked for a bare name, with kinds and names of their own."""
        sql = (
            "select d.id, d.kind, d.name from uses u join documents d on d.id = u.document"
            " where u.kind = ? and u.name = ?"
        )
        return self.db.execute(sql, (kind, name)).fetchall()

    def named(self, kind: str, namespace: str, name: str) -> list[Paper]:
        """The documents of a name, in their order."""
        sql = (
            "select d.id, f.path, d.number, d.kind, d.namespace, d.name, d.state from documents d"
            " join files f on f.id = d.file where d.kind = ? and d.name = ? and d.namespace = ?"
            " order by f.place, d.number"
        )
        return [Paper(*row) for row in self.db.execute(sql, (kind, name, namespace))]

    def states(self, kind: str, name: str) -> list[tuple[str, int]]:
        """Namespace and state of every document with a bare name, in their order."""
        sql = (
            "select d.namespace, d.state from documents d join files f on f.id = d.file"
            " where d.kind = ? and d.name = ? order by f.place, d.number"
        )
        return self.db.execute(sql, (kind, name)).fetchall()

    def keys(self, kind: str, good: bool) -> Iterator[tuple[str, str]]:
        """The names of a kind, in order of the documents; `good` leaves out all others."""
        sql = (
            "select d.namespace, d.name from documents d join files f on f.id = d.file"
            " where d.kind = ? and (d.state = 1 or ?) order by f.place, d.number"
        )
        return iter(self.db.execute(sql, (kind, not good)))

    def effect(self, namespace: str, name: str) -> str | None:
        """The effect of a workflow that can be used."""
        sql = "select effect from workflows where namespace = ? and name = ?"
        row = self.db.execute(sql, (namespace, name)).fetchone()
        return None if row is None else str(row[0])

    def standing(
        self, keys: Iterable[tuple[str, str]] | None = None
    ) -> Iterator[tuple[Standing, str, int]]:
        """Workflows that can be used: each with the content it is listed by, and how hidden.

        All of them, or those of `keys`. May be changed while it is read.
        """
        sql = (
            "select document, namespace, name, declared, digest, effect, pending, shown, hidden"
            " from workflows"
        )
        if keys is not None:
            one = f"{sql} where namespace = ? and name = ?"
            pages: Iterable[list[Any]] = (self.db.execute(one, key).fetchall() for key in keys)
        else:
            pages = self._pages(sql)
        for row in chain.from_iterable(pages):
            document, namespace, name, declared, digest, effect, pending, shown, hidden = row
            standing = Standing(
                document, namespace, name, declared, digest.hex(), effect, bool(pending)
            )
            yield standing, shown.hex(), hidden

    def _pages(self, sql: str) -> Iterator[list[Any]]:
        after = -1
        while rows := self.db.execute(
            f"{sql} where document > ? order by document limit 1000", (after,)
        ).fetchall():
            yield rows
            after = rows[-1][0]

    def count(self, kind: str) -> int:
        """How many documents of a kind are to be read."""
        sql = "select count(*) from documents where kind = ? and state = 0"
        return int(self.db.execute(sql, (kind,)).fetchone()[0])

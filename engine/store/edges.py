"""Who uses what, in the rows of the papers: written as documents are read, read as packed numbers.

Whoever reads keeps the packed numbers and the turn up to which they are right, and asks for what
has moved since then. A turn is counted up whenever a change is committed, by whichever process;
where very much moves at once, all of it is read anew.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from engine.core.impact.adjacency import KINDS, NOTHING, Adjacency, Key, ranked
from engine.core.impact.uses import Use, parted, shown
from engine.core.value import value
from engine.store.paper_rows import value_of

CREATE = """
create table targets (kind text not null, namespace text not null, name text not null,
  version text not null, document integer not null,
  primary key (kind, namespace, name, version, document)) without rowid;
create index targets_by_document on targets (document);
create table edge_changes (kind text not null, namespace text not null, name text not null,
  turn integer not null, primary key (kind, namespace, name)) without rowid;
create index edge_changes_by_turn on edge_changes (turn);
create table edge_turns (name text primary key, turn integer not null) without rowid;
insert into edge_turns values ('now', 0), ('anew', 0);
"""

MOST_CHANGES = 1_000
"""Things that move in one change and are kept by name; if more do, all is read anew."""

_NOUNS = {"WorkflowTask": "task", "Workflow": "workflow", "Connector": "connector"}
_THINGS = {
    "task": "select document, namespace, name from tasks",
    "workflow": "select document, namespace, name from workflows",
    "connector": "select id, namespace, name from documents where kind = 'Connector' and state = 1",
}
_IN_ORDER = "order by case namespace when 'default' then name else namespace || '/' || name end"
_THING = {
    "task": "select document from tasks where namespace = ? and name = ?",
    "workflow": "select document from workflows where namespace = ? and name = ?",
    "connector": "select id from documents where kind = 'Connector' and state = 1"
    " and namespace = ? and name = ?",
}
_EDGES = (
    "select t.document, coalesce(k.document, w.document, c.id) from targets t"
    " left join tasks k on t.kind = 'task' and k.namespace = t.namespace and k.name = t.name"
    " left join workflows w on t.kind = 'workflow'"
    " and w.namespace = t.namespace and w.name = t.name"
    " left join documents c on t.kind = 'connector' and c.kind = 'Connector' and c.state = 1"
    " and c.namespace = t.namespace and c.name = t.name order by t.document"
)


class Edges:
    """What documents use, while the papers are changed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._moved: set[tuple[str, str, str]] = set()

    def put(self, document: int, targets: Iterable[Use]) -> None:
        """What a document uses."""
        self._db.executemany(
            "insert or ignore into targets values (?, ?, ?, ?, ?)",
            [(*target, document) for target in targets],
        )

    def drop(self, document: int) -> None:
        """A document is to be read again, or is gone; its rows go with all its others."""
        sql = "select kind, namespace, name from documents where id = ?"
        for row in self._db.execute(sql, (document,)).fetchall():
            self.note(*row)

    def note(self, kind: str, namespace: str, name: str) -> None:
        """Something came, went or is read again."""
        if kind in _NOUNS and len(self._moved) <= MOST_CHANGES:
            self._moved.add((_NOUNS[kind], namespace, name))

    def forget(self) -> None:
        """Nothing of it will be committed."""
        self._moved.clear()

    def write(self) -> None:
        """Say what has moved, just before it is committed."""
        if not self._moved:
            return
        self._db.execute("update edge_turns set turn = turn + 1 where name = 'now'")
        if len(self._moved) > MOST_CHANGES:
            self._db.execute("delete from edge_changes")
            self._db.execute(
                "update edge_turns set turn = (select turn from edge_turns where name = 'now')"
                " where name = 'anew'"
            )
        else:
            self._db.executemany(
                "insert or replace into edge_changes values"
                " (?, ?, ?, (select turn from edge_turns where name = 'now'))",
                sorted(self._moved),
            )
        self._moved.clear()


@value
class Drawn:
    """All edges as they were at a turn."""

    turn: int
    edges: Adjacency


NEVER = Drawn(-1, NOTHING)


def drawn(db: sqlite3.Connection, known: Drawn) -> Drawn:
    """All edges now; what is known already is only brought up to date."""
    db.execute("begin")
    try:
        turns = dict(db.execute("select name, turn from edge_turns").fetchall())
        if known.turn == turns["now"]:
            return known
        if not turns["anew"] <= known.turn < turns["now"]:
            return Drawn(turns["now"], _all(db))
        return Drawn(turns["now"], known.edges.changed(dict(_news(db, known.turn))))
    finally:
        db.execute("commit")


def callers(db: sqlite3.Connection, key: tuple[str, str], versions: Iterable[str]) -> list[Key]:
    """The workflows and tasks that ask for a workflow by one of some versions ("": by none)."""
    found: list[Key] = []
    for number, kind in enumerate(("task", "workflow")):
        sql = (
            f"select u.namespace, u.name from targets t join {kind}s u"  # noqa: S608 - our own words
            " on u.document = t.document where t.kind = 'workflow' and t.namespace = ?"
            " and t.name = ? and t.version = ?"
        )
        for version in versions:
            rows = db.execute(sql, (*key, version)).fetchall()
            found += [Key(number, shown(*row)) for row in rows]
    return sorted(set(found))


def documents(db: sqlite3.Connection, keys: Iterable[Key]) -> list[Any]:
    """The documents of some things, as they stand in the folders."""
    kinds = {noun: kind for kind, noun in _NOUNS.items()}
    sql = "select value from documents where kind = ? and namespace = ? and name = ? and state = 1"
    found = []
    for key in keys:
        place = (kinds[KINDS[key.kind]], *parted(key.name))
        found += [value_of(packed) for (packed,) in db.execute(sql, place).fetchall()]
    return found


def _news(db: sqlite3.Connection, turn: int) -> Iterator[tuple[Key, list[Key] | None]]:
    sql = "select kind, namespace, name from edge_changes where turn > ?"
    moved = db.execute(sql, (turn,)).fetchall()
    for kind, namespace, name in moved:
        row = db.execute(_THING[kind], (namespace, name)).fetchone()
        key = Key(KINDS.index(kind), shown(namespace, name))
        yield key, None if row is None else _used(db, row[0])


def _used(db: sqlite3.Connection, document: int) -> list[Key]:
    sql = "select kind, namespace, name from targets where document = ?"
    return [Key(KINDS.index(row[0]), shown(*row[1:])) for row in db.execute(sql, (document,))]


def _all(db: sqlite3.Connection) -> Adjacency:
    documents = array("q")
    return ranked((_names(db, kind, documents) for kind in KINDS), _rows(db, documents))


def _names(db: sqlite3.Connection, kind: str, documents: "array[int]") -> Iterator[str]:
    """The names of a kind, sorted; their documents are added to those given."""
    for document, namespace, name in db.execute(f"{_THINGS[kind]} {_IN_ORDER}"):
        documents.append(document)
        yield shown(namespace, name)


def _rows(db: sqlite3.Connection, documents: "array[int]") -> Iterator[tuple[int, list[int]]]:
    number_of = array("i", [-1]) * (max(documents, default=0) + 1)
    for number, document in enumerate(documents):
        number_of[document] = number
    for document, pairs in groupby(db.execute(_EDGES), key=itemgetter(0)):
        if document < len(number_of) and number_of[document] >= 0:
            used = {number_of[used] for _, used in pairs if used is not None}
            yield number_of[document], sorted(used)

"""The tables of the search index: what is kept of a workflow, and how it is put in and taken out.

Words are kept as they are compared, without endings. How many workflows have a word is counted
as they come and go, so that what is put in step by step equals what is made anew.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from sys import intern
from typing import Any

from engine.core.discovery.said import FIELDS, Said
from engine.core.discovery.worded import WORTH
from engine.core.discovery.words import pieces
from engine.core.value import value

CREATE = """
create table said (document integer primary key, whole text not null, bare text not null,
  spread text not null, name text not null, lead text not null, rest text not null,
  labels text not null, inputs text not null, about text not null, required integer not null);
create index said_by_whole on said (whole);
create index said_by_bare_name on said (bare);
create index said_by_words_of_name on said (spread);
create virtual table words using fts5(name, lead, rest, labels, inputs, about,
  content='said', content_rowid='document', tokenize='unicode61 remove_diacritics 0');
create table counted (id integer primary key, word text not null unique,
  documents integer not null);
create index counted_gone on counted (id) where documents = 0;
create virtual table spelled using fts5(word, tokenize='trigram');
insert into words (words, rank) values ('usermerge', 2);
insert into spelled (spelled, rank) values ('usermerge', 2);
"""
ALL = ""
"""Counted like a word that every workflow has."""
_MOST_AT_ONCE = 500
_MOST_MERGED = 1_000
"""Pages of an index that are written anew at once: a tenth of a second at the most."""
_FIELDS = ", ".join(FIELDS)
_SAID = f"select document, whole, {_FIELDS}, required from said where document in"  # noqa: S608 - our own names
_INDEX = f"insert into words (rowid, {_FIELDS}) values (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_FORGET = (
    f"insert into words (words, rowid, {_FIELDS})"  # noqa: S608
    f" select 'delete', document, {_FIELDS} from said where document = ?"
)
_WORTH = f"bm25({', '.join(map(str, WORTH))})"
# Without the plus the index is asked anew for each of the numbers.
_AMONG = " and +rowid in (select value from json_each(?))"
_MARKS = 8
"""Lists in statements grow by so many, so that few statements are compiled."""
_SHORTEST_SPELLED = 4
_LONGEST_NAME = 200
"""Letters of a query that can be a name in words: names have 63 at most."""


@contextmanager
def still(db: sqlite3.Connection) -> Iterator[None]:
    """Everything that is asked meanwhile is of one moment, whoever else commits."""
    if db.in_transaction:
        yield
        return
    db.execute("begin")
    try:
        yield
    except BaseException:
        db.rollback()
        raise
    db.execute("commit")


def spread(name: str) -> str:
    """A name as its words, whatever stood between them."""
    return "-".join(pieces(name))


def put(db: sqlite3.Connection, number: int, said: Said, key: tuple[str, str]) -> None:
    """Let a workflow, known by namespace and name, be found by this number."""
    texts = [" ".join(words) for words in said.fields]
    names = f"{key[0]}/{key[1]}".lower(), key[1].lower(), spread(key[1])
    row = (number, *names, *texts, said.required)
    db.execute("insert into said values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    db.execute(_INDEX, (number, *texts))
    _count(db, _vocabulary(said))


def _vocabulary(said: Said) -> list[str]:
    return sorted({ALL}.union(*said.fields))


def _count(db: sqlite3.Connection, words: list[str]) -> None:
    known = counts(db, words)
    db.executemany(
        "update counted set documents = documents + 1 where word = ?", [(word,) for word in known]
    )
    for word in words:
        if word not in known:
            made = db.execute("insert into counted (word, documents) values (?, 1)", (word,))
            if len(word) >= _SHORTEST_SPELLED:
                row = (made.lastrowid, word)
                db.execute("insert into spelled (rowid, word) values (?, ?)", row)


def drop(db: sqlite3.Connection, number: int) -> None:
    """Let it not be found any more."""
    for each in read(db, (number,)):
        _discount(db, _vocabulary(each.said))
        db.execute(_FORGET, (number,))
        db.execute("delete from said where document = ?", (number,))


def _discount(db: sqlite3.Connection, words: list[str]) -> None:
    db.executemany(
        "update counted set documents = documents - 1 where word = ?", [(word,) for word in words]
    )
    gone = db.execute("select id from counted where documents = 0").fetchall()
    for table, column in (("spelled", "rowid"), ("counted", "id")):
        db.executemany(f"delete from {table} where {column} = ?", gone)  # noqa: S608 - our own names


def merge(db: sqlite3.Connection) -> None:
    """Put together the pieces that an index grew by: a word is looked up in each of them."""
    for index in ("words", "spelled"):
        sql = f"insert into {index} ({index}, rank) values ('merge', ?)"  # noqa: S608 - our own names
        db.execute(sql, (_MOST_MERGED,))


@value
class Read:
    """What is read of a workflow: its number, its full name, its words."""

    number: int
    name: str
    said: Said


def read(db: sqlite3.Connection, numbers: Iterable[int]) -> Iterator[Read]:
    """What is kept of workflows, by their numbers."""
    wanted = iter(numbers)
    while some := list(islice(wanted, _MOST_AT_ONCE)):
        yield from map(_read, db.execute(f"{_SAID} ({_marks(some)})", _filled(some)))


def _read(row: tuple[Any, ...]) -> Read:
    number, whole, name, lead, rest, labels, inputs, about, required = row
    said = Said(
        tuple(map(intern, name.split())),
        tuple(map(intern, lead.split())),
        tuple(map(intern, rest.split())),
        tuple(map(intern, labels.split())),
        tuple(map(intern, inputs.split())),
        tuple(map(intern, about.split())),
        required,
    )
    return Read(number, whole, said)


def matching(
    db: sqlite3.Connection, match: str, most: int, among: Collection[int] | None
) -> list[int]:
    """The workflows that fit a match of the index best, only those in `among`."""
    if not match:
        return []
    within = [] if among is None else [json.dumps(sorted(among))]
    # Ordered by the index itself: any other order would read the words of every row that matches.
    sql = (
        "select rowid from words where words match ? and rank match ?"  # noqa: S608 - our own names
        f"{_AMONG if within else ''} order by rank limit ?"
    )
    return [number for (number,) in db.execute(sql, (match, _WORTH, *within, most))]


def counts(db: sqlite3.Connection, words: Iterable[str]) -> dict[str, int]:
    """How many workflows have each of these words; those that none has are left out."""
    wanted = list(words)
    sql = f"select word, documents from counted where word in ({_marks(wanted)})"  # noqa: S608
    return dict(db.execute(sql, _filled(wanted)))


def common(db: sqlite3.Connection, least: int, most: int) -> dict[str, int]:
    """The words that at least so many workflows have, the most common ones first."""
    sql = "select word, documents from counted where documents >= ? order by 2 desc limit ?"
    return dict(db.execute(sql, (least, most)))


def named(db: sqlite3.Connection, query: str) -> list[int]:
    """The workflows that have a query as their name, or as namespace and name; sorted by these."""
    name = query.strip().lower()
    sql = "select document from said where whole = ? or bare = ? order by whole"
    return [row[0] for row in db.execute(sql, (name, name))]


def spelled_out(db: sqlite3.Connection, query: str) -> list[int]:
    """The workflows whose name has the words of a query; sorted by their names."""
    words = spread(query) if len(query) <= _LONGEST_NAME else ""
    sql = "select document from said where spread = ? and spread <> '' order by whole"
    return [row[0] for row in db.execute(sql, (words,))]


def _filled(values: list[Any]) -> list[Any]:
    return [*values, *[None] * (-len(values) % _MARKS)]


def _marks(values: list[Any]) -> str:
    return ", ".join("?" * (len(values) + -len(values) % _MARKS))

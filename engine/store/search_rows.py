"""The tables of the search index: what is kept of a workflow, and how it is put in and taken out.

Words are kept as they are compared, without endings. How many workflows have a word is counted
as they come and go, so that what is put in step by step equals what is made anew.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any

from engine.core.discovery.features import WORTH
from engine.core.discovery.said import FIELDS, Said
from engine.core.discovery.words import pieces

CREATE = """
create virtual table words using fts5(name, lead, rest, labels, inputs, about, required unindexed,
  tokenize='unicode61 remove_diacritics 0');
create table counted (id integer primary key, word text not null unique,
  documents integer not null);
create index counted_gone on counted (id) where documents = 0;
create virtual table spelled using fts5(word, tokenize='trigram');
create table named (document integer primary key, whole text not null, name text not null,
  words text not null);
create index named_by_whole on named (whole);
create index named_by_name on named (name);
create index named_by_words on named (words);
"""
ALL = ""
"""Counted like a word that every workflow has."""
_MOST_AT_ONCE = 500
_ROWS = f"select rowid, {', '.join(FIELDS)}, required from words where"  # noqa: S608 - our own names
_WORTH = f"bm25({', '.join(map(str, WORTH))})"
# Without the plus the index is asked anew for each of the numbers.
_AMONG = " and +rowid in (select value from json_each(?))"
_SHORTEST_SPELLED = 4
_LONGEST_NAME = 1_000


def spread(name: str) -> str:
    """A name as its words, whatever stood between them."""
    return "-".join(pieces(name))


def put(db: sqlite3.Connection, number: int, said: Said, key: tuple[str, str]) -> None:
    """Let a workflow, known by namespace and name, be found by this number."""
    row = (number, *(" ".join(words) for words in said.fields), said.required)
    db.execute(
        "insert into words (rowid, name, lead, rest, labels, inputs, about, required)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    name = key[1].lower()
    db.execute(
        "insert into named values (?, ?, ?, ?)",
        (number, f"{key[0]}/{key[1]}".lower(), name, spread(key[1])),
    )
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
    for _, said in rows(db, (number,)):
        _discount(db, _vocabulary(said))
    for table in ("words", "named"):
        db.execute(f"delete from {table} where rowid = ?", (number,))  # noqa: S608 - our own names


def _discount(db: sqlite3.Connection, words: list[str]) -> None:
    db.executemany(
        "update counted set documents = documents - 1 where word = ?", [(word,) for word in words]
    )
    gone = db.execute("select id from counted where documents = 0").fetchall()
    for table, column in (("spelled", "rowid"), ("counted", "id")):
        db.executemany(f"delete from {table} where {column} = ?", gone)  # noqa: S608 - our own names


def rows(db: sqlite3.Connection, numbers: Iterable[int]) -> Iterator[tuple[int, Said]]:
    """The words of workflows, by their numbers."""
    wanted = iter(numbers)
    while some := list(islice(wanted, _MOST_AT_ONCE)):
        yield from map(_row, db.execute(f"{_ROWS} rowid in ({_marks(some)})", some))


def _row(row: tuple[Any, ...]) -> tuple[int, Said]:
    number, name, lead, rest, labels, inputs, about, required = row
    return number, Said(
        tuple(name.split()),
        tuple(lead.split()),
        tuple(rest.split()),
        tuple(labels.split()),
        tuple(inputs.split()),
        tuple(about.split()),
        required,
    )


def matching(
    db: sqlite3.Connection, match: str, most: int, among: Collection[int] | None
) -> Iterator[tuple[int, Said]]:
    """The words of the workflows that fit a match of the index best, only those in `among`."""
    if not match:
        return iter(())
    within = [] if among is None else [json.dumps(sorted(among))]
    # Ordered by the index itself: any other order would read the words of every row that matches.
    sql = f"{_ROWS} words match ? and rank match ?{_AMONG if within else ''} order by rank limit ?"
    return map(_row, db.execute(sql, (match, _WORTH, *within, most)))


def counts(db: sqlite3.Connection, words: Iterable[str]) -> dict[str, int]:
    """How many workflows have each of these words; those that none has are left out."""
    wanted = list(words)
    sql = f"select word, documents from counted where word in ({_marks(wanted)})"  # noqa: S608
    return dict(db.execute(sql, wanted))


def common(db: sqlite3.Connection, least: int, most: int) -> dict[str, int]:
    """The words that at least so many workflows have, the most common ones first."""
    sql = "select word, documents from counted where documents >= ? order by 2 desc limit ?"
    return dict(db.execute(sql, (least, most)))


def names(db: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, str]:
    """The full names of workflows, by their numbers."""
    wanted = list(numbers)
    sql = f"select document, whole from named where document in ({_marks(wanted)})"  # noqa: S608
    return dict(db.execute(sql, wanted))


def named(db: sqlite3.Connection, query: str) -> list[int]:
    """The workflows that have a query as their name, or as namespace and name; sorted by these."""
    name = query.strip().lower()
    sql = "select document from named where whole = ? or name = ? order by whole"
    return [row[0] for row in db.execute(sql, (name, name))]


def spelled_out(db: sqlite3.Connection, query: str) -> list[int]:
    """The workflows whose name has the words of a query; sorted by their names."""
    words = spread(query[:_LONGEST_NAME])
    sql = "select document from named where words = ? and words <> '' order by whole"
    return [row[0] for row in db.execute(sql, (words,))]


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)

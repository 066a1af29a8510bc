"""The neighbours of a workflow or a task in the catalogue, and the labels that they have.

Workflows are found by the search index and by the tasks that they use, tasks by an index of their
own, which is kept with them. Labels are the marks of the papers, so what people have changed
counts. Only what is rare is looked for, so that a catalogue of any size answers at once. What
makes two alike, and what follows from it, is decided in core/discovery.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from engine.core.discovery.features import rarity
from engine.core.discovery.likeness import Item, Rarity, bag, words_of_use
from engine.core.discovery.neighbours import TYPES, Label, Neighbour, Weighings, weighings
from engine.core.discovery.said import lead_and_rest
from engine.core.discovery.words import stems
from engine.core.value import value
from engine.core.views import TaskInfo
from engine.store import search_rows as kept
from engine.store.search_words import wanted

CREATE = """
create virtual table task_words using fts5(name, lead, rest,
  tokenize='unicode61 remove_diacritics 0');
create virtual table task_terms using fts5vocab(task_words, row);
"""
WEIGHTS = Path(__file__).with_name("neighbours.json")
MOST = 100
"""Neighbours that are found by words, and as many by what they use."""
_COMMON = 1_000
"""A task that more workflows use says nothing about which are alike."""
_AT_ONCE = 500
_USUAL = "default/"
_T = TypeVar("_T")


@cache
def shipped() -> Weighings:
    """The weights that are shipped, fitted by tools/fit-neighbours."""
    return weighings(json.loads(WEIGHTS.read_text(encoding="utf-8")))


@value
class Circle:
    """An item with its labels, those that may be like it, and how rare each word is among all."""

    item: Item
    labels: frozenset[Label]
    near: tuple[Neighbour, ...]
    rarity: Rarity


def put_task(db: sqlite3.Connection, document: int, info: TaskInfo) -> None:
    """Let a task be found as a neighbour."""
    drop_task(db, document)
    lead, rest = lead_and_rest(info.description)
    words = stems(info.name, 40, small=True), stems(lead, 60), stems(rest, 300)
    row = (document, *(" ".join(each) for each in words))
    db.execute("insert into task_words (rowid, name, lead, rest) values (?, ?, ?, ?)", row)


def drop_task(db: sqlite3.Connection, document: int) -> None:
    """Let it not be found any more."""
    db.execute("delete from task_words where rowid = ?", (document,))


class Neighbours:
    """The neighbours in one catalogue."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def of(self, thing: str, namespace: str, name: str) -> Circle | None:
        """A `workflow` or `task` with its neighbours; None when no such one is listed."""
        sql = f"select document from {thing}s where namespace = ? and name = ?"  # noqa: S608
        row = self._db.execute(sql, (namespace, name)).fetchone()
        items = {} if row is None else self._items(thing, row)
        if row is None or not items:
            return None
        (document,) = row
        item = items[document]
        words = {word for word in bag(item) if word[0] != "="}
        numbers = self._by_words(thing, words) | self._by_uses(thing, document)
        others = self._items(thing, sorted(numbers - {document}))
        labels = self._labels(thing, (document, *others))
        titles = self._titles(thing, others)
        near = tuple(
            Neighbour(titles[number], each, labels.get(number, frozenset()))
            for number, each in others.items()
        )
        told = self._rarities(thing, (item, *others.values()))
        return Circle(item, labels.get(document, frozenset()), near, told)

    # -- who comes into question ---------------------------------------------------------------

    def _by_words(self, thing: str, words: Iterable[str]) -> set[int]:
        match = wanted(self._counts(thing, words))
        if not match:
            return set()
        table, worth = _TABLES[thing]
        rows = self._db.execute(
            f"select rowid from {table} where {table} match ?"  # noqa: S608 - our own names
            f" order by bm25({table}, {worth}), rowid limit {MOST + 1}",
            (f"{{name lead rest}} : ({match})",),
        )
        return {row[0] for row in rows}

    def _by_uses(self, thing: str, document: int) -> set[int]:
        found: Counter[int] = Counter()
        users_of = (
            "select u.document from targets t"  # noqa: S608 - our own names
            f" join {thing}s u on u.document = t.document"
            " where t.kind = ? and t.namespace = ? and t.name = ? limit ?"
        )
        for key in self._db.execute(_TARGETS, (document,)).fetchall():
            users = self._db.execute(users_of, (*key, _COMMON)).fetchall()
            for (user,) in users if len(users) < _COMMON else ():
                found[user] += 1 / len(users)  # type: ignore[assignment]
        best = sorted(found.items(), key=lambda each: (-each[1], each[0]))
        return {number for number, _ in best[: MOST + 1]}

    # -- what they are -----------------------------------------------------------------------

    def _items(self, thing: str, numbers: Iterable[int]) -> dict[int, Item]:
        table, _ = _TABLES[thing]
        found = {}
        for some in _chunks(numbers):
            sql = f"select rowid, name, lead, rest from {table} where rowid in ({_marks(some)})"  # noqa: S608
            for number, *texts in self._db.execute(sql, some).fetchall():
                name, lead, rest = (tuple(text.split()) for text in texts)
                found[number] = Item(name, lead, rest, self._uses(number))
        return found

    def _uses(self, document: int) -> tuple[str, ...]:
        return tuple("/".join(row) for row in self._db.execute(_TARGETS, (document,)))

    def _labels(self, thing: str, numbers: Iterable[int]) -> dict[int, frozenset[Label]]:
        found: dict[int, set[Label]] = {}
        kinds = {f"{thing}.{kind}": kind for kind in TYPES}
        for some in _chunks(numbers):
            sql = f"select document, kind, label from marks where document in ({_marks(some)})"  # noqa: S608
            for number, kind, label in self._db.execute(sql, some):
                if kind in kinds:
                    found.setdefault(number, set()).add((kinds[kind], label))
        return {number: frozenset(labels) for number, labels in found.items()}

    def _titles(self, thing: str, numbers: Iterable[int]) -> dict[int, str]:
        found = {}
        for some in _chunks(numbers):
            sql = (
                f"select document, namespace, name from {thing}s where document in ({_marks(some)})"  # noqa: S608
            )
            for number, namespace, name in self._db.execute(sql, some):
                found[number] = f"{namespace}/{name}".removeprefix(_USUAL)
        return found

    # -- how rare what they say is ---------------------------------------------------------------

    def _counts(self, thing: str, words: Iterable[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for some in _chunks(sorted(words)):
            if thing == "workflow":
                found |= kept.counts(self._db, some)
            else:
                sql = f"select term, doc from task_terms where term in ({_marks(some)})"  # noqa: S608
                found |= dict(self._db.execute(sql, some).fetchall())
        return found

    def _rarities(self, thing: str, items: Iterable[Item]) -> Rarity:
        """How much each word and use of these tells. In how many names of what is used a word
        stands is not counted anywhere, so it is as common there as it is among these."""
        several = list(items)
        (whole,) = self._db.execute(f"select count(*) from {thing}s").fetchone()  # noqa: S608
        share = whole / len(several)
        named = Counter(
            word
            for item in several
            for word in {word for use in item.uses for word in words_of_use(use)}
        )
        here = {word for item in several for word in bag(item)}
        counts = self._counts(thing, (word for word in here if word[0] != "="))
        counts |= {word: self._users(word[1:]) for word in here if word[0] == "="}
        told: Mapping[str, float] = {
            word: rarity(whole, min(whole, max(1, counts.get(word, 0), round(named[word] * share))))
            for word in here
        }
        return told.__getitem__

    def _users(self, use: str) -> int:
        return int(self._db.execute(_COUNTED, tuple(use.split("/", 2))).fetchone()[0])


_TABLES: Mapping[str, tuple[str, str]] = {
    "workflow": ("words", "4.0, 2.5, 1.0, 0.0, 0.0, 0.0"),
    "task": ("task_words", "4.0, 2.5, 1.0"),
}
_TARGETS = (
    "select distinct kind, namespace, name from targets where document = ?"
    " order by kind, namespace, name"
)
_COUNTED = (
    "select count(distinct document) from targets where kind = ? and namespace = ? and name = ?"
)


def _chunks(values: Iterable[_T]) -> Iterable[list[_T]]:
    every = list(values)
    return (every[at : at + _AT_ONCE] for at in range(0, len(every), _AT_ONCE))


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)

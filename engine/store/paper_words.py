"""The words of labels over a whole catalogue: how many things have each, and since when."""

import sqlite3

from engine.core.labels.change import Item, Labels
from engine.core.labels.filter import Filter
from engine.core.value import value
from engine.store.filtering import Filtering
from engine.store.paper_rows import info_of, labels_of, task_info_of

_THINGS = ("workflow", "task")
_SAYS = {
    "workflow": "select i.info from workflows w join infos i on i.digest = w.shown"
    " where w.namespace = ? and w.name = ?",
    "task": "select info from tasks where namespace = ? and name = ?",
}
_COUNTED = (
    "select kind, word, label, documents from spellings"
    " where kind in ('workflow.tag', 'workflow.category', 'task.tag', 'task.category')"
    " order by kind, word, documents desc, label"
)
_SPELLED = (
    "select label, sum(documents) from spellings where kind in (?, ?) group by label order by label"
)
_LAST = "select max(at) from marks where kind = ? and word = ?"
_MARKED = "select count(distinct document) from marks where kind in (?, ?)"


@value
class Word:
    """A label as it is compared, in its most used spelling, and how many things have it."""

    type: str
    word: str
    label: str
    workflows: int
    tasks: int


class Words:
    """What papers know of labels; `lists` are those whose filters are kept."""

    def __init__(self, db: sqlite3.Connection, workflows: Filtering, tasks: Filtering) -> None:
        self._db, self._lists = db, {"workflow": workflows, "task": tasks}

    def says(self, item: Item) -> Labels | None:
        """The labels in a thing's document; None when there is no such thing."""
        row = self._db.execute(_SAYS[item.thing], (item.namespace, item.name)).fetchone()
        if row is None:
            return None
        task = item.thing == "task"
        return labels_of(task_info_of(row[0], ()) if task else info_of(row[0]))

    def counted(self) -> list[Word]:
        """Every label that something has."""
        counts: dict[tuple[str, str], dict[str, int]] = {}
        labels: dict[tuple[str, str], tuple[int, str]] = {}
        for kind, word, label, documents in self._db.execute(_COUNTED):
            thing, _, form = kind.partition(".")
            key = (form, word)
            here = counts.setdefault(key, dict.fromkeys(_THINGS, 0))
            here[thing] += documents
            labels[key] = min(labels.get(key, (1, "")), (-documents, label))
        return [
            Word(form, word, labels[form, word][1], here["workflow"], here["task"])
            for (form, word), here in counts.items()
        ]

    def spelled(self, form: str) -> list[tuple[str, int]]:
        """Every spelling of labels of a type, and how many things have it."""
        return self._db.execute(_SPELLED, [f"{thing}.{form}" for thing in _THINGS]).fetchall()

    def last_used(self, form: str, word: str) -> int:
        """When something last came to have a label, in microseconds; 0 when nobody knows."""
        rows = [
            self._db.execute(_LAST, (f"{thing}.{form}", word)).fetchone()[0] for thing in _THINGS
        ]
        return max(at or 0 for at in rows)

    def coverage(self) -> tuple[tuple[str, int, int, int, int], ...]:
        """For workflows and tasks: how many, with a tag, with a category, with any of both."""
        return tuple(self._covered(thing) for thing in _THINGS)

    def _covered(self, thing: str) -> tuple[str, int, int, int, int]:
        tag, category = f"{thing}.tag", f"{thing}.category"
        tagged, sorted_in, both = (
            self._db.execute(_MARKED, kinds).fetchone()[0]
            for kinds in ((tag, tag), (category, category), (tag, category))
        )
        total = len(self._lists[thing].fits(Filter()))
        return thing, total, tagged, sorted_in, both

    def needing(
        self,
        thing: str,
        wanted: Filter,
        add: list[tuple[str, str]],
        remove: list[tuple[str, str]],
        most: int,
    ) -> tuple[list[Item], int]:
        """Things of a filter that lack a label or have one too many, and how many there are."""
        fits = self._lists[thing].needing(wanted, add, remove)
        sql = f"select namespace, name from {thing}s where document = ?"  # noqa: S608 - our own names
        found: list[Item] = []
        for document in fits.behind(0):
            if len(found) == most:
                break
            found.append(Item(thing, *self._db.execute(sql, (document,)).fetchone()))
        return found, len(fits)

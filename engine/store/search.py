"""Full-text search over the catalogue: an FTS5 index beside the documents it was made from.

It follows from the catalogue alone, so it is the same whatever database holds the journal. Two
indexes are asked: words by their stem (porter) and pieces of words (trigram); an exact name
beats both. A query is plain words: none of its characters has a meaning to the index.
"""

import re
import sqlite3
from collections.abc import Callable, Collection, Iterable

from engine.core.found import Found, Hit
from engine.core.views import WorkflowInfo
from engine.store.vectors import Vectors

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOST_WORDS = 32
_COMMON = (
    "a an and are at by can do for from get give i in is it me my of on or please show tell the"
    " this that to want what which with you"
)
_STOP = frozenset(_COMMON.split())

CREATE = """
create virtual table words using fts5(name, title, tags, inputs, tokenize='porter unicode61');
create virtual table pieces using fts5(name, title, tokenize='trigram');
create table named (document integer primary key, whole text not null, name text not null,
  words text not null);
create index named_by_whole on named (whole);
create index named_by_name on named (name);
create index named_by_words on named (words);
"""
_WEIGHTS = "8.0, 3.0, 4.0, 1.5"


class Index:
    """The search index of a catalogue. `load` gives what is shown of a number that was put in."""

    def __init__(
        self,
        db: sqlite3.Connection,
        load: Callable[[int], WorkflowInfo | None],
        vectors: Vectors | None = None,
    ) -> None:
        self._db, self._load, self._vectors = db, load, vectors

    def put(self, number: int, info: WorkflowInfo) -> None:
        """Let a workflow be found by this number."""
        texts = _texts(info)
        self._db.execute(
            "insert into words (rowid, name, title, tags, inputs) values (?, ?, ?, ?, ?)",
            (number, *texts),
        )
        self._db.execute(
            "insert into pieces (rowid, name, title) values (?, ?, ?)", (number, *texts[:2])
        )
        name = info.name.lower()
        row = (number, f"{info.namespace}/{info.name}".lower(), name)
        spread = "-".join(_words(info.name, keep=True))
        self._db.execute("insert into named values (?, ?, ?, ?)", (*row, spread))
        if self._vectors is not None:
            self._vectors.put(number, info)

    def drop(self, number: int) -> None:
        """Let it not be found any more."""
        for table in ("words", "pieces", "named"):
            self._db.execute(f"delete from {table} where rowid = ?", (number,))  # noqa: S608 - our own names
        if self._vectors is not None:
            self._vectors.drop(number)

    def search(self, query: str, limit: int, among: Collection[int] | None = None) -> Found:
        """The best hits, best first. Scores are in (0, 1]; 1 is an exact name.

        `among` are the numbers that may be found, None for all.
        """
        words = _words(query)
        if not words:
            return Found()
        scores: dict[int, tuple[float, str]] = {}
        infos: dict[int, WorkflowInfo] = {}
        self._stems(words, limit, scores, infos)
        self._trigrams(words, limit, scores)
        self._names(query, words, scores)
        hits = [
            Hit(info, round(score, 3), why)
            for number, (score, why) in scores.items()
            if (among is None or number in among)
            and (info := infos.get(number) or self._load(number)) is not None
        ]
        hits.sort(key=lambda hit: (-hit.score, hit.info.namespace, hit.info.name))
        return Found(tuple(hits[:limit]), good=bool(hits))

    def _stems(
        self,
        words: list[str],
        limit: int,
        scores: dict[int, tuple[float, str]],
        infos: dict[int, WorkflowInfo],
    ) -> None:
        match = " OR ".join(f'"{word}"' for word in words)
        for number, rank in self._ranked("words", match, limit, f", {_WEIGHTS}"):
            info = self._load(number)
            if info is not None:
                infos[number] = info
                score = 0.35 + 0.4 * _covered(info, words) + 0.1 * rank
                scores[number] = (score, "words in name, text or tags")

    def _trigrams(self, words: list[str], limit: int, scores: dict[int, tuple[float, str]]) -> None:
        match = " OR ".join(f'"{word}"' for word in words if len(word) >= 3)
        for number, rank in self._ranked("pieces", match, limit, "") if match else ():
            if number not in scores:
                scores[number] = (0.2 + 0.2 * rank, "parts of words")

    def _ranked(
        self, table: str, match: str, limit: int, weights: str
    ) -> Iterable[tuple[int, float]]:
        rows = self._db.execute(
            f"select rowid, -bm25({table}{weights}) from {table} where {table} match ?"  # noqa: S608 - our own names
            " order by 2 desc limit ?",
            (match, max(limit * 3, 30)),
        ).fetchall()
        top = max((score for _, score in rows), default=0.0) or 1.0
        return [(number, max(score, 0.0) / top) for number, score in rows]

    def _names(self, query: str, words: list[str], scores: dict[int, tuple[float, str]]) -> None:
        sql = "select document from named where words = ?"
        for (number,) in self._db.execute(sql, ("-".join(words),)):
            scores[number] = (0.95, "name")
        asked = query.strip().lower()
        for (number,) in self._db.execute(_EXACT, (asked, asked)):
            scores[number] = (1.0, "exact name")


_EXACT = (
    "select document from named where whole = ? union select document from named where name = ?"
)


def _covered(info: WorkflowInfo, words: list[str]) -> float:
    text = " ".join(_texts(info)).lower()
    return sum(_stem(word) in text for word in words) / len(words)


def _words(text: str, *, keep: bool = False) -> list[str]:
    spread = _HUMP.sub(" ", text[:1000])
    words = [word.lower() for word in _WORD.findall(spread)][:_MOST_WORDS]
    kept = [word for word in words if keep or word not in _STOP]
    return kept or words


def _stem(word: str) -> str:
    return word[: max(3, len(word) - 2)] if len(word) > 4 else word.rstrip("s")


def _texts(info: WorkflowInfo) -> tuple[str, str, str, str]:
    name = f"{info.name} {' '.join(_words(info.name, keep=True))}"
    inputs = " ".join(f"{' '.join(_words(f.name, keep=True))} {f.description}" for f in info.inputs)
    return name, info.description, " ".join((*info.tags, *info.categories)), inputs

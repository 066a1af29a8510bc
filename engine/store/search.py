"""Full-text search over the catalogue: an FTS5 index in memory, filled when the catalogue moves.

It is derived from the catalogue alone, so it belongs to no database file and is the same
whatever database holds the journal. Two indexes are asked: words by their stem (porter) and
pieces of words (trigram); an exact name beats both. A query is plain words: none of its
characters has a meaning to the index.
"""

import re
import sqlite3
from collections.abc import Iterable

from engine.core.views import Hit, WorkflowInfo

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOST_WORDS = 32
_COMMON = (
    "a an and are at by can do for from get give i in is it me my of on or please show tell the"
    " this that to want what which with you"
)
_STOP = frozenset(_COMMON.split())

_CREATE = """
create virtual table words using fts5(name, title, tags, inputs, tokenize='porter unicode61');
create virtual table pieces using fts5(name, title, tokenize='trigram');
"""
_WEIGHTS = "8.0, 3.0, 4.0, 1.5"


class Index:
    """The search index of one process."""

    def __init__(self) -> None:
        self._infos: list[WorkflowInfo] = []
        self._db: sqlite3.Connection | None = None

    def fill(self, infos: Iterable[WorkflowInfo]) -> None:
        """Forget everything and index `infos`."""
        if self._db is not None:
            self._db.close()
        self._infos = list(infos)
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.executescript(_CREATE)
        rows = [(number, *_texts(info)) for number, info in enumerate(self._infos)]
        self._db.executemany(
            "insert into words (rowid, name, title, tags, inputs) values (?, ?, ?, ?, ?)", rows
        )
        self._db.executemany(
            "insert into pieces (rowid, name, title) values (?, ?, ?)", [row[:3] for row in rows]
        )

    def search(self, query: str, limit: int) -> tuple[Hit, ...]:
        """The best hits, best first. Scores are in (0, 1]; 1 is an exact name."""
        words = _words(query)
        if not words or self._db is None:
            return ()
        scores: dict[int, tuple[float, str]] = {}
        self._stems(words, limit, scores)
        self._trigrams(words, limit, scores)
        self._names(query, words, scores)
        best = sorted(scores.items(), key=lambda item: (-item[1][0], item[0]))[:limit]
        return tuple(Hit(self._infos[n], round(score, 3), why) for n, (score, why) in best)

    def _stems(self, words: list[str], limit: int, scores: dict[int, tuple[float, str]]) -> None:
        match = " OR ".join(f'"{word}"' for word in words)
        for number, rank in self._ranked("words", match, limit, f", {_WEIGHTS}"):
            covered = self._covered(number, words)
            scores[number] = (0.35 + 0.4 * covered + 0.1 * rank, "words in name, text or tags")

    def _trigrams(self, words: list[str], limit: int, scores: dict[int, tuple[float, str]]) -> None:
        match = " OR ".join(f'"{word}"' for word in words if len(word) >= 3)
        for number, rank in self._ranked("pieces", match, limit, "") if match else ():
            if number not in scores:
                scores[number] = (0.2 + 0.2 * rank, "parts of words")

    def _ranked(
        self, table: str, match: str, limit: int, weights: str
    ) -> Iterable[tuple[int, float]]:
        assert self._db is not None
        rows = self._db.execute(
            f"select rowid, -bm25({table}{weights}) from {table} where {table} match ?"  # noqa: S608 - our own names
            " order by 2 desc limit ?",
            (match, max(limit * 3, 30)),
        ).fetchall()
        top = max((score for _, score in rows), default=0.0) or 1.0
        return [(number, max(score, 0.0) / top) for number, score in rows]

    def _covered(self, number: int, words: list[str]) -> float:
        text = " ".join(_texts(self._infos[number])).lower()
        return sum(_stem(word) in text for word in words) / len(words)

    def _names(self, query: str, words: list[str], scores: dict[int, tuple[float, str]]) -> None:
        asked = "-".join(words)
        for number, info in enumerate(self._infos if len(self._infos) <= 2_000 else ()):
            name = "-".join(_words(info.name, keep=True))
            if query.strip().lower() in (
                info.name.lower(),
                f"{info.namespace}/{info.name}".lower(),
            ):
                scores[number] = (1.0, "exact name")
            elif name == asked:
                scores[number] = (0.95, "name")


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

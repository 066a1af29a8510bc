"""Full-text search over the catalogue: an FTS5 index beside the documents it was made from.

It follows from the catalogue alone, so it is the same whatever database holds the journal. The
words without endings say which workflows come into question, and vectors, where there are any,
which others; a learned score says which of them is meant, and how sure that is. An exact name
beats it. A query is plain words: none of its characters has a meaning to the index.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from heapq import nlargest
from itertools import chain, islice
from pathlib import Path

from engine.core.discovery import rank
from engine.core.discovery.features import FEATURES, features, fit
from engine.core.discovery.rank import Answer, Weights
from engine.core.discovery.said import said
from engine.core.discovery.words import Asked, asked
from engine.core.found import Found, Hit
from engine.core.value import value
from engine.core.views import WorkflowInfo
from engine.store import search_rows as kept
from engine.store.search_recent import Recent
from engine.store.search_words import Vocabulary, most_rows, wanted
from engine.store.vectors import CREATE as VECTORS
from engine.store.vectors import Cosines, Source, Vectors

CREATE = kept.CREATE + VECTORS
WEIGHTS = Path(__file__).with_name("ranker.json")
POOL = 40
"""Workflows whose words are read."""
CLOSELY = 24
"""Of these, the ones that are looked at one by one: those that the words fit best."""
NEAREST = 10
"""Workflows that come into question because they are nearest in meaning."""
_EXACT = (1.0, "exact name")
_SPELLED = (0.995, "name")
_MOST = 0.99
_SAID, _MEANT = "words in name, text or tags", "near in meaning"


@cache
def shipped() -> Mapping[str, Weights]:
    """The sets of weights that are shipped, fitted by tools/fit-ranker."""
    return rank.sets(json.loads(WEIGHTS.read_text(encoding="utf-8")))


@value
class Ranking:
    """How a process ranks: by which vectors, if any, and by which weights if not the shipped."""

    source: Source | None = None
    weights: Mapping[str, Weights] | None = None

    @property
    def encoder(self) -> str:
        """The name of what made the vectors, empty without any."""
        return self.source.name if self.source else ""

    @property
    def sets(self) -> Mapping[str, Weights]:
        """The weights."""
        return shipped() if self.weights is None else self.weights


PLAIN = Ranking()
"""By words alone, with the shipped weights."""


@value
class Candidate:
    """A workflow that comes into question: its number, its full name, its features."""

    number: int
    name: str
    row: list[float]


@value
class Pool:
    """What comes into question, out of so many workflows; `asked` is the query as it was mended.

    `kind` names the set of weights that has their features; the first `by_words` of them come
    into question by their words, the others by their meaning alone.
    """

    asked: Asked
    documents: int
    candidates: list[Candidate]
    by_words: int
    kind: str = "lexical"

    def in_words(self) -> "Pool":
        """The same without any meaning."""
        listed = [
            Candidate(each.number, each.name, each.row[: len(FEATURES)])
            for each in self.candidates[: self.by_words]
        ]
        return Pool(self.asked, self.documents, listed, self.by_words)

    def answer(self, made: Weights) -> Answer:
        """The candidates in order, by their places."""
        names = [each.name for each in self.candidates]
        rows = [each.row for each in self.candidates]
        return rank.answer(made, self.asked, self.documents, names, rows)


class Index:
    """The search index of a catalogue. `load` gives what is shown of a number that was put in."""

    def __init__(
        self,
        db: sqlite3.Connection,
        load: Callable[[int], WorkflowInfo | None],
        ranking: Ranking = PLAIN,
    ) -> None:
        self._db, self._load, self._ranking = db, load, ranking
        self._vectors = Vectors(db, ranking.source) if ranking.source else None
        self._vocabulary, self._recent = Vocabulary(db), Recent(db)

    def put(self, number: int, info: WorkflowInfo) -> None:
        """Let a workflow be found by this number."""
        kept.put(self._db, number, said(info), (info.namespace, info.name))
        if self._vectors is not None:
            self._vectors.put(number, info)

    def drop(self, number: int) -> None:
        """Let it not be found any more."""
        kept.drop(self._db, number)
        if self._vectors is not None:
            self._vectors.drop(number)

    def merge(self) -> None:
        """Make it quick to search, once everything was put in."""
        kept.merge(self._db)

    def search(self, query: str, limit: int, among: Collection[int] | None = None) -> Found:
        """The best hits, best first. Scores are in (0, 1]; 1 is an exact name.

        `among` are the numbers that may be found, None for all.
        """
        with kept.still(self._db):
            return self._search(query, limit, among)

    def _search(self, query: str, limit: int, among: Collection[int] | None) -> Found:
        pool, sets = self.pool(query, among), self._ranking.sets
        pool = pool if pool.kind in sets else pool.in_words()
        made = sets[pool.kind]
        answer = pool.answer(made)
        named = self._named(query, among)
        ranked = _ranked(pool, made, answer, {number for number, _ in named})
        hits = tuple(islice(self._hits(chain(named, ranked)), limit))
        if named:
            close = [number for number, _ in named[1:]]
            sure = rank.CHOICE if close else rank.NAMED if named[0][1] is _SPELLED else 1.0
            return Found(hits, sure, self._full(close), good=bool(hits))
        close = [pool.candidates[at].number for at in answer.close]
        good = answer.confidence >= made.floor and any(h.score >= made.least for h in hits[:1])
        sure = answer.confidence if good else min(rank.CHOICE, answer.confidence)
        return Found(hits, sure, self._full(close), good)

    def pool(self, query: str, among: Collection[int] | None = None) -> Pool:
        """What comes into question, with its features."""
        with kept.still(self._db):
            return self._pool(query, among)

    def _pool(self, query: str, among: Collection[int] | None) -> Pool:
        weighed, counts = self._vocabulary.weighed(asked(query))
        common = self._vocabulary.common()
        match = wanted(counts, most_rows(common.documents))
        numbers = kept.matching(self._db, match, POOL, among)
        known = self._recent.known(numbers, common)
        found = [(fit(weighed, each.worded), each) for each in known]
        found = nlargest(CLOSELY, found, key=lambda each: (each[0].text, -each[1].number))
        best, by_words = found[0][0].text if found else 0.0, len(found)
        near = self._vectors.cosines(query) if self._vectors and weighed.asked.words else None
        if near is not None:
            more = set(near.top(NEAREST, among)).difference(each.number for _, each in found)
            known = self._recent.known(sorted(more), common)
            found += [(fit(weighed, each.worded), each) for each in known]
        candidates = [
            Candidate(
                each.number, each.name, features(weighed, each.worded, how, each.lasting, best)
            )
            for how, each in found
        ]
        pool = Pool(weighed.asked, common.documents, candidates, by_words)
        return pool if near is None else _with_meaning(pool, near)

    def fill(self, large: bool) -> None:
        """Encode what is not encoded yet, unless that can wait for a search."""
        if self._vectors is not None and (large or self._vectors.awake):
            self._vectors.fill()

    def _named(
        self, query: str, among: Collection[int] | None
    ) -> list[tuple[int, tuple[float, str]]]:
        """The workflows whose name the query is, or else spells out in words."""
        for numbers, reason in (
            (kept.named(self._db, query), _EXACT),
            (kept.spelled_out(self._db, query), _SPELLED),
        ):
            if found := [(n, reason) for n in numbers if among is None or n in among]:
                return found
        return []

    def _hits(self, found: Iterable[tuple[int, tuple[float, str]]]) -> Iterable[Hit]:
        for number, (score, why) in found:
            if (info := self._load(number)) is not None:
                yield Hit(info, score, why)

    def _full(self, numbers: list[int]) -> tuple[str, ...]:
        infos = map(self._load, numbers)
        return tuple(f"{info.namespace}/{info.name}" for info in infos if info is not None)


def _ranked(
    pool: Pool, made: Weights, answer: Answer, named: Collection[int]
) -> Iterator[tuple[int, tuple[float, str]]]:
    """The candidates but for those that are named, best first, each with its score and why."""
    for at, scored in zip(answer.order, answer.scores, strict=True):
        one = pool.candidates[at]
        if one.number not in named:
            shown = min(_MOST, max(0.001, round(rank.shown(made, scored), 3)))
            yield one.number, (shown, _SAID if one.row[0] else _MEANT)


def _with_meaning(pool: Pool, near: Cosines) -> Pool:
    cosines = near.of([each.number for each in pool.candidates])
    best = max(cosines, default=0.0)
    for each, cosine in zip(pool.candidates, cosines, strict=True):
        each.row.extend((cosine, cosine - best))
    return replace(pool, kind="semantic")


def in_memory(infos: Iterable[WorkflowInfo], ranking: Ranking = PLAIN) -> Index:
    """An index of its own over these workflows, each found by its place among them."""
    listed = list(infos)
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.executescript(CREATE)
    db.execute("begin")
    index = Index(db, listed.__getitem__, ranking)
    for number, info in enumerate(listed):
        index.put(number, info)
    index.merge()
    db.execute("commit")
    return index

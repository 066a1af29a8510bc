"""The words of the catalogue as a query meets them: how rare each is, and which are looked for.

Words that no workflow has are mended by pieces of words (trigram): one slip of the pen, a word
that was cut off, two written as one.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import chain, repeat

from engine.core.discovery.features import Weighed, rarity, weighed
from engine.core.discovery.spelling import LEAST, MOST, cuts, halves, joined, nearest, parted
from engine.core.discovery.words import Asked
from engine.store import search_rows as kept

MOST_ROWS = 3_000
"""Rows that the index ranks: the rarest words are looked for until they have so many."""
_FEWEST_ROWS = 400
_ROWS_OF_ALL = 3
_MOST_COMMON = 20_000
_EXACT = 2_000
"""Up to so many workflows the rarity of each word is exact; of more, rare words are as rare as
the rarest common one."""
_MOST_MENDED = 6
MOST_KNOWN = 24
"""Words of a query that the catalogue has: of more, the rarest say enough."""
_MOST_ALIKE = 200


class Rarities(dict[str, float]):
    """How rare each of the words is that many workflows have; any other is as rare as `rarest`."""

    def __init__(self, documents: int, least: int, counts: Mapping[str, int]) -> None:
        super().__init__((word, rarity(documents, count)) for word, count in counts.items())
        self.documents, self.rarest = documents, rarity(documents, least)

    def of(self, words: Iterable[str]) -> Iterable[float]:
        """How rare each of these words is."""
        return map(self.get, words, repeat(self.rarest))


class Vocabulary:
    """The words of an index. Kept common ones are read again when the database has changed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._common: tuple[tuple[int, int], Rarities] | None = None

    def weighed(self, question: Asked) -> tuple[Weighed, dict[str, int]]:
        """A question, mended, with how rare its words are and how many workflows have each."""
        common = self.common()
        words = list(dict.fromkeys(question.words))
        extra = joined(question.words)
        counts = kept.counts(self._db, chain(words, extra))
        mended = self._mended(question, counts)
        if mended is not question:
            counts |= kept.counts(self._db, set(mended.words).difference(words))
        mended, counts = _telling(mended, counts)
        every = [*dict.fromkeys(mended.words), *(word for word in extra if word in counts)]
        rarities = {word: rarity(common.documents, counts.get(word, 0)) for word in every}
        return weighed(mended, rarities, counts), counts

    def common(self) -> Rarities:
        """What is common now."""
        (others,) = self._db.execute("pragma data_version").fetchone()
        state = others, self._db.total_changes
        if self._common is None or self._common[0] != state:
            documents = kept.counts(self._db, [kept.ALL]).get(kept.ALL, 0)
            least = max(1, documents // _EXACT)
            counts = kept.common(self._db, least + 1, _MOST_COMMON)
            self._common = state, Rarities(documents, least, counts)
        return self._common[1]

    def _mended(self, question: Asked, counts: Collection[str]) -> Asked:
        unknown = [
            word
            for word in dict.fromkeys(question.words)
            if word not in counts and LEAST <= len(word) <= MOST and word.isalpha()
        ]
        better = {word: found for word in unknown[:_MOST_MENDED] if (found := self._instead(word))}
        if not better:
            return question
        words = chain.from_iterable(better.get(word, (word,)) for word in question.words)
        parts = (
            frozenset(chain.from_iterable(better.get(word, (word,)) for word in part))
            for part in question.parts
        )
        return replace(question, words=tuple(words), parts=tuple(parts))

    def _instead(self, word: str) -> tuple[str, ...]:
        if near := nearest(word, self._alike(word)):
            return (near,)
        return parted(word, kept.counts(self._db, set(chain.from_iterable(cuts(word)))))

    def _alike(self, word: str) -> list[str]:
        match = " OR ".join(f'"{half}"' for half in halves(word))
        sql = "select word from spelled where spelled match ? limit ?"
        return [row[0] for row in self._db.execute(sql, (match, _MOST_ALIKE))]


def _telling(question: Asked, counts: dict[str, int]) -> tuple[Asked, dict[str, int]]:
    """A question without the words that say least, if it has many."""
    if len(counts) <= MOST_KNOWN:
        return question, counts
    kept = sorted(counts, key=lambda word: (counts[word], word))[:MOST_KNOWN]
    left = set(counts).difference(kept)
    words = tuple(word for word in question.words if word not in left)
    parts = tuple(rest for part in question.parts if (rest := part - left))
    return replace(question, words=words, parts=parts), {word: counts[word] for word in kept}


def most_rows(documents: int) -> int:
    """How many rows the index ranks for a search among so many workflows.

    >>> most_rows(50), most_rows(6_000), most_rows(100_000)
    (400, 2000, 3000)
    """
    return min(MOST_ROWS, max(_FEWEST_ROWS, documents // _ROWS_OF_ALL))


def wanted(counts: dict[str, int], most: int = MOST_ROWS) -> str:
    """What to ask the index for: the rarest of these words, as many as it ranks in time."""
    chosen, rows = list[str](), 0
    for word in sorted(counts, key=lambda word: (counts[word], word)):
        if chosen and rows + counts[word] > most:
            break
        chosen.append(word)
        rows += counts[word]
    return " OR ".join(f'"{word}"' for word in chosen)

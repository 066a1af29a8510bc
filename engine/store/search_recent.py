"""What was read of workflows in the last searches, so that the next one need not read it again.

It is true of one state of the database. Of any other nothing is kept, whoever made it, this
process or another; and never more than some words. Which workflows are looked for is not known
here.
"""

import sqlite3
from collections.abc import Collection

from engine.core.discovery.features import Lasting, lasting
from engine.core.discovery.worded import worded
from engine.store import search_rows as kept
from engine.store.search_words import Rarities

MOST_WORDS = 60_000
"""That are kept: those of some thousand workflows, in two or three megabytes."""
_LEAST = 20
"""Words that a workflow counts for at least: it takes room even without any."""


class Known:
    """A workflow: its number, its full name, its words, and what lasts of its numbers."""

    __slots__ = ("_common", "_lasting", "name", "number", "worded")

    def __init__(self, read: kept.Read, common: Rarities) -> None:
        self.number, self.name, self.worded = read.number, read.name, worded(read.said)
        self._common = common
        self._lasting: Lasting | None = None

    @property
    def lasting(self) -> Lasting:
        """Computed when it is first asked for."""
        if self._lasting is None:
            self._lasting = lasting(self.worded, self._common.of(self.worded.words))
        return self._lasting


class Recent:
    """What is known of the workflows in one database; `words` are kept, never more than `most`."""

    def __init__(self, db: sqlite3.Connection, most: int = MOST_WORDS) -> None:
        self._db, self._most = db, most
        self._of: Rarities | None = None
        self._known = dict[int, Known]()
        self.words = 0

    def known(self, numbers: Collection[int], common: Rarities) -> list[Known]:
        """What is known of some numbers, in their order; of a number that nobody has, nothing.

        `common` are the rarities of words in the database as it is now.
        """
        if self._of is not common:
            self._forget()
            self._of = common
        found = {number: self._known[number] for number in numbers if number in self._known}
        missing = [number for number in numbers if number not in found]
        for read in kept.read(self._db, missing):
            words = max(_LEAST, sum(map(len, read.said.fields)))
            found[read.number] = self._keep(Known(read, common), words)
        return [found[number] for number in numbers if number in found]

    def _keep(self, known: Known, words: int) -> Known:
        if self.words + words > self._most:
            self._forget()
        self.words += words
        self._known[known.number] = known
        return known

    def _forget(self) -> None:
        self.words, self._known = 0, {}

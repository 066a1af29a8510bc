"""What people said of labels, brought from the journal into the papers of a process.

The journal's table is looked at with one small question before every list, so that a label given
in any process, on any machine, is seen by the next call everywhere; only rows that are new since
are read. Papers that are new, or that another process made, are compared once as a whole.
"""

from dataclasses import dataclass

from engine.core.labels.change import Item
from engine.core.log import Row
from engine.shell.label_files import LabelFile
from engine.store import Store
from engine.store.paper_marks import forget_said, put_said, said_of
from engine.store.papers import Papers

PAGE = 1_000
"""Rows that are read at a time."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far papers follow the journal: `version` of the labels' stream, `position` of a row."""

    papers: Papers | None = None
    version: int = -1
    position: int = -1
    protected: tuple[str, ...] = ()


class People:
    """Follows what the people of one tenant say of labels."""

    def __init__(self, store: Store, tenant: str, file: LabelFile) -> None:
        self._store, self._tenant, self.file = store, tenant, file
        self._reached = Reached()

    async def said_more(self, papers: Papers) -> bool:
        """Whether these papers are behind."""
        reached, now = self._reached, self.file.current().protected
        same = reached.papers is papers and reached.protected == now
        return not same or reached.version != await self._version()

    async def follow(self, papers: Papers) -> tuple[Reached, list[Item]]:
        """Bring the rows of papers up to date, inside a change of theirs.

        Returns what to `keep` after the change, and the things that are to be labelled anew.
        """
        declared, version = self.file.current(), await self._version()
        papers.protected = declared.is_protected
        first = self._reached.papers is not papers
        position = -1 if first else self._reached.position
        before = forget_said(papers.db) if first else {}
        touched = set(before)
        while rows := await self._rows(position):
            touched |= put_said(papers.db, rows)
            position = rows[-1]["position"]
        if papers.put_protected(declared.protected):
            touched = set(papers.items())
        else:
            touched -= {item for item, said in before.items() if said == said_of(papers.db, item)}
        order = sorted(touched, key=lambda item: (item.thing, item.full))
        return Reached(papers, version, position, declared.protected), order

    def keep(self, reached: Reached) -> None:
        """What was followed has been committed."""
        self._reached = reached

    async def _version(self) -> int:
        rows = await self._store.fetch("label_head", tenant=self._tenant)
        return int(rows[0]["version"]) if rows else 0

    async def _rows(self, position: int) -> list[Row]:
        return await self._store.fetch(
            "label_since", tenant=self._tenant, after=position, limit=PAGE
        )

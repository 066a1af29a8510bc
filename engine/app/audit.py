"""The audit of a journal: is it what was written, held against its signed checkpoints.

Everything here reads. A million events take a few seconds of one processor: reading them, and two
hashes of each; where it may, a long journal is shared among several. The tree over them is grown
only for copies, whose proofs need it.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.app.copying import Exported, copy, proofs
from engine.app.places import database_of
from engine.core import note
from engine.core.audit import FORGED, TAMPERED, Audit, Auditor, Finding
from engine.core.chain import leaf, stream_of
from engine.core.log import Row
from engine.core.merkle import Tree
from engine.core.note import Note
from engine.core.stretch import tasks
from engine.shell.checkpoints import Places, genuine, public_key, read_notes
from engine.shell.clock import Clock
from engine.shell.spread import LEAST, spread
from engine.store import Store, open_store

_TRIES = 5


class Check:
    """The check of the journal of one database."""

    def __init__(self, store: Store, places: Places) -> None:
        self._store, self.places = store, places
        self._origin = note.origin_of(store.place)

    def key(self) -> str:
        """The public half of the key of the checkpoints, as a line; empty where there is none."""
        public = public_key(self.places.key)
        return note.verifier(self._origin, public) if public else ""

    async def verify(self, processes: int = 1) -> Audit:
        """Walk along the whole journal and hold it against its checkpoints.

        A long journal is walked by so many processes at once. Ask for more than one only in a
        program whose main module may be imported again, as `multiprocessing` wants it.

        Raises StoreError when it cannot be read, Refused `checkpoints_unreadable` or
        `checkpoint_key`.
        """
        rows = await self._store.fetch("journal_head") if processes > 1 else []
        size = rows[0]["position"] if rows else 0
        return await asyncio.to_thread(self._verify, size, processes - 1)

    def _verify(self, size: int, others: int) -> Audit:
        notes = list(read_notes(self.places, self._origin))
        if size >= LEAST:
            sound, forged, begun = self._spread(notes, size, others)
        else:
            (sound, forged), begun = self._judged(notes), None
        auditor = begun or Auditor(each.checkpoint for each in sound)
        for page in self._store.scan("journal_lines", auditor.walk.position):
            auditor.step(page)
        edited = self._edited(auditor)
        return auditor.result((*forged, *edited))

    def _edited(self, auditor: Auditor) -> list[Finding]:
        """What the table of approvals says otherwise than the journal.

        Others may go on writing meanwhile: the journal is read on until it stands still.
        """
        rows, moving = list[Sequence[Any]](), set[int]()
        for _ in range(_TRIES):
            rows = [row for page in self._store.scan("approval_states") for row in page]
            moving = set()
            for page in self._store.scan("journal_lines", auditor.walk.position):
                auditor.step(page)
                moving |= set(map(stream_of, page))
            if not moving:
                break
        found = auditor.receipts.compared(rows, moving)
        return [Finding(TAMPERED, *each) for each in found]

    def _spread(
        self, notes: Sequence[Note | str], size: int, others: int
    ) -> tuple[list[Note], list[Finding], Auditor | None]:
        """The checkpoints, looked at while other processes begin, and the walk by all of them;
        None where that comes to no end that can be trusted."""
        asked = tasks(size, [each.checkpoint.size for each in notes if isinstance(each, Note)])
        with spread(self._store.elsewhere("journal_lines"), asked, others) as walked:
            sound, forged = self._judged(notes)
            found = walked()
        auditor = Auditor(each.checkpoint for each in sound)
        whole = found and all(map(auditor.join, found))
        return sound, forged, auditor if whole else None

    def _judged(self, notes: Iterable[Note | str]) -> tuple[list[Note], list[Finding]]:
        """The checkpoints that the key has signed, and what is wrong with the others."""
        public = public_key(self.places.key)
        sound: list[Note] = []
        forged: list[Finding] = []
        for found in notes:
            if isinstance(found, str):
                forged.append(Finding(FORGED, 0, found))
            elif public is not None and genuine(public, found):
                sound.append(found)
            else:
                size = found.checkpoint.size
                what = f"the checkpoint over {size:,} events was not signed by this key"
                forged.append(Finding(FORGED, size, what))
        return sound, forged


class Audits(Check):
    """The same, and copies; `find` gives the row of a run by its public id."""

    def __init__(self, store: Store, places: Places, find: Callable[[str], Awaitable[Row]]) -> None:
        super().__init__(store, places)
        self._find = find

    async def export(self, folder: Path, after: int = 0, run: str = "") -> Exported:
        """Audit the journal and copy it to a folder: all of it, or what follows a position, or
        the events of one run.

        A copy of a part says of each event where it stands in the whole, with a proof. Raises
        Refused `unknown_run`, `export_exists` or `export_unwritable`, and what `verify` raises.
        """
        chosen = await self._positions(run) if run else None
        rows = await self._store.fetch("journal_head")
        size = rows[0]["position"] if rows else 0
        return await asyncio.to_thread(self._export, folder, size, after, chosen)

    async def _positions(self, run: str) -> set[int]:
        row = await self._find(run)
        return {each.position for each in await self._store.read(row["id"], tenant=row["tenant"])}

    def _export(self, folder: Path, size: int, after: int, chosen: set[int] | None) -> Exported:
        sound, forged = self._judged(read_notes(self.places, self._origin))
        if chosen is None and after:
            chosen = set(range(after + 1, size + 1))
        proven = proofs(size, [each.checkpoint.size for each in sound], chosen)
        auditor, tree = Auditor(each.checkpoint for each in sound), Tree(wanted=proven.wanted)
        for page in self._store.scan("journal_lines"):
            lines = [line for line in page if line[0] <= size]
            auditor.step(lines)
            tree.grow(map(leaf, lines))
        proven = proven.answered(tree.kept)
        audit = auditor.result((*forged, *(proven.unrooted(sound) if auditor.sound else ())))
        rows = (row for page in self._store.scan("journal_rows") for row in page)
        return copy(folder, rows, proven, sound, audit, self.key())


@asynccontextmanager
async def open_check(database: str, places: Places, clock: Clock) -> AsyncGenerator[Check]:
    """The check of a database without an engine round it, which takes longer to start than
    100,000 events to walk along.

    Raises StoreError when it cannot be opened, Refused `database_url`.
    """
    async with open_store(database_of(database), (), clock.bytes, clock.now()) as store:
        yield Check(store, places)


__all__ = ["Audits", "Check", "Exported", "open_check"]

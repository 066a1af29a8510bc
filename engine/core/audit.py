"""What a walk over the whole journal and its checkpoints finds, as values and without any I/O.

The chain shows what was changed or taken out. It cannot show that the newest events were cut off,
or that somebody wrote a whole journal anew: the checkpoints can, because they were signed and put
elsewhere as the journal grew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.core.chain import MISSING, TAMPERED, Line, Walk, hash_at
from engine.core.note import Checkpoint
from engine.core.receipts import Receipts, told
from engine.core.stretch import Stretch

TRUNCATED, FORGED, UNGRANTED = "truncated", "forged", "ungranted"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written.

    `kind` is `missing` (events between others), `tampered` (an event, or all of them together),
    `truncated` (the newest events), `forged` (a checkpoint) or `ungranted` (a change that no yes
    and no rule leads to). `position` is where it shows.
    """

    kind: str
    position: int
    what: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The state of a journal. `head` is the hash of its newest event, in hex; `covered` is how many
    events a sound checkpoint answers for."""

    events: int
    intact: int
    erased: int
    head: str
    checkpoints: int
    covered: int
    covered_at: int | None
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class Auditor:
    """Walks along the journal page by page and holds it against its checkpoints."""

    def __init__(self, checkpoints: Iterable[Checkpoint]) -> None:
        self.walk, self.receipts = Walk(), Receipts()
        self._ahead = sorted(checkpoints, key=lambda each: each.size, reverse=True)
        self._count = len(self._ahead)
        self._agreed: Checkpoint | None = None
        self._findings: list[Finding] = []

    @property
    def sound(self) -> bool:
        """Whether the events so far are those that were written, and those that were signed."""
        return self.walk.sound and not self._findings

    def step(self, lines: Sequence[Line]) -> None:
        """Look at the next events; they must follow those of the step before."""
        self.walk.step(lines)
        self.receipts.step(told(lines))
        while self._ahead and self._ahead[-1].size <= self.walk.position:
            checkpoint = self._ahead.pop()
            self._compare(checkpoint, hash_at(lines, checkpoint.size))

    def join(self, stretch: Stretch) -> bool:
        """Go on behind a stretch of events that was walked elsewhere and is sound.

        False when it does not follow those of the step before, and nothing has happened then.
        """
        if (self.walk.position, self.walk.before) != (stretch.after, stretch.before):
            return False
        self.walk.follow(stretch.upto, stretch.last, stretch.intact, stretch.erased)
        self.receipts.step(stretch.told)
        while self._ahead and self._ahead[-1].size <= stretch.upto:
            checkpoint = self._ahead.pop()
            self._compare(checkpoint, stretch.heads.get(checkpoint.size, b""))
        return True

    def _compare(self, checkpoint: Checkpoint, head: bytes) -> None:
        if checkpoint.head == head:
            self._agreed = checkpoint
        elif self.sound:  # otherwise the chain has said where
            known = self._agreed.size if self._agreed else 0
            what = (
                f"the journal was written anew: events {known + 1:,} to {checkpoint.size:,} are "
                "not those that were signed, though they fit each other"
            )
            self._findings.append(Finding(TAMPERED, known + 1, what))

    def result(self, more: Iterable[Finding] = ()) -> Audit:
        """What has been found; `more` is what others have found."""
        granted = [Finding(UNGRANTED, *each) for each in self.receipts.result()]
        seen, agreed = self.walk.result(), self._agreed
        broken = [Finding(each.kind, each.position, each.what) for each in seen.problems]
        return Audit(
            seen.events,
            seen.intact,
            seen.erased,
            self.walk.before.hex(),
            self._count,
            agreed.size if agreed else 0,
            agreed.at if agreed else None,
            (*broken, *self._findings, *self._cut(), *granted, *more),
        )

    def _cut(self) -> Iterable[Finding]:
        last = self.walk.position
        longest = self._ahead[0] if self._ahead else None
        if longest is not None and longest.size > last:
            what = (
                f"the journal ends at event {last:,}, though a signed checkpoint knows "
                f"{longest.size:,}: the newest {longest.size - last:,} were cut off"
            )
            yield Finding(TRUNCATED, last + 1, what)


__all__ = [
    "FORGED",
    "MISSING",
    "TAMPERED",
    "TRUNCATED",
    "UNGRANTED",
    "Audit",
    "Auditor",
    "Finding",
]

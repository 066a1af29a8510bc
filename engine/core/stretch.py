"""A stretch of the journal, walked apart from the rest so that several can be walked at once.

Only a stretch without any fault is told, and it fits only behind the very hash that it began
with: whoever finds a fault walks the whole journal in one go, and that walk says what is wrong.
A stretch begins at a multiple of `SPAN`, so that its tree is a part of the whole one. Where
processes and databases are is not known here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.core.chain import GENESIS, Line, Walk
from engine.core.merkle import Tree
from engine.core.receipts import Told, told

SPAN = 1 << 14
"""Events of a stretch, a power of two: a tenth of a second of one processor."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be walked: the events behind `after` up to `upto`, with the sizes of the journal
    for which checkpoints want the root."""

    after: int
    upto: int
    cuts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sound stretch, between the hashes `before` and `last`.

    `peaks` are those of the tree over its events alone, `cuts` the same at the sizes asked for.
    """

    after: int
    upto: int
    before: bytes
    last: bytes
    intact: int
    erased: int
    told: Sequence[Told]
    peaks: Sequence[bytes]
    cuts: Mapping[int, Sequence[bytes]]


def tasks(size: int, cuts: Sequence[int], span: int = SPAN) -> list[Task]:
    """The stretches of a journal of `size` events; `span` is a power of two."""
    parts: dict[int, list[int]] = {after: [] for after in range(0, size, span)}
    for cut in cuts:
        if 0 < cut <= size:
            parts[(cut - 1) // span * span].append(cut)
    return [Task(at, min(at + span, size), tuple(sorted(each))) for at, each in parts.items()]


def walked(pages: Iterable[Sequence[Line]], task: Task) -> Stretch | None:
    """Walk along a stretch; None when anything in it is wrong or missing.

    The pages begin with the event at `after`, whose hash is what the stretch follows.
    """
    walk, grove, said = None if task.after else Walk(), _Grove(task), list[Told]()
    before = GENESIS
    for page in pages:
        lines = page if page[-1][0] <= task.upto else [e for e in page if e[0] <= task.upto]
        if walk is None:
            if not lines or lines[0][0] != task.after:
                return None
            before, lines = lines[0][5], lines[1:]
            walk = Walk(before, task.after)
        walk.step(lines)
        if not walk.sound:
            return None
        grove.grow([line[5] for line in lines])
        said += told(lines)
        if page[-1][0] >= task.upto:
            break
    if walk is None or walk.position != task.upto:
        return None
    seen, peaks = walk.result(), tuple(grove.tree.peaks)
    return Stretch(
        task.after,
        task.upto,
        before,
        walk.before,
        seen.intact,
        seen.erased,
        said,
        peaks,
        grove.cuts,
    )


class _Grove:
    """The tree over a stretch, and its peaks at some sizes of the journal."""

    def __init__(self, task: Task) -> None:
        self.tree, self.cuts = Tree(), dict[int, tuple[bytes, ...]]()
        self._after, self._ahead = task.after, list(reversed(task.cuts))

    def grow(self, leaves: list[bytes]) -> None:
        """Put the next leaves in."""
        size = self._after + self.tree.size
        while self._ahead and self._ahead[-1] <= size + len(leaves):
            cut = self._ahead.pop()
            self.tree.grow(leaves[: cut - size])
            self.cuts[cut] = tuple(self.tree.peaks)
            leaves, size = leaves[cut - size :], cut
        self.tree.grow(leaves)

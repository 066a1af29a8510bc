"""A stretch of the journal, walked apart from the rest so that several can be walked at once.

Only a stretch without any fault is told, and it fits only behind the very hash that it began
with: whoever finds a fault walks the whole journal in one go, and that walk says what is wrong.
Where processes and databases are is not known here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.core.chain import GENESIS, Line, Walk, hash_at
from engine.core.receipts import Told, told

SPAN = 1 << 14
"""Events of a stretch: less than a tenth of a second of one processor."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be walked: the events behind `after` up to `upto`, with the positions whose hashes
    checkpoints know."""

    after: int
    upto: int
    cuts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sound stretch, between the hashes `before` and `last`; `heads` are those asked for."""

    after: int
    upto: int
    before: bytes
    last: bytes
    intact: int
    erased: int
    told: Sequence[Told]
    heads: Mapping[int, bytes]


def tasks(size: int, cuts: Sequence[int], span: int = SPAN) -> list[Task]:
    """The stretches of a journal of `size` events."""
    parts: dict[int, list[int]] = {after: [] for after in range(0, size, span)}
    for cut in cuts:
        if 0 < cut <= size:
            parts[(cut - 1) // span * span].append(cut)
    return [Task(at, min(at + span, size), tuple(sorted(each))) for at, each in parts.items()]


def walked(pages: Iterable[Sequence[Line]], task: Task) -> Stretch | None:
    """Walk along a stretch; None when anything in it is wrong or missing.

    The pages begin with the event at `after`, whose hash is what the stretch follows.
    """
    walk, said = None if task.after else Walk(), list[Told]()
    before, heads = GENESIS, dict[int, bytes]()
    for page in pages:
        lines = page if page[-1][0] <= task.upto else [e for e in page if e[0] <= task.upto]
        if walk is None:
            if not lines or lines[0][0] != task.after:
                return None
            before, lines = lines[0][5], lines[1:]
            walk = Walk(before, task.after)
        begun = walk.position
        walk.step(lines)
        if not walk.sound:
            return None
        heads |= {at: hash_at(lines, at) for at in task.cuts if begun < at <= walk.position}
        said += told(lines)
        if page[-1][0] >= task.upto:
            break
    if walk is None or walk.position != task.upto:
        return None
    seen = walk.result()
    return Stretch(
        task.after, task.upto, before, walk.before, seen.intact, seen.erased, said, heads
    )

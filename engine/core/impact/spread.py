"""How far a change reaches: breadth first from one thing to whatever uses it, level by level.

A level is what uses something of the level before, and the tasks that a workflow reached in this
way has besides (seed 003, stage 33). Whatever was reached once is not reached again, so circles
end and a depth is the smallest there is. Everything reached stands in the answer, unless a limit
of users was asked for: then what has more is named and not followed.

A level is worked out on one byte for each thing, from the side where there is less to look at:
the rows of what was reached last, or those of what was not reached yet. What the things with the
most users reach is known beforehand (`Adjacency.broad`).
"""

from collections.abc import Iterable
from itertools import compress

from engine.core.impact.adjacency import WORKFLOW, Adjacency, Packed
from engine.core.impact.marks import both, either, marked, without
from engine.core.value import value

UNLIMITED = 0
"""As deep as it goes."""


@value
class Level:
    """What is as many steps away as the place of the level says; numbers, sorted."""

    workflows: tuple[int, ...]
    tasks: tuple[int, ...]


@value
class Spread:
    """What a change of `start` reaches. `levels[0]` is one step away.

    `cut` says that there is more behind the depth that was asked for. `held` are those that have
    more users than were to be followed: their users are here only if something else leads there.
    """

    start: int
    levels: tuple[Level, ...]
    cut: bool
    held: tuple[int, ...]


def spread(
    edges: Adjacency,
    start: int,
    depth: int = UNLIMITED,
    most_users: int = 0,
    first: Iterable[int] | None = None,
) -> Spread:
    """What a change of `start` reaches within `depth` steps.

    `most_users` is the limit of users that are followed, 0 is none; the start itself is always
    followed. `first` are the users of the start where not all of them count.
    """
    wave = _Wave(edges, start, most_users)
    levels: list[Level] = []
    more = wave.follow() if first is None else wave.reach(first)
    while more and (not depth or len(levels) < depth):
        levels.append(wave.level())
        wave.hold_back()
        more = wave.leads_on() if len(levels) == depth else wave.follow()
    return Spread(start, tuple(levels), more, tuple(sorted(wave.held)))


class _Wave:
    """What was reached (`seen`), and what was reached last (`front`): one byte for each thing."""

    def __init__(self, edges: Adjacency, start: int, most_users: int) -> None:
        self._edges, self._most, self._size = edges, most_users, len(edges)
        self.held: set[int] = set()
        self._seen = self._front = marked(self._size, (start,))
        self._parts = bytes(self._size)
        # The parts of the start do not change with it, but they are among those known beforehand.
        self._broad = [broad for broad in edges.broad if not broad.users[start]]

    # -- one step ----------------------------------------------------------------------------

    def reach(self, users: Iterable[int]) -> bool:
        """Have those that are not seen yet as the front; says whether there are any."""
        return self._ahead(marked(self._size, users))

    def follow(self) -> bool:
        """Go on to whatever uses something of the front and is not seen yet."""
        edges, found = self._edges, bytes(self._size)
        front = self._front
        self._parts = bytes(self._size)
        for broad in self._broad:
            if front[broad.number]:
                found = either(found, broad.users)
                self._parts = either(self._parts, broad.parts)
                front = without(front, marked(self._size, (broad.number,)))
        left = without(b"\1" * self._size, either(self._seen, found))
        more = _met(edges.users, front, edges.uses, left)
        return self._ahead(either(found, more))

    def _ahead(self, marks: bytes) -> bool:
        self._front = without(marks, self._seen)
        self._seen = either(self._seen, self._front)
        return 1 in self._front

    def level(self) -> Level:
        """The level that the front is, with the tasks that its workflows have besides."""
        edges, size = self._edges, self._size
        tasks, end = edges.stops[WORKFLOW], edges.stops[WORKFLOW + 1]
        workflows = bytes(tasks) + self._front[tasks:end] + bytes(size - end)
        left = without((b"\1" * tasks).ljust(size, b"\0"), either(self._seen, self._parts))
        more = _met(edges.uses, workflows, edges.users, left)
        parts = without(either(self._parts, more), self._seen)
        self._seen = either(self._seen, parts)
        self._front = either(self._front, parts)
        places = range(size)
        return Level(
            tuple(compress(places[tasks:end], self._front[tasks:end])),
            tuple(compress(places[:tasks], self._front)),
        )

    # -- the end of it -------------------------------------------------------------------------

    def hold_back(self) -> None:
        """Take those that have too many users out of the front."""
        if self._most:
            count = self._edges.users.count
            here = compress(range(self._size), self._front)
            held = {number for number in here if count(number) > self._most}
            self.held |= held
            self._front = without(self._front, marked(self._size, held))

    def leads_on(self) -> bool:
        """Whether anything uses something of the front and is not seen yet."""
        begins, numbers, seen = self._edges.users.begins, self._edges.users.numbers, self._seen
        return any(
            not seen[number]
            for place in compress(range(self._size), self._front)
            for number in numbers[begins[place] : begins[place + 1]]
        )


def _met(rows: Packed, front: bytes, back: Packed, left: bytes) -> bytes:
    """Those `left` that stand in the rows of the front: one byte for each thing.

    `back` are the same edges the other way round.
    """
    size, marks = len(front), bytearray(len(front))
    if front.count(1) <= left.count(1):
        begins, numbers = rows.begins, rows.numbers
        for place in compress(range(size), front):
            for number in numbers[begins[place] : begins[place + 1]]:
                marks[number] = 1
        return both(bytes(marks), left)
    begins, numbers = back.begins, back.numbers
    for place in compress(range(size), left):
        for number in numbers[begins[place] : begins[place + 1]]:
            if front[number]:
                marks[place] = 1
                break
    return bytes(marks)

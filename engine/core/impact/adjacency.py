"""Who uses what, as numbers: tasks, workflows and connectors, and the edges between them.

A workflow uses the tasks and the workflows that its steps may carry out, a task the connector
that it calls and the workflow that it starts. Everything has a number: tasks first, then
workflows, then connectors, each by name, so that the order of numbers is the order in which
things are shown, and the same catalogue gives the same numbers whichever way it came about.
It is packed, since it lies in memory beside a hundred thousand workflows, and never changed: a
change makes another one (`changed`). It refuses to know where the edges come from.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import chain
from typing import Any, Final, NamedTuple

from engine.core.impact.marks import either, marked, without
from engine.core.impact.names import Names

TASK: Final = 0
WORKFLOW: Final = 1
CONNECTOR: Final = 2
KINDS: Final = ("task", "workflow", "connector")
MOST_HUBS: Final = 64
MOST_BROAD: Final = 6
MOST_TRIED: Final = 16
LEAST_BROAD: Final = 256
"""Users for which it pays to know beforehand what they reach."""


class Key(NamedTuple):
    """A thing by its kind and the name by which it is asked for."""

    kind: int
    name: str


Rows = Mapping[Key, Iterable[Key]]
"""Things with what each uses."""


class Packed:
    """Rows of numbers, one behind the other: `numbers[begins[n]:begins[n + 1]]` is row n."""

    __slots__ = ("begins", "numbers")

    def __init__(self, rows: Iterable[Iterable[int]]) -> None:
        begins, numbers = array("i", [0]), array("i")
        for row in rows:
            numbers.extend(row)
            begins.append(len(numbers))
        self.begins, self.numbers = begins, numbers

    def __getitem__(self, at: int) -> "array[int]":
        """One row, sorted."""
        return self.numbers[self.begins[at] : self.begins[at + 1]]

    def spliced(self, rows: Mapping[int, Iterable[int]]) -> "Packed":
        """The same rows with some in the place of others."""
        made, at, begins = Packed(()), 0, self.begins
        for number, row in sorted(rows.items()):
            made._take(self, at, number)
            made.numbers.extend(row)
            made.begins.append(len(made.numbers))
            at = number + 1
        made._take(self, at, len(begins) - 1)
        return made

    def _take(self, others: "Packed", low: int, high: int) -> None:
        """Add a stretch of other rows."""
        first, last = others.begins[low], others.begins[high]
        shift = len(self.numbers) - first
        self.numbers.extend(others.numbers[first:last])
        self.begins.extend([begin + shift for begin in others.begins[low + 1 : high + 1]])

    def count(self, at: int) -> int:
        """How long a row is."""
        return self.begins[at + 1] - self.begins[at]

    def __eq__(self, other: Any) -> bool:
        """Whether all rows are the same."""
        return (
            isinstance(other, Packed)
            and self.begins == other.begins
            and self.numbers == other.numbers
        )

    __hash__ = None  # type: ignore[assignment]  # they are compared, never looked up


class Broad(NamedTuple):
    """A thing with a great many users: they, and the tasks that they use, as one byte each."""

    number: int
    users: bytes
    parts: bytes


class Adjacency:
    """All edges of a catalogue, both ways. `stops` are where the kinds begin, and the end.

    `uses` are what each thing uses, `users` what uses it; `hubs` are those with the most users,
    most first, and `broad` the few of them that lead to most of the rest.
    """

    __slots__ = ("broad", "hubs", "names", "stops", "users", "uses")

    def __init__(
        self, names: Names, stops: Sequence[int], uses: Packed, users: Packed | None = None
    ) -> None:
        self.names, self.stops, self.uses = names, tuple(stops), uses
        self.users = _turned(uses, len(names)) if users is None else users
        used = (n for n in range(len(names)) if self.users.count(n) > 1)
        self.hubs = tuple(nlargest(MOST_HUBS, used, key=self.users.count))
        self.broad = tuple(self._broadest())

    def _broadest(self) -> Iterator[Broad]:
        """The hubs that together have most of the users, as long as one more brings many more."""
        size, covered = len(self), bytes(len(self))
        known = {number: marked(size, self.users[number]) for number in self.hubs[:MOST_TRIED]}
        for _ in range(MOST_BROAD):
            news = {n: without(users, covered).count(1) for n, users in known.items()}
            best = max(known, key=news.__getitem__, default=-1)
            if best < 0 or news[best] < max(LEAST_BROAD, size // 64):
                return
            covered = either(covered, known[best])
            yield Broad(best, known[best], self._parts(self.users[best]))

    def _parts(self, users: Iterable[int]) -> bytes:
        """The tasks that some workflows use."""
        low, high = self.stops[WORKFLOW], self.stops[WORKFLOW + 1]
        rows = (self.uses[user] for user in users if low <= user < high)
        return marked(len(self), (used for row in rows for used in row if used < low))

    def __len__(self) -> int:
        """How many things there are."""
        return len(self.names)

    def __eq__(self, other: Any) -> bool:
        """Whether two catalogues have the same things and edges."""
        return (
            isinstance(other, Adjacency)
            and (self.names, self.stops) == (other.names, other.stops)
            and (self.uses, self.users) == (other.uses, other.users)
        )

    __hash__ = None  # type: ignore[assignment]  # they are compared, never looked up

    def kind(self, number: int) -> int:
        """Of which kind a thing is."""
        return TASK if number < self.stops[1] else 1 + (number >= self.stops[2])

    def key(self, number: int) -> Key:
        """A thing by kind and name."""
        return Key(self.kind(number), self.names[number])

    def find(self, key: Key) -> int:
        """The number of a thing, -1 when there is none."""
        return self.names.find(key.name, self.stops[key.kind], self.stops[key.kind + 1])

    def called(self, kind: int, bare: str) -> list[str]:
        """The names of a kind that are `bare` in the namespace `default` or in any other."""
        low, high = self.stops[kind], self.stops[kind + 1]
        own = self.names.find(bare, low, high)
        others = self.names.some(self.names.ending(f"/{bare}", low, high))
        return [*([bare] if own >= 0 else ()), *others]

    def of_kind(self, kind: int) -> Iterator[str]:
        """The names of a kind, sorted."""
        return self.names.some(range(self.stops[kind], self.stops[kind + 1]))

    def changed(self, news: Mapping[Key, Iterable[Key] | None]) -> "Adjacency":
        """The adjacency once some things use what `news` says; None for what is gone.

        An edge to something that there is not is left out. So whoever uses a thing that comes or
        goes has to be among the news too.
        """
        if all((self.find(key) >= 0) == (row is not None) for key, row in news.items()):
            return self._rewired({key: row for key, row in news.items() if row is not None})
        after = [self._after(kind, news) for kind in range(len(KINDS))]
        names, stops = _named(after)
        fresh = {
            stops[key.kind] + bisect_left(after[key.kind], key.name): _numbers(row, names, stops)
            for key, row in news.items()
            if row is not None
        }
        return Adjacency(names, stops, Packed(self._rows(self._moved(after), fresh, len(names))))

    def _rewired(self, news: Mapping[Key, Iterable[Key]]) -> "Adjacency":
        """The adjacency once things that it has already use others that it has."""
        uses = {self.find(key): _numbers(row, self.names, self.stops) for key, row in news.items()}
        users: dict[int, set[int]] = {}
        for number, row in uses.items():
            for used in set(row).symmetric_difference(self.uses[number]):
                found = users.setdefault(used, set(self.users[used]))
                found.symmetric_difference_update((number,))
        turned = self.users.spliced({used: sorted(found) for used, found in users.items()})
        return Adjacency(self.names, self.stops, self.uses.spliced(uses), turned)

    def _after(self, kind: int, news: Mapping[Key, Iterable[Key] | None]) -> list[str]:
        """The names of a kind as they are afterwards."""
        mine = {key.name: row for key, row in news.items() if key.kind == kind}
        kept = [name for name in self.of_kind(kind) if name not in mine]
        return sorted([*kept, *(name for name, row in mine.items() if row is not None)])

    def _moved(self, after: Sequence[list[str]]) -> "array[int]":
        """The new number of each old thing, -1 for what is gone."""
        moved, base = array("i"), 0
        for kind, names in enumerate(after):
            at = 0
            for name in self.of_kind(kind):
                while at < len(names) and names[at] < name:
                    at += 1
                there = at < len(names) and names[at] == name
                moved.append(base + at if there else -1)
            base += len(names)
        return moved

    def _rows(
        self, moved: "array[int]", fresh: Mapping[int, list[int]], size: int
    ) -> Iterator[Iterable[int]]:
        before = array("i", [-1]) * size
        for old, new in enumerate(moved):
            if new >= 0:
                before[new] = old
        for new in range(size):
            row = fresh.get(new)
            if row is not None:
                yield row
            else:
                yield [now for old in self.uses[before[new]] if (now := moved[old]) >= 0]


def _named(names: Iterable[Iterable[str]]) -> tuple[Names, Sequence[int]]:
    """All names, kind by kind, and where the kinds begin."""
    stops = [0]

    def counted(some: Iterable[str]) -> Iterator[str]:
        stops.append(stops[-1])
        for name in some:
            stops[-1] += 1
            yield name

    return Names(chain.from_iterable(map(counted, names))), stops


def _numbers(row: Iterable[Key], names: Names, stops: Sequence[int]) -> list[int]:
    found = (names.find(key.name, stops[key.kind], stops[key.kind + 1]) for key in set(row))
    return sorted(number for number in found if number >= 0)


def _turned(uses: Packed, size: int) -> Packed:
    """The same edges the other way round."""
    begins, numbers = array("i", [0]) * (size + 1), array("i", [0]) * len(uses.numbers)
    for used in uses.numbers:
        begins[used + 1] += 1
    for number in range(size):
        begins[number + 1] += begins[number]
    places = array("i", begins)
    for number in range(size):
        for used in uses[number]:
            numbers[places[used]] = number
            places[used] += 1
    turned = Packed(())
    turned.begins, turned.numbers = begins, numbers
    return turned


NOTHING = Adjacency(Names(()), (0, 0, 0, 0), Packed(()))
"""The adjacency of an empty catalogue."""


def adjacency(rows: Rows) -> Adjacency:
    """The adjacency of a catalogue, from each thing with what it uses."""
    return NOTHING.changed({key: tuple(row) for key, row in rows.items()})


def ranked(names: Iterable[Iterable[str]], rows: Iterable[tuple[int, list[int]]]) -> Adjacency:
    """The adjacency of sorted names, kind by kind, and the rows of some of their numbers.

    The rows are asked for once all names have been.
    """
    every, stops = _named(names)
    order, kept = array("i", [-1]) * len(every), array("i")
    found = Packed(_kept(rows, kept))
    for place, number in enumerate(kept):
        order[number] = place
    return Adjacency(every, stops, Packed(found[place] if place >= 0 else () for place in order))


def _kept(rows: Iterable[tuple[int, list[int]]], kept: "array[int]") -> Iterator[list[int]]:
    for number, row in rows:
        kept.append(number)
        yield row

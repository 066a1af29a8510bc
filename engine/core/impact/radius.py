"""The blast radius as whoever asks sees it: counts that are complete, names a page at a time.

Everything reached stands in one order: by depth, workflows before tasks, by name. A page is a
stretch of it; a node's edges come with the page of the later of the two. It refuses to know how
a page is asked for, and in which shape it leaves.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice, repeat

from engine.core.impact.adjacency import KINDS, TASK, WORKFLOW, Adjacency, Key
from engine.core.impact.spread import Spread
from engine.core.value import value

START = (0, "")
"""What stands before everything that is reached."""

HELPS_FROM = 200
"""Things reached from which on it is worth saying what brings most of them."""
BROAD_FROM = 50
"""Users that one thing must have to be named as such."""

Place = tuple[int, str]
"""The depth of something, and its id (`task:name`)."""


@value
class Reached:
    """What is so many steps away, as far as it is on this page."""

    depth: int
    workflows: tuple[str, ...]
    tasks: tuple[str, ...]


@value
class Node:
    """One thing of the graph; the source has depth 0."""

    kind: str
    name: str
    depth: int

    @property
    def id(self) -> str:
        """The id of the seed: `workflow:order-flow`."""
        return f"{self.kind}:{self.name}"


@value
class Edge:
    """`source` is used by `target`, or is a workflow that contains it (a task as deep)."""

    source: str
    target: str
    relationship: str


@value
class Hub:
    """Something that a great many use."""

    kind: str
    name: str
    users: int


@value
class Radius:
    """What a change of something concerns.

    `depth` is how deep was looked: what was asked for, or as deep as it goes. `cut` says that
    there is more behind it. `workflows` and `tasks` count all of it, whatever stands on this
    page; `more` counts what comes after the page, and `last` is the place where that begins.
    `held` were reached and not followed, because they have more users than were wanted; `broad`
    brought most of what is here. `pins` and `runs` (under way) are there for a version.
    """

    kind: str
    name: str
    version: str
    depth: int
    cut: bool
    workflows: int
    tasks: int
    levels: tuple[Reached, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    held: tuple[Hub, ...]
    broad: tuple[Hub, ...]
    more: int = 0
    last: Place = START
    pins: tuple[str, ...] = ()
    runs: int = 0


def radius(
    edges: Adjacency,
    found: Spread,
    depth: int,
    *,
    graph: bool = False,
    after: Place = START,
    limit: int = 0,
) -> Radius:
    """The page of a spread behind a place, at most `limit` things (0: all)."""
    key = edges.key(found.start)
    stretches = [*_stretches(found)]
    passed = _passed(edges, stretches, after)
    end = passed + limit if limit else None
    page = [*islice(_each(stretches), passed, end)]
    more = sum(len(numbers) for _, _, numbers in stretches) - passed - len(page)
    nodes, ties = _graph(edges, found, page, first=after == START) if graph else ((), ())
    last = (page[-1][0], _id(edges.key(page[-1][1]))) if page and more else START
    return Radius(
        KINDS[key.kind], key.name, "", depth or len(found.levels), found.cut,
        sum(len(level.workflows) for level in found.levels),
        sum(len(level.tasks) for level in found.levels),
        tuple(_levels(edges, page)), nodes, ties,
        tuple(_hub(edges, number) for number in found.held),
        _broad(edges, found), more, last,
    )  # fmt: skip


def _id(key: Key) -> str:
    return f"{KINDS[key.kind]}:{key.name}"


Stretch = tuple[int, str, tuple[int, ...]]
"""A depth, a kind, and the numbers of that kind that are as deep."""


def _stretches(found: Spread) -> Iterator[Stretch]:
    """Everything that was reached, in order."""
    for depth, level in enumerate(found.levels, 1):
        yield depth, "workflow", level.workflows
        yield depth, "task", level.tasks


def _each(stretches: Iterable[Stretch]) -> Iterator[tuple[int, int]]:
    return chain.from_iterable(zip(repeat(depth), numbers) for depth, _, numbers in stretches)


def _passed(edges: Adjacency, stretches: Iterable[Stretch], after: Place) -> int:
    """How many things stand before a place or in it, even if it is there no more."""
    kind, _, name = after[1].partition(":")
    reached, passed = (after[0], kind == "task"), 0
    for depth, word, numbers in stretches:
        here = (depth, word == "task")
        if here < reached:
            passed += len(numbers)
        elif here == reached and kind:
            passed += bisect_right(numbers, name, key=edges.names.__getitem__)
    return passed


def _levels(edges: Adjacency, page: Iterable[tuple[int, int]]) -> Iterator[Reached]:
    by_depth: dict[int, tuple[list[int], list[int]]] = {}
    tasks = edges.stops[WORKFLOW]
    for depth, number in page:
        by_depth.setdefault(depth, ([], []))[number < tasks].append(number)
    for depth, (workflows, used) in by_depth.items():
        names = edges.names
        yield Reached(depth, tuple(names.some(workflows)), tuple(names.some(used)))


def _graph(
    edges: Adjacency, found: Spread, page: list[tuple[int, int]], *, first: bool
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    depths = {found.start: 0}
    order = {found.start: 0}
    for depth, level in enumerate(found.levels, 1):
        for number in (*level.workflows, *level.tasks):
            depths[number], order[number] = depth, len(order)
    source = [(0, found.start)] if first else []
    nodes = tuple(
        Node(KINDS[key.kind], key.name, depth)
        for depth, key in ((depth, edges.key(number)) for depth, number in (*source, *page))
    )
    ties = (tie for _, number in page for tie in _ties(edges, number, depths, order))
    return nodes, tuple(ties)


def _ties(
    edges: Adjacency, number: int, depths: Mapping[int, int], order: Mapping[int, int]
) -> Iterator[Edge]:
    """The edges between something and whatever stands before it."""
    mine, own = order[number], _id(edges.key(number))
    for used in edges.uses[number]:
        if order.get(used, mine) < mine:
            yield Edge(_id(edges.key(used)), own, "usedBy")
    for user in edges.users[number]:
        if order.get(user, mine) < mine:
            inside = edges.kind(number) == TASK and depths[user] == depths[number]
            if inside and edges.kind(user) == WORKFLOW:
                yield Edge(_id(edges.key(user)), own, "contains")
            else:
                yield Edge(own, _id(edges.key(user)), "usedBy")


# -- what brings most of it ---------------------------------------------------------------------


def _hub(edges: Adjacency, number: int) -> Hub:
    key = edges.key(number)
    return Hub(KINDS[key.kind], key.name, edges.users.count(number))


def _broad(edges: Adjacency, found: Spread) -> tuple[Hub, ...]:
    """Those with many users that were followed, where that brought much."""
    levels = found.levels
    total = sum(len(level.workflows) + len(level.tasks) for level in levels)
    if total < HELPS_FROM or found.held:
        return ()
    followed = [numbers for _, _, numbers in _stretches(found)][:-2]
    least = max(BROAD_FROM, total // 20)
    wide = (hub for hub in edges.hubs if edges.users.count(hub) >= least)
    hubs = (hub for hub in wide if any(_among(hub, numbers) for numbers in followed))
    return tuple(_hub(edges, hub) for hub in islice(hubs, 3))


def _among(number: int, numbers: tuple[int, ...]) -> bool:
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number

"""The order of things that depend on each other: steps in a workflow, workflows in workflows.

Kahn's algorithm over indexes in document order, so that the order is the same on every machine
and ties keep the author's order. A circle is a value, not an exception.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Sorted(Generic[T]):
    """`order` is topological with ties in the given order; `groups` are levels of independence.

    `stuck` are the nodes on or behind a circle, and `cycle` is one circle, its first node
    repeated at the end.
    """

    order: tuple[T, ...]
    groups: tuple[tuple[T, ...], ...]
    stuck: tuple[T, ...] = ()
    cycle: tuple[T, ...] = ()


def sort(needs: Mapping[T, Collection[T]]) -> Sorted[T]:
    """Put nodes after what they need. Every needed node must be a key.

    >>> sort({"d": {"b", "c"}, "b": {"a"}, "c": {"a"}, "a": set()})
    Sorted(order=('a', 'b', 'c', 'd'), groups=(('a',), ('b', 'c'), ('d',)), stuck=(), cycle=())
    >>> sort({"a": {"b"}, "b": {"a"}}).cycle
    ('a', 'b', 'a')
    """
    names = list(needs)
    index = {name: at for at, name in enumerate(names)}
    once = [set(needed) for needed in needs.values()]
    waiting = [len(needed) for needed in once]
    feeds: list[list[int]] = [[] for _ in names]
    for at, needed in enumerate(once):
        for need in needed:
            feeds[index[need]].append(at)
    order, level = _drain(waiting, feeds)
    groups: list[list[T]] = [[] for _ in range(1 + max((level[at] for at in order), default=-1))]
    for at in sorted(order):
        groups[level[at]].append(names[at])
    stuck = tuple(name for at, name in enumerate(names) if waiting[at] > 0)
    return Sorted(
        tuple(names[at] for at in order),
        tuple(tuple(group) for group in groups),
        stuck,
        _circle(stuck, needs),
    )


def _drain(waiting: list[int], feeds: list[list[int]]) -> tuple[list[int], list[int]]:
    ready = [at for at, count in enumerate(waiting) if count == 0]
    heapify(ready)
    level = [0] * len(waiting)
    order: list[int] = []
    while ready:
        at = heappop(ready)
        order.append(at)
        for follower in feeds[at]:
            waiting[follower] -= 1
            if level[follower] <= level[at]:
                level[follower] = level[at] + 1
            if waiting[follower] == 0:
                heappush(ready, follower)
    return order, level


def _circle(stuck: tuple[T, ...], needs: Mapping[T, Collection[T]]) -> tuple[T, ...]:
    if not stuck:
        return ()
    left = set(stuck)
    seen: dict[T, int] = {}
    path: list[T] = []
    here = stuck[0]
    # Every stuck node needs another stuck node, so this walk must come back to where it was.
    while here not in seen:
        seen[here] = len(path)
        path.append(here)
        here = next(need for need in sorted(needs[here], key=str) if need in left)
    return (*path[seen[here] :], here)


def rings(needs: Mapping[T, Collection[T]]) -> tuple[tuple[T, ...], ...]:
    """The sets of nodes that can all reach each other: whatever is on a circle.

    Tarjan's strongly connected components, without recursion. Needed nodes that are no keys are
    ignored.

    >>> rings({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": {"d"}})
    (('a', 'b'), ('d',))
    """
    search = _Components(needs)
    for node in needs:
        if node not in search.number:
            search.explore(node)
    return tuple(search.found)


class _Components(Generic[T]):
    def __init__(self, needs: Mapping[T, Collection[T]]) -> None:
        self.needs = needs
        self.number: dict[T, int] = {}
        self.low: dict[T, int] = {}
        self.stack: list[T] = []
        self.on_stack: set[T] = set()
        self.found: list[tuple[T, ...]] = []

    def explore(self, start: T) -> None:
        work = [(start, self._open(start))]
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                self._close(node)
                if work:
                    above = work[-1][0]
                    self.low[above] = min(self.low[above], self.low[node])
            elif following not in self.number:
                work.append((following, self._open(following)))
            elif following in self.on_stack:
                self.low[node] = min(self.low[node], self.number[following])

    def _open(self, node: T) -> Iterator[T]:
        self.number[node] = self.low[node] = len(self.number)
        self.stack.append(node)
        self.on_stack.add(node)
        return iter([need for need in self.needs[node] if need in self.needs])

    def _close(self, node: T) -> None:
        if self.low[node] != self.number[node]:
            return
        members = [self.stack.pop()]
        while members[-1] != node:
            members.append(self.stack.pop())
        members.reverse()
        self.on_stack.difference_update(members)
        if len(members) > 1 or node in self.needs[node]:
            self.found.append(tuple(members))

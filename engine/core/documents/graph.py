"""The order of things that depend on each other: steps in a workflow, workflows in workflows.

Kahn's algorithm over indexes in document order, so that the order is the same on every machine
and ties keep the author's order. A circle is a value, not an exception.
"""

from collections.abc import Collection, Hashable, Mapping
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
    waiting = [len(set(needs[name])) for name in names]
    feeds: list[list[int]] = [[] for _ in names]
    for name in names:
        for need in set(needs[name]):
            feeds[index[need]].append(index[name])
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
            level[follower] = max(level[follower], level[at] + 1)
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

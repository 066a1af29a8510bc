"""The steps of a run as a tree: what belongs to a sub-workflow, a loop or a fallback under it.

A step's path says where it belongs (`checkout/charge`, `notify[3]`, `price~fallback`). Of a long
loop the first items stay and whatever did not simply succeed; how many were left out is said.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.core.views import StepView

MOST_ITEMS = 20
_ENDS = re.compile(r"[/\[~]")
_NUMBER = re.compile(r"\[(\d+)\]\Z")


@dataclass(slots=True)
class Node:
    """A step with those that belong to it."""

    name: str
    step: "StepView"
    inner: list["Node"] = field(default_factory=list)

    @property
    def item(self) -> int | None:
        """The number of a loop's item, None for anything else."""
        found = _NUMBER.fullmatch(self.name)
        return None if found is None else int(found[1])

    @property
    def uneventful(self) -> bool:
        """Whether it and all that belongs to it ended well."""
        fine = self.step.status in ("done", "skipped")
        return fine and all(node.uneventful for node in self.inner)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the tree: a step, or how many items of a loop are not shown."""

    depth: int
    name: str
    step: "StepView | None"
    left_out: int = 0


def lines(steps: Sequence["StepView"], *, everything: bool) -> Iterator[Line]:
    """The tree from top to bottom, in the order in which things began."""
    return _lines(_tree(steps), 0, everything)


def _tree(steps: Sequence["StepView"]) -> list[Node]:
    nodes: dict[str, Node] = {}
    roots: list[Node] = []
    for step in sorted(steps, key=lambda step: len(_ENDS.findall(step.path))):
        parent = next((p for p in _above(step.path) if p in nodes), "")
        name = step.path[len(parent) :].lstrip("/~")
        node = nodes[step.path] = Node(name, step)
        (nodes[parent].inner if parent else roots).append(node)
    return roots


def _above(path: str) -> Iterator[str]:
    """The paths to which `path` may belong, the nearest first.

    >>> list(_above("a[2]/b~fallback"))
    ['a[2]/b', 'a[2]', 'a']
    """
    ends = [found.start() for found in _ENDS.finditer(path) if found.start()]
    return (path[:end] for end in reversed(ends))


def _lines(nodes: Iterable[Node], depth: int, everything: bool) -> Iterator[Line]:
    items = 0
    left_out = 0
    for node in sorted(nodes, key=lambda node: -1 if node.item is None else node.item):
        items += node.item is not None
        if node.item is not None and items > MOST_ITEMS and node.uneventful and not everything:
            left_out += 1
            continue
        yield Line(depth, node.name, node.step)
        yield from _lines(node.inner, depth + 1, everything)
    if left_out:
        yield Line(depth, "", None, left_out)

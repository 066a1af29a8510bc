"""Catalogues for tests of the blast radius, in the words of the seed."""

from collections.abc import Iterable, Mapping

from engine.core.impact.adjacency import TASK, WORKFLOW, Adjacency, Key, adjacency
from engine.core.impact.spread import Spread, spread


def task(name: str) -> Key:
    """A task."""
    return Key(TASK, name)


def workflow(name: str) -> Key:
    """A workflow."""
    return Key(WORKFLOW, name)


def catalogue(workflows: Mapping[str, str]) -> Adjacency:
    """Workflows with the tasks that they use, by their letters: `{"W1": "AB"}`."""
    rows: dict[Key, Iterable[Key]] = {
        task(each): () for used in workflows.values() for each in used
    }
    rows |= {workflow(name): map(task, used) for name, used in workflows.items()}
    return adjacency(rows)


def reached(edges: Adjacency, start: Key, depth: int = 0, most: int = 0) -> Spread:
    """What a change of something reaches."""
    return spread(edges, edges.find(start), depth, most)


def levels(edges: Adjacency, found: Spread) -> list[tuple[list[str], list[str]]]:
    """The names of workflows and tasks, level by level."""
    return [
        ([*edges.names.some(level.workflows)], [*edges.names.some(level.tasks)])
        for level in found.levels
    ]

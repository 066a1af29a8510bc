"""Workflows that start workflows: which of them cannot be used because of those they start.

Only names are looked at, so the workflows themselves need not be in memory.
"""

from collections.abc import Callable, Mapping

from engine.core.documents.graph import rings, sort
from engine.core.documents.names import Key, written
from engine.core.documents.raw import Report

Needs = Mapping[Key, set[Key]]
"""By workflow, those that it may start."""


def circles(needs: Needs) -> dict[Key, str]:
    """The workflows that start each other without end, each with the circle it is on."""
    found: dict[Key, str] = {}
    for ring in rings(needs):
        circle = sort({key: needs[key] & set(ring) for key in ring}).cycle
        shown = " -> ".join(written(key) for key in circle[:9])
        found |= dict.fromkeys(ring, shown)
    return found


def stranded(needs: Needs, good: Callable[[Key], bool]) -> dict[Key, Key]:
    """The workflows that cannot do without one that is not good, directly or through others."""
    callers: dict[Key, list[Key]] = {}
    for key, wanted in needs.items():
        for one in wanted:
            callers.setdefault(one, []).append(key)
    gone = {key for key in callers if key not in needs and not good(key)}
    todo = list(gone)
    while todo:
        for key in callers.get(todo.pop(), ()):
            if key not in gone:
                gone.add(key)
                todo.append(key)
    return {key: min(needs[key] & gone) for key in needs if key in gone}


def tell_circle(report: Report, shown: str) -> None:
    """Write down that the workflow is on a circle."""
    message = f"these workflows start each other without end: {shown}"
    report.error("spec.tasks", "recursion", message, "cut one of the references")


def tell_stranded(report: Report, missing: Key) -> None:
    """Write down that the workflow starts one that cannot be used."""
    message = f"the workflow {written(missing)} has errors of its own"
    report.error("spec.tasks", "broken_reference", message, "put that document right first")

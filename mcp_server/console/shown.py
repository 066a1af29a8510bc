"""A plan laid out for the page: the very lines that every channel shows, grouped by operation.

The lines are the renderer's (engine/core/approval/render.py), in its order and with its words;
here they only find their places: a heading, fields beside it, a box for the assistant's words.
Nothing is left out: a plan of which not everything is shown cannot be allowed from here.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.core.approval.plan import Plan
    from engine.core.approval.views import ApprovalView

MANY = 20
"""Operations above which the PIN is asked for again, whatever they do."""


@dataclass(slots=True)
class Shown:
    """One operation as it is shown; `at` is its place in the plan."""

    at: int
    title: str
    loud: bool
    fields: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Layout:
    """A whole plan: its title, what else heads it, warnings, operations, later, the box."""

    title: str = ""
    head: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    operations: list[Shown] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    rationale: list[str] = field(default_factory=list)


def layout(plan: "Plan") -> Layout:
    """The plan's lines in their places."""
    from engine.core.approval.plan import DESTRUCTIVE
    from engine.core.approval.render import lines

    found = Layout()
    aside = {"warning": found.warnings, "later": found.later, "rationale": found.rationale}
    for line in lines(plan):
        if line.kind == "operation":
            loud = plan.ops[line.at].verb in DESTRUCTIVE
            found.operations.append(Shown(line.at, line.text, loud))
        elif line.kind == "field":
            _put(found.operations[-1], line.text)
        elif line.kind == "head":
            found.head.append(line.text)
        else:
            aside[line.kind].append(line.text)
    found.title = found.head.pop(0)
    return found


def _put(operation: Shown, text: str) -> None:
    name, colon, rest = text.partition(": ")
    if colon:
        operation.fields.append((name, rest))
    else:
        operation.notes.append(text)


def wants_pin(view: "ApprovalView") -> bool:
    """Whether the PIN is asked for again: for all that cannot be taken back, or is much.

    A cookie is not kept apart by port, so a session alone allows only what can be undone.
    """
    from engine.core.approval.plan import destructive

    plan = view.plan
    much = len(plan.ops) > MANY or plan.kind != "run.mutations"
    return bool(view.confirm) or much or destructive(plan)

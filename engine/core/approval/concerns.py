"""How much else a change of the catalogue concerns, as its plan carries it.

It stands among the arguments of the plan's first operation, so it is part of the bytes that a
person approves and policies see it. It is counted when the question is asked, and is no part of
what is asked: whoever asks for the same after somebody else's document came meets the same
question, and a no to it holds.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.core.approval.plan import CATALOGUE, CONCERNS, Operation, Plan
from engine.core.value import value


@value
class Concerns:
    """Other workflows, and tasks, that are at most so many steps away."""

    workflows: int
    tasks: int
    depth: int

    @property
    def words(self) -> str:
        """One line for people.

        >>> Concerns(5, 1, 3).words, Concerns(0, 0, 3).words
        ('concerns 5 other workflows and 1 task (depth 3)', 'concerns no other workflow (depth 3)')
        """
        if not self.workflows and not self.tasks:
            return f"concerns no other workflow (depth {self.depth})"
        flows = f"{self.workflows:,} other workflow{'' if self.workflows == 1 else 's'}"
        tasks = f"{self.tasks:,} task{'' if self.tasks == 1 else 's'}"
        return f"concerns {flows} and {tasks} (depth {self.depth})"


def concerning(ops: tuple[Operation, ...], found: Concerns) -> tuple[Operation, ...]:
    """The operations of a plan with what they concern together."""
    told = {"workflows": found.workflows, "tasks": found.tasks, "depth": found.depth}
    return (replace(ops[0], args={**ops[0].args, CONCERNS: told}), *ops[1:])


def concerned(plan: Plan) -> Concerns | None:
    """What a plan says that it concerns; None when it says nothing of it."""
    args: Any = plan.ops[0].args if plan.ops and plan.kind in CATALOGUE else None
    told = args.get(CONCERNS) if isinstance(args, Mapping) else None
    return Concerns(**told) if isinstance(told, Mapping) else None

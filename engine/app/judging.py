"""What the policy says of a plan, now."""

from collections.abc import Awaitable, Callable
from typing import Literal

from engine.core.approval.plan import Plan
from engine.core.value import value


@value
class Verdict:
    """Whether a person is asked; `assurance` is the least that counts, `typed` as in a vote."""

    says: Literal["allow", "ask", "deny"]
    rule: str = ""
    assurance: str = "A2"
    typed: bool = False

    @property
    def needed(self) -> str:
        """The assurance that a vote needs now; empty when nobody may allow it."""
        return "" if self.says == "deny" else self.assurance if self.says == "ask" else "A1"


Judge = Callable[[Plan, int], Awaitable[Verdict]]
"""Judges a plan at a time."""


async def ask_always(plan: Plan, now: int) -> Verdict:
    """A person with a PIN decides on every change."""
    return Verdict("ask")


REVISION = "ask-always"

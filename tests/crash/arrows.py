"""The seven places at which a process may die between a proposal and its outcome, and four systems.

A process dies when something has been recorded, or right before, or while a request is under way.
What the other system did by then is counted there, and nowhere else.
"""

from dataclasses import dataclass
from typing import Any

from engine.core import events as ev

KINDS = ("none", "natural", "key", "lookup")


@dataclass(frozen=True)
class Arrow:
    """A moment: `before` or after the append that holds an event of some class; else on the way.

    `how` is what the till does with the request meanwhile, when that makes a difference.
    """

    name: str
    event: type[Any] | None
    before: bool = False
    how: str = "fine"

    def hits(self, events: list[Any], *, before: bool) -> bool:
        """Whether this is the moment."""
        kind = self.event
        return kind is not None and self.before is before and any(type(e) is kind for e in events)


ARROWS = (
    Arrow("proposed", ev.RunPaused, before=True),
    Arrow("parked", ev.RunPaused),
    Arrow("voted", None),
    Arrow("claimed", ev.MutationsGranted, before=True),
    Arrow("intent", ev.StepInFlight),
    Arrow("sent and not processed", None, how="lost"),
    Arrow("sent and processed", None, how="silent"),
    Arrow("answered", ev.StepSucceeded, before=True),
    Arrow("outcome", ev.StepSucceeded),
    Arrow("refused", ev.StepFailed, before=True, how="503"),
    Arrow("refusal recorded", ev.StepFailed, how="503"),
)
"""The last two are the outcome of what was not processed."""

"""What a search found, as whoever asked sees it: the hits, and how far they can be relied on.

How a workflow is found and scored is not known here.
"""

from dataclasses import dataclass

from engine.core.value import value
from engine.core.views import WorkflowInfo


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result: higher scores are better, 1.0 is an exact name."""

    info: WorkflowInfo
    score: float
    why: str


@value
class Found:
    """What a search found, best first, and how far the first hit can be relied on.

    `confidence` is the measured chance that the first is what was meant: from 0.8 on it is right
    at least 95 times in 100. `close` are the full names of hits that fit as well as the first, so
    that a person has to choose. Not `good`: nothing fits, whatever stands among the hits.
    """

    hits: tuple[Hit, ...] = ()
    confidence: float = 0.0
    close: tuple[str, ...] = ()
    good: bool = False

"""Which steps of a scope may be looked at, without looking at all of them each time.

The steps of a workflow lie in levels: each depends on one of the level before, at least. So the
levels that are settled need no second look, and when nothing of a level has settled, nothing
after it can be ready. A long chain costs a step's look at a time, not a chain's.
"""

from collections.abc import Iterator, Mapping, Sequence

from engine.core.model import Step, Workflow

Settled = Mapping[str, Mapping[str, object]]
"""By step id, what templates see of a step that has settled or failed."""


class Levels:
    """The steps of one scope of one run that have not settled."""

    def __init__(self, workflow: Workflow) -> None:
        self._whole = workflow.levels
        self._open: list[Sequence[Step]] = list(workflow.levels)
        self._first = 0

    def ready(self, settled: Settled) -> Iterator[Step]:
        """The open steps that wait for none, as it is when each is asked for.

        A step that has failed is among them: a fallback may still save it.
        """
        for number in range(self._first, len(self._open)):
            still: list[Step] = []
            for step in self._open[number]:
                known = settled.get(step.id)
                if _done(known):
                    continue
                if known is not None or _ready(step, settled):
                    yield step
                    if _done(settled.get(step.id)):
                        continue
                still.append(step)
            self._open[number] = still
            if len(still) == len(self._whole[number]):
                return

    def over(self) -> bool:
        """Whether no step is open any more."""
        while self._first < len(self._open) and not self._open[self._first]:
            self._first += 1
        return self._first == len(self._open)


def _done(known: Mapping[str, object] | None) -> bool:
    return known is not None and known["status"] != "failed"


def _ready(step: Step, settled: Settled) -> bool:
    return all(_done(settled.get(name)) for name in step.depends)

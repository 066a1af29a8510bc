"""A run in a process's hands, and the history that it has of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.core.log import Entry, Recorded
from engine.core.state import Run
from engine.core.views import RunView


@dataclass(slots=True)
class Held:
    """A run that this process works on, and its history, which ends where its stream does.

    `lane` is where it queues when it is due again. `shown` is how a reader sees it, once that can
    change no more.
    """

    stream: int
    run: Run
    tenant: str
    recorded: list[Recorded]
    lane: int = 0
    shown: RunView | None = None

    @property
    def version(self) -> int:
        """The version that the stream is at, as far as this process knows."""
        return self.recorded[-1].version


def recorded(entry: Entry, tenant: str, stream: int, at: int, actor: str) -> Iterable[Recorded]:
    """The events of an entry as the journal has them now, but for their positions."""
    for number, event in enumerate(entry.events, entry.expected + 1):
        yield Recorded(0, tenant, stream, number, at, actor, event)

"""When a run is looked at next, as writes of the table `due`.

Leases and alarms are not history: they go into an append beside its events. Which lane a run waits
in, and what the time is, come in as arguments.
"""

from engine.core.log import Param, Write

NOBODY = 0
"""The owner of a run that anybody may take up."""
PATIENCE = 60_000_000
"""Microseconds after which somebody looks at what a cancelled run has sent."""


def due(stream: int, tenant: str, lane: int, at: int) -> Write:
    """Let whoever comes first take a run up from `at` on, in microseconds since the epoch."""
    place: dict[str, Param] = {"stream": stream, "tenant": tenant, "lane": lane}
    return Write("due_put", {**place, "at": at, "owner": NOBODY})


def done_with(stream: int) -> Write:
    """Nobody has to look at a run any more."""
    return Write("due_drop", {"stream": stream})

"""The words shared by everything that writes to or reads from the journal.

The journal is one append-only sequence of events, each with an integer position. A stream
is named by the position of its own first event, so stream ids are small, ordered by time
and need no counter. Tables beside the journal are projections: pure functions of events.

What is made for every event is a named tuple: as immutable as a frozen dataclass, and made in a
third of the time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Param = str | int | bytes | None
Row = Mapping[str, Any]

NEW = 0
"""The stream id of a stream that does not exist yet; `append` gives it one."""


SAME = -1
"""The stream id of an entry that goes on where the entry before it has ended."""


class Recorded(NamedTuple):
    """An event that is in the journal, with its place there. `at` is in microseconds."""

    position: int
    tenant: str
    stream: int
    version: int
    at: int
    actor: str
    event: Any


class Write(NamedTuple):
    """One named statement with its parameters: a side effect still on paper."""

    query: str
    params: Mapping[str, Param]


Project = Callable[[Recorded], Iterable[Write]]
"""A read model is a function from one recorded event to the rows it touches."""

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the body of one schema number into the body of the next."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """An event type: its name on disk, its class, and how older bodies become today's."""

    name: str
    cls: type[Any]
    upcasts: tuple[Upcast, ...] = ()


@dataclass(frozen=True, slots=True)
class Feature:
    """Everything a feature may bring to the engine; there is no other way in.

    `project` says by the class of an event which function draws it; the events of other classes
    are not even shown to the feature. `tables` are those that these functions alone fill.
    """

    name: str
    kinds: tuple[EventKind, ...] = ()
    tables: tuple[str, ...] = ()
    project: Mapping[type[Any], Project] = field(default_factory=dict)


class Unless(NamedTuple):
    """A precondition checked inside the transaction: the append fails if `query` finds a row."""

    query: str
    params: Mapping[str, Param]


class Entry(NamedTuple):
    """Events for one stream. `expected` is the version the writer believes it is at; 0 is new.

    `also` are writes that are not projections (leases); they may say `:stream`, which
    `append` fills in. `by` is the actor and `at` the time, where those
    are not the whole's.
    """

    stream: int
    expected: int
    events: tuple[Any, ...]
    also: tuple[Write, ...] = ()
    by: str = ""
    at: int = 0


class Append(NamedTuple):
    """One or more entries that are written together or not at all, each for another stream, or
    for the SAME as the one before it.
    """

    entries: tuple[Entry, ...]
    at: int
    actor: str
    tenant: str = "default"
    unless: Unless | None = None


class Appended(NamedTuple):
    """Where an append ended: the stream id and the new version of each entry, in order."""

    streams: tuple[int, ...]
    versions: tuple[int, ...]


class Taken(Exception):
    """An `Unless` found a row; nothing was written. `row` is what it found."""

    def __init__(self, row: Row) -> None:
        super().__init__("the precondition found a row")
        self.row = row

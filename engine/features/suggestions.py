"""Suggested labels: which are open, which were accepted or rejected, and whose they were.

A suggestion is accepted when the label is added, by whomever and in whatever way.
"""

import json
from collections.abc import Iterable
from types import MappingProxyType

from engine.core.labels.events import LabelAdded
from engine.core.labels.filter import fold
from engine.core.labels.suggested import SuggestionMade, SuggestionRejected
from engine.core.log import EventKind, Feature, Param, Recorded, Write

OPEN, ACCEPTED, REJECTED = range(3)
"""What became of a suggestion."""


def _place(recorded: Recorded) -> dict[str, Param]:
    event = recorded.event
    return {
        "tenant": recorded.tenant, "thing": event.thing, "namespace": event.namespace,
        "name": event.name, "type": event.type, "word": fold(event.label),
    }  # fmt: skip


def _cell(place: dict[str, Param]) -> str:
    """The name of a row: what stands in one batch about the same one keeps its order."""
    return json.dumps(list(place.values()))


def _settled(recorded: Recorded, state: int) -> Iterable[Write]:
    cell = _cell(_place(recorded))
    return (Write("suggestion_settled", {"cell": cell, "state": state, "at": recorded.at}),)


def _made(recorded: Recorded) -> Iterable[Write]:
    event: SuggestionMade = recorded.event
    more: dict[str, Param] = {
        "label": event.label, "source": event.source, "confidence": event.confidence,
    }  # fmt: skip
    place = _place(recorded)
    return (Write("suggestion_put", {"cell": _cell(place), **place, **more, "at": recorded.at}),)


def _accepted(recorded: Recorded) -> Iterable[Write]:
    return _settled(recorded, ACCEPTED)


def _rejected(recorded: Recorded) -> Iterable[Write]:
    return _settled(recorded, REJECTED)


FEATURE = Feature(
    name="suggestions",
    kinds=(
        EventKind("suggestion.made", SuggestionMade),
        EventKind("suggestion.rejected", SuggestionRejected),
    ),
    tables=("suggestions",),
    project=MappingProxyType(
        {SuggestionMade: _made, SuggestionRejected: _rejected, LabelAdded: _accepted}
    ),
)

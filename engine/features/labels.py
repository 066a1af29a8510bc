"""Labels by people: what holds now, what moved by which change, and how many a day."""

import json
from collections.abc import Iterable
from types import MappingProxyType

from engine.core.labels.change import Move, state_after
from engine.core.labels.events import LabelAdded, LabelRemoved
from engine.core.labels.filter import fold
from engine.core.log import EventKind, Feature, Param, Recorded, Write

DAY = 86_400_000_000
"""Microseconds of a day; days begin at midnight UTC."""


def _added(recorded: Recorded) -> Iterable[Write]:
    event: LabelAdded = recorded.event
    return _drawn(recorded, Move(event.type, event.label, added=True, lasting=event.own))


def _removed(recorded: Recorded) -> Iterable[Write]:
    event: LabelRemoved = recorded.event
    return _drawn(recorded, Move(event.type, event.label, added=False, lasting=event.hides))


def _drawn(recorded: Recorded, move: Move) -> Iterable[Write]:
    event = recorded.event
    place: dict[str, Param] = {
        "tenant": recorded.tenant, "thing": event.thing, "namespace": event.namespace,
        "name": event.name, "type": event.type, "word": fold(event.label),
    }  # fmt: skip
    moved: dict[str, Param] = {
        "label": event.label, "at": recorded.at, "position": recorded.position,
    }  # fmt: skip
    lasting, added = int(move.lasting), int(move.added)
    day: dict[str, Param] = {
        "tenant": recorded.tenant, "day": recorded.at // DAY, "type": event.type,
        "word": fold(event.label), "added": added, "removed": 1 - added,
    }  # fmt: skip
    head: dict[str, Param] = {
        "tenant": recorded.tenant, "stream": recorded.stream, "version": recorded.version,
    }  # fmt: skip
    cell = {"cell": json.dumps(list(place.values()))}
    of_day = {"cell": json.dumps([place["tenant"], day["day"], day["type"], day["word"]])}
    return (
        Write("label_put", {**cell, **place, **moved, "state": state_after(move)}),
        Write(
            "label_moved",
            {**place, **moved, "change": event.change, "added": added, "lasting": lasting},
        ),
        Write("label_day", {**of_day, **day}),
        Write("label_head_put", head),
    )


FEATURE = Feature(
    name="labels",
    kinds=(EventKind("label.added", LabelAdded), EventKind("label.removed", LabelRemoved)),
    tables=("labels", "label_moves", "label_days", "label_heads"),
    project=MappingProxyType({LabelAdded: _added, LabelRemoved: _removed}),
)

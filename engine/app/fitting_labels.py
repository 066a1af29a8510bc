"""Fits what speaks for a label to items whose labels people gave, and says how good that is.

Each source counts the same, whatever its size, and so does each item in it. The floor is the
lowest confidence from which on the share `PRECISE` of what is shown is right. The figures come
from two halves, split by a digest of the id, each judged by the weights of the other; what is
shipped is fitted to both. The same rows give the same bytes.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from engine.app.judging_labels import Judged, Row, circles
from engine.core.discovery.fit import Verdict, threshold, verdicts
from engine.core.discovery.neighbours import (
    FEATURES,
    TYPES,
    Label,
    Type,
    Weighing,
    Weighings,
    chance,
    weighings,
)
from engine.core.value import value

PRECISE = 0.7
"""Of what is shown, the share that people should keep (the aim of seed 003 is above 70 %)."""
PENALTY = 0.0005
_DIGITS = 4
_WHOLE = 10_000
"""What a source counts in all: far above what the fit leaves out as faint."""


@value
class Told:
    """An item with what speaks for each label, and the labels that people gave it."""

    id: str
    source: str
    evidence: dict[Label, tuple[float, ...]]
    given: frozenset[Label]


def told(rows: Iterable[Row]) -> list[Told]:
    """What the rows come to; the same for every fit."""
    return [_told(each) for each in circles(rows)]


def _told(each: Judged) -> Told:
    return Told(each.id, each.source, each.evidence(), each.given)


def fitted(items: Sequence[Told]) -> dict[str, Any]:
    """The weights as a JSON document."""
    return {kind: _fitted(items, kind) for kind in TYPES}


def _fitted(items: Sequence[Told], kind: Type) -> dict[str, Any]:
    having = [each for each in items if any(label[0] == kind for label in each.given)]
    sizes = Counter(each.source for each in having)
    known = [
        Verdict(list(row), label in each.given, _WHOLE / sizes[each.source])
        for each in having
        for label, row in each.evidence.items()
        if label[0] == kind
    ]
    line = verdicts(known, PENALTY)
    weights = [round(weight, _DIGITS) for weight in line.weights]
    made = Weighing(tuple(weights), round(line.bias, _DIGITS), 0.0)
    chances = [(chance(made, each.row), each.right, each.weight) for each in known]
    floor = round(min(0.9, threshold(chances, PRECISE)), 3)
    return {
        "weights": dict(zip(FEATURES, weights, strict=True)),
        "bias": made.bias,
        "floor": floor,
    }


def half(id: str) -> int:
    """The half of an item, by its id."""
    return hashlib.sha256(id.encode()).digest()[-1] % 2


def crossed(items: Sequence[Told]) -> Iterable[tuple[Told, Weighings]]:
    """Each item with weights that were fitted without its half."""
    for side in (0, 1):
        made = weighings(fitted([each for each in items if half(each.id) != side]))
        yield from ((each, made) for each in items if half(each.id) == side)

"""Fits what speaks for a label to items whose labels people gave, and says how good that is.

Each source counts the same, whatever its size, and so does each item in it. Categories are fitted
to which one an item has among those around it, tags to whether it has each. The floor is the
lowest confidence from which on the share `PRECISE` of what is shown is right. The figures come
from two halves, split by a digest of the id, each judged by the weights of the other; what is
shipped is fitted to both. The same rows give the same bytes.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from engine.app.judging_labels import Judged, Row, circles
from engine.core.discovery.fit import (
    Choice,
    Line,
    Verdict,
    preferences,
    threshold,
    verdicts,
)
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
from engine.core.discovery.rank import score
from engine.core.value import value

PRECISE = 0.7
"""Of what is shown, the share that people should keep (the aim of seed 003 is above 70 %)."""
PENALTY, PENALTY_OF_CHOICE = 0.0005, 0.2
"""What large weights cost. An item is one choice and many labels, so choices are few; theirs was
found by cross-validation within one half."""
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
    known = _known(items, kind)
    line = _LINES[kind](known)
    weights = [round(weight, _DIGITS) for weight in line.weights]
    made = Weighing(tuple(weights), round(line.bias, _DIGITS), 0.0)
    chances = [(chance(made, each.row), each.right, each.weight) for each in chain(*known)]
    floor = round(min(0.9, threshold(chances, PRECISE)), 3)
    return {
        "weights": dict(zip(FEATURES, weights, strict=True)),
        "bias": made.bias,
        "floor": floor,
    }


def _known(items: Sequence[Told], kind: Type) -> list[list[Verdict]]:
    """Of each item that has such labels, which of those around it are its own."""
    having = [each for each in items if any(label[0] == kind for label in each.given)]
    sizes = Counter(each.source for each in having)
    return [
        [
            Verdict(list(row), label in each.given, _WHOLE / sizes[each.source])
            for label, row in each.evidence.items()
            if label[0] == kind
        ]
        for each in having
    ]


def _whether(known: Sequence[Sequence[Verdict]]) -> Line:
    """The line that says best of each label whether it fits."""
    return verdicts(list(chain(*known)), PENALTY)


def _which(known: Sequence[Sequence[Verdict]]) -> Line:
    """The line that says best which label of an item fits, its chance fitted to how often it
    does. What all labels of an item share tells nothing about which."""
    weights = preferences([_choice(each) for each in known if each], PENALTY_OF_CHOICE)
    scores = [
        Verdict([score(weights, each.row)], each.right, each.weight) for each in chain(*known)
    ]
    line = verdicts(scores, PENALTY)
    return Line([line.weights[0] * weight for weight in weights], line.bias)


def _choice(labels: Sequence[Verdict]) -> Choice:
    return Choice([each.row for each in labels], [each.right for each in labels], labels[0].weight)


_LINES: Mapping[Type, Callable[[Sequence[Sequence[Verdict]]], Line]] = {
    "tag": _whether,
    "category": _which,
}
"""An item has one or two of a few categories, and any number of tags."""


def half(id: str) -> int:
    """The half of an item, by its id."""
    return hashlib.sha256(id.encode()).digest()[-1] % 2


def crossed(items: Sequence[Told]) -> Iterable[tuple[Told, Weighings]]:
    """Each item with weights that were fitted without its half."""
    for side in (0, 1):
        made = weighings(fitted([each for each in items if half(each.id) != side]))
        yield from ((each, made) for each in items if half(each.id) == side)

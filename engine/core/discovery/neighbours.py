"""Labels that the nearest neighbours of a workflow or task have, with how sure each one is.

A label is suggested for what speaks for it: how many of the nearest have it, by each measure of
likeness, whether its words are the item's own, and whether the item's words are those of all that
have it. What these numbers weigh is fitted to examples and comes in as a value; the fitted chance
is the confidence. Only labels that somebody gave to something are ever suggested here, and text
is only ever counted: no sentence in a description can do more than its words do.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from math import exp, isfinite, log, sqrt
from typing import Any, Literal

from engine.core.discovery.likeness import Item, Likeness, Rarity, bag, damped, likenesses
from engine.core.discovery.words import stems
from engine.core.value import value

Type = Literal["tag", "category"]
TYPES: tuple[Type, ...] = ("tag", "category")
Label = tuple[Type, str]

FEATURES = ("angle", "words", "name", "text", "uses", "kindred", "spelled")
"""What speaks for a label: the share of the 20 nearest that have it, by each measure of likeness;
how much the item's words are those of all who have it; how many of its own words the item has."""

NEAREST = 20
SHOWN = 15
"""Neighbours that a reason counts."""
_NAMED = 3
_SMOOTHING = 10
"""As many of the usual kind are added to those that have a label, so that few say little."""


@value
class Neighbour:
    """One that may be like the item. `title` is for people."""

    title: str
    item: Item
    labels: frozenset[Label]


@value
class Suggested:
    """A label that may fit. `confidence` is the chance that it does, `reason` is in words."""

    label: str
    type: Type
    confidence: float
    reason: str


@value
class Weighing:
    """What each feature weighs for one type of label; below `floor` nothing is suggested."""

    weights: tuple[float, ...]
    bias: float
    floor: float


Weighings = Mapping[Type, Weighing]


def weighings(document: Mapping[str, Any]) -> Weighings:
    """The weights in a JSON document; raises ValueError when it does not fit the features."""
    try:
        made = {kind: _weighing(document[kind]) for kind in TYPES}
    except (KeyError, TypeError) as error:
        raise ValueError(f"weights without {error}") from error
    numbers = [n for each in made.values() for n in (*each.weights, each.bias, each.floor)]
    if not all(map(isfinite, numbers)):
        raise ValueError("weights that are no numbers")
    return made


def _weighing(part: Mapping[str, Any]) -> Weighing:
    weights = tuple(float(part["weights"][name]) for name in FEATURES)
    return Weighing(weights, float(part["bias"]), float(part["floor"]))


def suggested(
    item: Item,
    near: Sequence[Neighbour],
    rarity: Rarity,
    weights: Weighings,
    *,
    without: Collection[Label] = (),
    floor: bool = True,
) -> tuple[Suggested, ...]:
    """The labels of the neighbours that may fit, best first; `without` are those not wanted.

    With `floor` False also those that are too unlikely to be shown, which is how they are judged.
    """
    likes = likenesses(item, [each.item for each in near], rarity)
    nearest = sorted(range(len(near)), key=lambda at: (-_alike(likes[at]), near[at].title))[:SHOWN]
    found = []
    for label, row in evidence(item, near, likes).items():
        made = weights[label[0]]
        confidence = round(chance(made, row), 3)
        if label not in without and (confidence >= made.floor or not floor):
            reason = _reason(label, [near[at] for at in nearest])
            found.append(Suggested(label[1], label[0], confidence, reason))
    return tuple(sorted(found, key=lambda each: (-each.confidence, each.type, each.label)))


def chance(weighing: Weighing, row: Sequence[float]) -> float:
    """The chance that a label fits, by what speaks for it."""
    odds = sum(w * x for w, x in zip(weighing.weights, row, strict=True)) + weighing.bias
    return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))


def evidence(
    item: Item, near: Sequence[Neighbour], likes: Sequence[Likeness]
) -> dict[Label, tuple[float, ...]]:
    """What speaks for each label that a neighbour has: the numbers of FEATURES."""
    measures = (
        _shares([like.angle**2 for like in likes]),
        _shares([like.words for like in likes]),
        _shares([like.name for like in likes]),
        _shares([like.text for like in likes]),
        _shares([like.uses for like in likes]),
    )
    kindred = _Kindred(item, near)
    having: defaultdict[Label, list[int]] = defaultdict(list)
    for at, each in enumerate(near):
        for label in each.labels:
            having[label].append(at)
    return {
        label: (
            *(sum(shares.get(at, 0.0) for at in places) for shares in measures),
            kindred.of(places),
            kindred.spelled(label[1]),
        )
        for label, places in sorted(having.items())
    }


def _alike(like: Likeness) -> float:
    return like.angle + like.words


def _shares(numbers: Sequence[float]) -> dict[int, float]:
    """Of the nearest by one measure, what each one's part is."""
    best = sorted((-number, at) for at, number in enumerate(numbers) if number > 0)[:NEAREST]
    whole = sum(-number for number, _ in best)
    return {at: -number / whole for number, at in best}


class _Kindred:
    """Which of an item's words are more common among some of its neighbours than among all.

    A word that they have not speaks against no label: most of those that have one have few of
    its words, and what is missing would drown what is there.
    """

    def __init__(self, item: Item, near: Sequence[Neighbour]) -> None:
        self._mine = damped(bag(item))
        self._length = sqrt(sum(count * count for count in self._mine.values())) or 1.0
        self._theirs = [self._mine.keys() & bag(each.item).keys() for each in near]
        having = Counter(chain.from_iterable(self._theirs))
        self._usual = {word: (having[word] + 0.5) / (len(near) + 1) for word in self._mine}

    def of(self, places: Sequence[int]) -> float:
        """How much more common, as a logarithm, summed over the words by what they count."""
        here = Counter(chain.from_iterable(self._theirs[at] for at in places))
        told = 0.0
        for word, count in self._mine.items():
            if word in here:
                usual = self._usual[word]
                share = (here[word] + _SMOOTHING * usual) / (len(places) + _SMOOTHING)
                told += count * max(0.0, log(share / usual))
        return told / self._length

    def spelled(self, label: str) -> float:
        """The share of a label's words that the item has."""
        words = stems(label, 20, small=True)
        return sum(word in self._mine for word in words) / max(1, len(words))


def _reason(label: Label, nearest: Iterable[Neighbour]) -> str:
    close = list(nearest)
    having = [each.title for each in close if label in each.labels]
    if not having:
        return "its words are like those of others that have it"
    named = ", ".join(having[:_NAMED]) + (", …" if len(having) > _NAMED else "")
    return f"{len(having)} of the {len(close)} nearest have it: {named}"

"""A learned score over features, and what it says about the whole answer.

The numbers come from a JSON document that is checked once. It holds a set for search by words
alone, and one that also weighs how near a workflow is in meaning.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp, inf, isfinite, log
from operator import mul
from typing import Any

from engine.core.discovery.features import FEATURES
from engine.core.discovery.words import Asked
from engine.core.value import value

SURE = 0.8
"""A confidence from which on the first hit is right at least 95 times in 100."""
NAMED = 0.97
"""The confidence where the query spells out the name of exactly one workflow."""
CHOICE = 0.5
"""The confidence where it is the name of several."""
SIGNS = (
    "first", "lead", "lead_of_second", "documents", "words_asked", "text", "name_covered",
    "name_spelled", "lead_covered", "in_name", "anywhere", "anywhere_of_all", "best_part",
    "pairs", "rarest_missing", "values_beyond_required",
)  # fmt: skip
"""What an answer is judged by: the first scores, the size of the catalogue, features of the first
hit."""
MEANING = ("cosine", "cosine_of_best")
"""How near a workflow is in meaning, and how far from the nearest: features and signs in one."""
SETS: Mapping[str, tuple[str, ...]] = {"lexical": FEATURES, "semantic": (*FEATURES, *MEANING)}
"""The features of each set of weights."""
_MOST_CLOSE = 5
_FAR = 6.0
"""A lead beyond which more says nothing; that of the only one."""


@value
class Weights:
    """What each feature weighs, and how scores and confidences follow; from `weights`.

    `near` is how far below the first a score may lie to be as good; `floor` is the confidence
    below which nothing fits. `levels` are the raw chances that are a confidence of 0.8, each with
    the size of the catalogue in which it is so: the more workflows, the more that look right.
    `least` is the score of a first hit below which nothing fits, however much worse all others are.
    """

    features: tuple[str, ...]
    weights: tuple[float, ...]
    slope: float
    offset: float
    signs: tuple[float, ...]
    bias: float
    levels: tuple[tuple[float, float], ...]
    near: float
    floor: float
    least: float


def signs_of(features: Sequence[str]) -> tuple[str, ...]:
    """What an answer is judged by where these are the features."""
    return (*SIGNS, *(name for name in features if name in MEANING))


def sets(document: Any) -> Mapping[str, Weights]:
    """All sets of weights out of JSON; raises ValueError when one is unknown, missing or wrong."""
    if not isinstance(document, dict) or "lexical" not in document or document.keys() - SETS:
        raise ValueError(f"weights that are not in the sets {', '.join(SETS)}")
    return {name: weights(part, SETS[name]) for name, part in document.items()}


def weights(document: Mapping[str, Any], features: Sequence[str]) -> Weights:
    """One set of weights out of JSON; raises ValueError when it does not fit these features."""
    try:
        made = Weights(
            tuple(features),
            tuple(float(document["weights"][name]) for name in features),
            float(document["slope"]),
            float(document["offset"]),
            tuple(float(document["signs"][name]) for name in signs_of(features)),
            float(document["bias"]),
            tuple((float(documents), float(raw)) for documents, raw in document["levels"]),
            float(document["near"]),
            float(document["floor"]),
            float(document["least"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"weights without {error}") from error
    _check(made, document)
    return made


def _check(made: Weights, document: Mapping[str, Any]) -> None:
    ends = (made.slope, made.offset, made.bias, made.near, made.floor, made.least)
    if not all(map(isfinite, (*made.weights, *made.signs, *ends))):
        raise ValueError("weights that are no numbers")
    if len(document["weights"]) != len(made.features) or len(document["signs"]) != len(made.signs):
        raise ValueError("weights of features that are not known")
    sizes, raws = zip(*made.levels or ((0.0, 0.0),), strict=True)
    growing = sizes[0] >= 1 and all(a < b < inf for a, b in pairwise(sizes))
    if not growing or not all(0 < raw < 1 for raw in raws):
        raise ValueError("levels that are no chances in catalogues of growing sizes")


def score(weights: Sequence[float], row: Sequence[float]) -> float:
    """The score of a workflow, on no scale of its own: only differences mean something."""
    return float(sum(map(mul, weights, row)))


def shown(made: Weights, scored: float) -> float:
    """A score as it is shown, between 0 and 1: the chance that it is right, seen by itself."""
    return chance(made.slope * scored + made.offset)


def chance(odds: float) -> float:
    """The chance that belongs to the logarithm of odds.

    >>> chance(0.0), chance(-1e9)
    (0.5, 0.0)
    """
    return 1 / (1 + exp(-odds)) if odds > -700 else 0.0


@value
class Answer:
    """What the candidates come to: their places in the order given, best first, with scores.

    `confidence` is how sure the first is, `close` the places of those that are as good.
    """

    order: tuple[int, ...]
    scores: tuple[float, ...]
    confidence: float
    close: tuple[int, ...]


def answer(
    made: Weights,
    asked: Asked,
    documents: int,
    names: Sequence[str],
    rows: Sequence[Sequence[float]],
) -> Answer:
    """The candidates in order, by their features, and how sure the first of them is."""
    if not rows:
        return Answer((), (), 0.0, ())
    order, scores = ordered(made.weights, names, rows)
    told = signs(asked, documents, scores, made.features, rows[order[0]])
    falling = zip(order[1:_MOST_CLOSE], scores[1:_MOST_CLOSE], strict=True)
    close = tuple(at for at, scored in falling if scored >= scores[0] - made.near)
    return Answer(order, scores, confidence(made, documents, told), close)


def ordered(
    weights: Sequence[float], names: Sequence[str], rows: Sequence[Sequence[float]]
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The places of the candidates, best first, with their scores; of equals the name decides."""
    scores = [score(weights, row) for row in rows]
    order = sorted(range(len(rows)), key=lambda at: (-round(scores[at], 6), names[at]))
    return tuple(order), tuple(scores[at] for at in order)


def signs(
    asked: Asked,
    documents: int,
    scores: Sequence[float],
    features: Sequence[str],
    first: Sequence[float],
) -> list[float]:
    """What an answer is judged by. `scores` falls, `first` is the row of the first hit."""
    first_three = [*scores[:3], *[scores[-1] - _FAR] * 2]
    leads = [min(_FAR, one - two) for one, two in pairwise(first_three)]
    of_first = dict(zip(features, first, strict=True))
    heads = (scores[0], *leads[:2])
    sizes = (log(1 + documents), log(1 + len(asked.words)))
    return [*heads, *sizes, *(of_first[name] for name in signs_of(features)[5:])]


def confidence(made: Weights, documents: int, signs: Sequence[float]) -> float:
    """How sure the first hit is in a catalogue of so many, by the signs of the answer."""
    return judged(level(made.levels, documents), chance(score(made.signs, signs) + made.bias))


def judged(level: float, raw: float) -> float:
    """A raw chance as a confidence, which is 0.8 where the chance has reached a level.

    >>> judged(0.9, 0.45), judged(0.9, 0.9), round(judged(0.9, 0.95), 3)
    (0.4, 0.8, 0.9)
    """
    if raw <= level:
        return SURE * (raw / level)
    return SURE + (1 - SURE) * (raw - level) / (1 - level)


def level(levels: Sequence[tuple[float, float]], documents: int) -> float:
    """The level in a catalogue of so many, between those of the sizes that were measured.

    >>> level([(10, 0.7), (1_000, 0.9)], 100), level([(10, 0.7), (1_000, 0.9)], 3)
    (0.8, 0.7)
    """
    for (few, low), (many, high) in pairwise(levels):
        if documents < many:
            part = max(0.0, log(max(documents, 1) / few) / log(many / few))
            return low + (high - low) * part
    return levels[-1][1]

"""What speaks for a workflow being the one that was meant, as numbers that a score can weigh.

Each is computed from the query's words, the workflow's, and how rare a word is in the catalogue.
What the numbers weigh is fitted to examples and stands elsewhere. Words come in sets, whose order
changes from process to process: every sum is exact, so that the numbers do not.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache
from itertools import chain, islice, pairwise
from math import fsum, log, log1p
from operator import itemgetter

from engine.core.discovery.worded import ABOUT, INPUTS, LABELS, LEAD, NAME, REST, Worded
from engine.core.discovery.words import Asked
from engine.core.value import value

FEATURES = (
    "text", "text_of_best", "name_covered", "name_spelled", "lead_covered", "description_covered",
    "words_used", "in_name", "in_lead", "in_description", "in_labels", "in_inputs", "in_about",
    "anywhere", "anywhere_of_all", "pairs", "best_part", "early_in_name", "first_of_name",
    "last_of_name", "rarest_in_name", "rarest_missing", "inputs_covered", "length", "required",
    "values_beyond_required",
)  # fmt: skip
"""The names of the numbers, in their order."""

_SATURATION = 1.2
_EARLY = 6
_SUMMED = (NAME, LEAD, LEAD | REST, LABELS, INPUTS, ABOUT, -1)


def rarity(documents: int, having: int) -> float:
    """How much a word tells that `having` of so many documents have.

    >>> round(rarity(100, 1), 2), round(rarity(100, 100), 2)
    (4.21, 0.0)
    """
    return log(1 + (documents - having + 0.5) / (having + 0.5))


@value
class Weighed:
    """A query whose words are weighed by how rare they are in the catalogue.

    `rarities` has every word that was asked, `falling` too, the rarest first; `known` is the sum
    over those that the catalogue has, `total` over all. The rest is computed once for all the
    workflows it is compared with.
    """

    asked: Asked
    rarities: Mapping[str, float]
    words: frozenset[str]
    falling: Sequence[tuple[str, float]]
    known: float
    total: float
    pairs: Mapping[tuple[str, str], float]
    pairs_sum: float
    after: Mapping[str, Sequence[str]]
    grams: frozenset[str]
    early: frozenset[str]
    early_sum: float
    parts: Sequence[tuple[frozenset[str], float]]


def weighed(asked: Asked, rarities: Mapping[str, float], known: Iterable[str]) -> Weighed:
    """A query with these rarities of its words, of which the catalogue has those in `known`."""
    pairs = {two: rarities[two[0]] + rarities[two[1]] for two in pairwise(asked.words)}
    after = dict[str, list[str]]()
    for one, two in pairs:
        after.setdefault(one, []).append(two)
    early = frozenset(islice(rarities, _EARLY))

    def summed(words: Iterable[str]) -> float:
        return fsum(map(rarities.__getitem__, words))

    return Weighed(
        asked,
        rarities,
        frozenset(rarities),
        sorted(rarities.items(), key=itemgetter(1), reverse=True),
        summed(known),
        fsum(rarities.values()),
        pairs,
        fsum(pairs.values()),
        after,
        frozenset(gram for word in rarities for gram in _grams(word)),
        early,
        summed(early),
        [(part, whole) for part in asked.parts if (whole := summed(part))],
    )


@lru_cache(maxsize=8192)
def _grams(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    return tuple(padded[at : at + 3] for at in range(len(padded) - 2))


@value
class Fit:
    """What of a query's words a workflow has, by their places among its own, and how well they
    fit, rare ones more, by the formula BM25F over the fields."""

    at: Sequence[int]
    text: float


def fit(query: Weighed, held: Worded) -> Fit:
    """How the words of a workflow fit a query."""
    asked, rarities, words, worth = query.words, query.rarities, held.words, held.worth
    at = [n for n, word in enumerate(words) if word in asked]
    return Fit(at, fsum([rarities[words[n]] * worth[n] / (_SATURATION + worth[n]) for n in at]))


@value
class Lasting:
    """What of a workflow's numbers is the same for every query, while the catalogue stays as it is.

    The sums of the rarities of the words in its name, in the first sentence of its description,
    in all of it and in its inputs; how many words the description has; the letters of the name by
    threes.
    """

    name: float
    lead: float
    description: float
    inputs: float
    length: int
    grams: Sequence[str]


def lasting(held: Worded, rarities: Iterable[float]) -> Lasting:
    """What lasts of a workflow, by the rarity of each of its words."""
    told = list(zip(rarities, held.places, strict=True))
    name, lead, description, inputs = (
        [rarity for rarity, places in told if places & bits]
        for bits in (NAME, LEAD, LEAD | REST, INPUTS)
    )
    grams = tuple({gram for word in held.texts[0] for gram in _grams(word)})
    return Lasting(fsum(name), fsum(lead), fsum(description), fsum(inputs), len(description), grams)


def features(query: Weighed, held: Worded, fit: Fit, lasting: Lasting, best: float) -> list[float]:
    """The numbers of a workflow whose words fit so, where those of the best fit by `best`."""
    known = query.known or 1.0
    hits = [(held.words[n], held.places[n]) for n in fit.at]
    told = [(query.rarities[word], places) for word, places in hits]
    sums = [fsum([rarity for rarity, places in told if places & bits]) for bits in _SUMMED]
    return [
        log1p(fit.text),
        fit.text / (best or 1.0),
        _share(sums[0], lasting.name),
        _share(len(query.grams.intersection(lasting.grams)), len(lasting.grams)),
        _share(sums[1], lasting.lead),
        _share(sums[2], lasting.description),
        _share(sum([places & (LEAD | REST) > 0 for _, places in hits]), lasting.length),
        *(each / known for each in sums),
        sums[-1] / (query.total or 1.0),
        _paired(query, held, _in(hits, NAME | LEAD | REST)),
        _best_part(query, _in(hits, NAME | LEAD | LABELS | INPUTS)),
        *_of_name(query, held, _in(hits, NAME)),
        _missing(query, _in(hits, -1)) / 10,
        _share(sums[4], lasting.inputs),
        log1p(lasting.length),
        min(held.required, 5) / 5,
        (min(query.asked.values, 6) - min(held.required, 6)) / 6,
    ]


def _in(hits: Iterable[tuple[str, int]], wanted: int) -> set[str]:
    """The words that stand in any of these places."""
    return {word for word, places in hits if places & wanted}


def _of_name(query: Weighed, held: Worded, of_name: Set[str]) -> tuple[float, float, float, float]:
    """What the words of the name tell: by the query's first words, the name's ends, the rarest."""
    if not of_name:
        return 0.0, 0.0, 0.0, 0.0
    rarities, name = query.rarities.__getitem__, held.texts[0]
    return (
        _share(fsum(map(rarities, query.early & of_name)), query.early_sum),
        float(name[0] in of_name),
        float(name[-1] in of_name),
        max(map(rarities, of_name)) / 10,
    )


def _missing(query: Weighed, hit: Set[str]) -> float:
    """The rarity of the rarest word that is asked for and not there."""
    for word, rarity in query.falling:
        if word not in hit:
            return rarity
    return 0.0


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _paired(query: Weighed, held: Worded, told: Set[str]) -> float:
    """The share of the query's neighbours that are neighbours here too; `told` of its words."""
    if len(told) < 2:
        return 0.0
    after = query.after
    pairs = {(one, two) for one in told for two in after.get(one, ()) if two in told}
    if not pairs:
        return 0.0
    found = pairs.intersection(chain.from_iterable(map(pairwise, held.texts)))
    return _share(fsum(map(query.pairs.__getitem__, found)), query.pairs_sum)


def _best_part(query: Weighed, words: Set[str]) -> float:
    """The best share of one sentence's words: a query may ask for several things."""
    best, rarities = 0.0, query.rarities.__getitem__
    if not words:
        return best
    for part, whole in query.parts:
        best = max(best, fsum(map(rarities, part & words)) / whole)
    return best

"""What speaks for a workflow being the one that was meant, as numbers that a score can weigh.

Each is computed from the query's words, the workflow's, and how rare a word is in the catalogue.
What the numbers weigh is fitted to examples and stands elsewhere. Words come in sets, whose order
changes from process to process: every sum is exact, so that the numbers do not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice, pairwise
from math import fsum, log, log1p
from operator import itemgetter

from engine.core.discovery.said import Said
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

WORTH = (4.0, 2.5, 1.0, 1.5, 1.2, 0.7)
_USUAL = (4, 10, 25, 3, 6, 30)
"""For each field: what a word in it counts, and how many words it usually has."""
_SATURATION = 1.2
_BY_LENGTH = 0.5
_EARLY = 6


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
    grams: frozenset[str]
    early: frozenset[str]
    early_sum: float
    parts: Sequence[tuple[frozenset[str], float]]


def weighed(asked: Asked, rarities: Mapping[str, float], known: Iterable[str]) -> Weighed:
    """A query with these rarities of its words, of which the catalogue has those in `known`."""
    pairs = {two: rarities[two[0]] + rarities[two[1]] for two in pairwise(asked.words)}
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
    """What of a query's words a workflow has: by field, in the order of FIELDS, and how well the
    words fit, rare ones more, by the formula BM25F over the fields."""

    found: Sequence[frozenset[str]]
    text: float


def fit(query: Weighed, said: Said) -> Fit:
    """How the words of a workflow fit a query."""
    asked, rarities, counts = query.words, query.rarities, dict[str, float]()
    found = list[frozenset[str]]()
    for words, weight, usual in zip(said.fields, WORTH, _USUAL, strict=True):
        here = asked.intersection(words)
        found.append(here)
        if here:
            each = weight / (1 - _BY_LENGTH + _BY_LENGTH * len(words) / usual)
            for word in here:
                for _ in range(words.count(word)):  # a product would round otherwise
                    counts[word] = counts.get(word, 0.0) + each
    return Fit(found, fsum([rarities[word] * n / (_SATURATION + n) for word, n in counts.items()]))


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


def lasting(said: Said, rarity: Callable[[str], float]) -> Lasting:
    """What lasts of a workflow, by the rarity of each word."""
    name, lead, inputs = set(said.name), set(said.lead), set(said.inputs)
    description = lead.union(said.rest)
    name_sum, lead_sum, description_sum, inputs_sum = (
        fsum(map(rarity, words)) for words in (name, lead, description, inputs)
    )
    grams = tuple({gram for word in name for gram in _grams(word)})
    return Lasting(name_sum, lead_sum, description_sum, inputs_sum, len(description), grams)


def features(query: Weighed, said: Said, fit: Fit, lasting: Lasting, best: float) -> list[float]:
    """The numbers of a workflow whose words fit so, where those of the best fit by `best`."""
    asked, known = query.rarities, query.known or 1.0
    of_name, of_lead, of_rest, of_labels, of_inputs, of_about = fit.found
    of_description = of_lead | of_rest
    told, listed = of_name | of_description, of_labels | of_inputs
    hit = told | listed | of_about
    sums = [
        fsum(map(asked.__getitem__, words)) if words else 0.0
        for words in (of_name, of_lead, of_description, of_labels, of_inputs, of_about, hit)
    ]
    return [
        log1p(fit.text),
        fit.text / (best or 1.0),
        _share(sums[0], lasting.name),
        _share(len(query.grams.intersection(lasting.grams)), len(lasting.grams)),
        _share(sums[1], lasting.lead),
        _share(sums[2], lasting.description),
        _share(len(of_description), lasting.length),
        *(each / known for each in sums),
        sums[-1] / (query.total or 1.0),
        _paired(query, said, told),
        _best_part(query, of_name | of_lead | listed),
        *_of_name(query, said, of_name),
        _missing(query, hit) / 10,
        _share(sums[4], lasting.inputs),
        log1p(lasting.length),
        min(said.required, 5) / 5,
        (min(query.asked.values, 6) - min(said.required, 6)) / 6,
    ]


def _of_name(
    query: Weighed, said: Said, of_name: frozenset[str]
) -> tuple[float, float, float, float]:
    """What the words of the name tell: by the query's first words, the name's ends, the rarest."""
    if not of_name:
        return 0.0, 0.0, 0.0, 0.0
    rarities = query.rarities.__getitem__
    return (
        _share(fsum(map(rarities, query.early & of_name)), query.early_sum),
        float(said.name[0] in of_name),
        float(said.name[-1] in of_name),
        max(map(rarities, of_name)) / 10,
    )


def _missing(query: Weighed, hit: frozenset[str]) -> float:
    """The rarity of the rarest word that is asked for and not there."""
    for word, rarity in query.falling:
        if word not in hit:
            return rarity
    return 0.0


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _paired(query: Weighed, said: Said, told: frozenset[str]) -> float:
    """The share of the query's neighbours that are neighbours here too; `told` of its words."""
    pairs = {(one, other) for one, other in query.pairs if one in told and other in told}
    if not pairs:
        return 0.0
    found = pairs.intersection(chain.from_iterable(map(pairwise, said.fields[:3])))
    return _share(fsum(map(query.pairs.__getitem__, found)), query.pairs_sum)


def _best_part(query: Weighed, words: frozenset[str]) -> float:
    """The best share of one sentence's words: a query may ask for several things."""
    best, rarities = 0.0, query.rarities.__getitem__
    for part, whole in query.parts:
        best = max(best, fsum(map(rarities, part & words)) / whole)
    return best

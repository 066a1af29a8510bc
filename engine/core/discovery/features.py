"""What speaks for a workflow being the one that was meant, as numbers that a score can weigh.

Each is computed from the query's words, the workflow's, and how rare a word is in the catalogue.
What the numbers weigh is fitted to examples and stands elsewhere. Words come in sets, whose order
changes from process to process: every sum is exact, so that the numbers do not.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from functools import lru_cache
from itertools import islice, pairwise
from math import fsum, log, log1p

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

    `rarities` has every word that was asked; `known` is the sum over those that the catalogue
    has, `total` over all. `of` tells the rarity of any other word. The rest is computed once for
    all the workflows it is compared with.
    """

    asked: Asked
    rarities: Mapping[str, float]
    known: float
    total: float
    of: Callable[[str], float]
    pairs: Mapping[tuple[str, str], float]
    pairs_sum: float
    grams: Set[str]
    early: Set[str]
    early_sum: float
    parts: Sequence[tuple[Set[str], float]]


def weighed(
    asked: Asked, rarities: Mapping[str, float], known: Iterable[str], of: Callable[[str], float]
) -> Weighed:
    """A query with these rarities of its words, of which the catalogue has those in `known`."""
    pairs = {two: rarities[two[0]] + rarities[two[1]] for two in pairwise(asked.words)}
    early = frozenset(islice(rarities, _EARLY))

    def summed(words: Iterable[str]) -> float:
        return fsum(map(rarities.__getitem__, words))

    return Weighed(
        asked,
        rarities,
        summed(known),
        fsum(rarities.values()),
        of,
        pairs,
        fsum(pairs.values()),
        {gram for word in rarities for gram in _grams(word)},
        early,
        summed(early),
        [(part, whole) for part in asked.parts if (whole := summed(part))],
    )


@lru_cache(maxsize=8192)
def _grams(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    return tuple(padded[at : at + 3] for at in range(len(padded) - 2))


def text_score(query: Weighed, said: Said) -> float:
    """How well the words fit, rare ones more, by the formula BM25F over the fields."""
    rarities, counts = query.rarities, dict[str, float]()
    for words, weight, usual in zip(said.fields, WORTH, _USUAL, strict=True):
        each = weight / (1 - _BY_LENGTH + _BY_LENGTH * len(words) / usual)
        for word in words:
            if word in rarities:
                counts[word] = counts.get(word, 0.0) + each
    return fsum(rarities[word] * n / (_SATURATION + n) for word, n in counts.items())


def features(query: Weighed, said: Said, text: float, best: float) -> list[float]:
    """The numbers of a workflow whose words fit by `text`, where the best workflow's fit `best`."""
    asked, known = query.rarities, query.known or 1.0
    name, lead, inputs = set(said.name), set(said.lead), set(said.inputs)
    description = lead.union(said.rest)
    of_name, of_lead, of_inputs = asked.keys() & name, asked.keys() & lead, asked.keys() & inputs
    of_description = asked.keys() & description
    of_labels, of_about = asked.keys() & said.labels, asked.keys() & said.about
    hit = of_name | of_description | of_labels | of_inputs | of_about
    sums = [
        fsum(map(asked.__getitem__, words))
        for words in (of_name, of_lead, of_description, of_labels, of_inputs, of_about, hit)
    ]
    return [
        log1p(text),
        text / (best or 1.0),
        _share(sums[0], fsum(map(query.of, name))),
        _spelled(query, name),
        _share(sums[1], fsum(map(query.of, lead))),
        _share(sums[2], fsum(map(query.of, description))),
        _share(len(of_description), len(description)),
        *(each / known for each in sums),
        sums[-1] / (query.total or 1.0),
        _paired(query, said),
        _best_part(query, of_name | of_lead | of_labels | of_inputs),
        *_of_name(query, said, of_name),
        max(map(asked.__getitem__, asked.keys() - hit), default=0.0) / 10,
        _share(sums[4], fsum(map(query.of, inputs))),
        log1p(len(description)),
        min(said.required, 5) / 5,
        (min(query.asked.values, 6) - min(said.required, 6)) / 6,
    ]


def _of_name(query: Weighed, said: Said, of_name: Set[str]) -> tuple[float, float, float, float]:
    """What the words of the name tell: by the query's first words, the name's ends, the rarest."""
    rarities = query.rarities.__getitem__
    return (
        _share(fsum(map(rarities, query.early & of_name)), query.early_sum),
        float(said.name[:1] != () and said.name[0] in of_name),
        float(said.name[:1] != () and said.name[-1] in of_name),
        max(map(rarities, of_name), default=0.0) / 10,
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _spelled(query: Weighed, name: Collection[str]) -> float:
    """The share of the name's letters, by threes, that the query has too."""
    grams = {gram for word in name for gram in _grams(word)}
    return _share(len(grams & query.grams), len(grams))


def _paired(query: Weighed, said: Said) -> float:
    """The share of the query's neighbours that are neighbours here too."""
    pairs = query.pairs
    if not pairs:
        return 0.0
    found = pairs.keys() & {two for words in said.fields[:3] for two in pairwise(words)}
    return _share(fsum(map(pairs.__getitem__, found)), query.pairs_sum)


def _best_part(query: Weighed, words: Set[str]) -> float:
    """The best share of one sentence's words: a query may ask for several things."""
    rarities = query.rarities.__getitem__
    return max(
        (fsum(map(rarities, part & words)) / whole for part, whole in query.parts), default=0.0
    )

"""How alike two workflows or tasks are: by their words, and by what they use.

Five measures, because none is best for every catalogue: the angle between all their words and
uses; how well the words of one fit the other, as a search would score it; the same for the name
and for the text alone; and what they use in common. Rare words and rarely used tasks tell more.
How rare a word is comes in as a function; where anything is kept is not known here.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import log, sqrt

from engine.core.discovery.words import stems
from engine.core.value import value

Rarity = Callable[[str], float]
"""How much a word tells; of a use, `=` stands before its name."""

_NAME, _LEAD, _REST, _USE, _WORD_OF_USE = 2.0, 2.0, 0.5, 1.0, 0.5
"""What a word counts by where it stands."""
_SATURATION, _BY_LENGTH = 1.2, 0.5
_USUAL_LEAD, _USUAL_REST, _USUAL_USES = 12, 40, 10
_IN_NAME, _IN_USES, _SHARED = 3.0, 1.5, 0.5


@value
class Item:
    """A workflow or task as its neighbours see it: words without endings, and what it uses.

    `lead` is the first sentence of its description, `rest` what follows; `uses` are written
    `kind/namespace/name`.
    """

    name: tuple[str, ...]
    lead: tuple[str, ...]
    rest: tuple[str, ...]
    uses: tuple[str, ...] = ()


@value
class Likeness:
    """How alike one is, each from 0 up."""

    angle: float
    words: float
    name: float
    text: float
    uses: float


@lru_cache(maxsize=16_384)
def words_of_use(use: str) -> tuple[str, ...]:
    """The words in the name of what is used; `use` is `kind/namespace/name`.

    >>> words_of_use("task/default/send-invoices"), words_of_use("connector/shop/api")
    (('send', 'invoic'), ('shop', 'api'))
    """
    _, _, name = use.partition("/")
    return tuple(stems(name.removeprefix("default/"), 20, small=True))


def bag(item: Item) -> Counter[str]:
    """Every word and use of an item with what it counts."""
    found: Counter[str] = Counter()
    for words, weight in ((item.name, _NAME), (item.lead, _LEAD), (item.rest, _REST)):
        for word in words:
            found[word] += weight  # type: ignore[assignment]
    for use in item.uses:
        found[f"={use}"] += _USE  # type: ignore[assignment]
        for word in words_of_use(use):
            found[word] += _WORD_OF_USE  # type: ignore[assignment]
    return found


def likenesses(item: Item, others: Sequence[Item], rarity: Rarity) -> list[Likeness]:
    """How alike each of the others is to an item."""
    mine = bag(item)
    words = frozenset(word for word in mine if word[0] != "=")
    usual = max(1.0, sum(len(each.name) for each in others) / max(1, len(others)))
    uses = {use: rarity(f"={use}") for use in item.uses}
    all_uses = sum(uses.values()) or 1.0
    vector, length = _vector(mine, rarity)

    def fitting(other: Item) -> tuple[float, float, float]:
        lead = _fit(other.lead, words, _USUAL_LEAD, rarity)
        text = 2 * lead + _fit(other.rest, words, _USUAL_REST, rarity)
        named = [word for use in other.uses for word in words_of_use(use)]
        around = _fit(named, words, _USUAL_USES, rarity)
        return _fit(other.name, words, usual, rarity), text, around

    best = _summed(fitting(item)) or 1.0
    found = []
    for other in others:
        parts = fitting(other)
        shared = sum(uses.get(use, 0.0) for use in other.uses) / all_uses
        angle = _angle(vector, length, *_vector(bag(other), rarity))
        fits = _summed(parts) / best + _SHARED * shared
        found.append(Likeness(angle, fits, parts[0], parts[1], shared))
    return found


def _summed(parts: tuple[float, float, float]) -> float:
    return _IN_NAME * parts[0] + parts[1] + _IN_USES * parts[2]


def _fit(field: Sequence[str], words: frozenset[str], usual: float, rarity: Rarity) -> float:
    counts = Counter(word for word in field if word in words)
    norm = _SATURATION * (1 - _BY_LENGTH + _BY_LENGTH * len(field) / usual)
    return sum(
        rarity(word) * count * (_SATURATION + 1) / (count + norm) for word, count in counts.items()
    )


def damped(counts: Counter[str]) -> dict[str, float]:
    """What each word tells by how much it counts: above 1 less and less more."""
    return {word: 1 + log(count) if count > 1 else count for word, count in counts.items()}


def _vector(counts: Counter[str], rarity: Rarity) -> tuple[dict[str, float], float]:
    made = {word: count * rarity(word) for word, count in damped(counts).items()}
    return made, sqrt(sum(number * number for number in made.values())) or 1.0


def _angle(
    one: dict[str, float], length: float, other: dict[str, float], other_length: float
) -> float:
    return sum(one[word] * n for word, n in other.items() if word in one) / length / other_length

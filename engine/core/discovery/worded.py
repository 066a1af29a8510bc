"""The words of a workflow as queries are held against them: each once, and where it stands.

This is the same for every query, so it is made once and a search only looks up what was asked.
"""

from array import array
from collections.abc import Sequence

from engine.core.discovery.said import Said
from engine.core.value import value

WORTH = (4.0, 2.5, 1.0, 1.5, 1.2, 0.7)
_USUAL = (4, 10, 25, 3, 6, 30)
"""For each field: what a word in it counts, and how many words it usually has."""
_BY_LENGTH = 0.5
NAME, LEAD, REST, LABELS, INPUTS, ABOUT = (1 << field for field in range(len(WORTH)))
"""Where a word stands: a bit for each of FIELDS."""


@value
class Worded:
    """Different words, what each is worth, and the bits of where it stands.

    `worth` is the term of BM25F: how often a word is there, by field and by how long that is.
    `texts` are the words of the name, of the first sentence and of the rest, in their order;
    `required` is how many inputs the workflow cannot do without.
    """

    words: Sequence[str]
    worth: Sequence[float]
    places: bytes
    texts: tuple[tuple[str, ...], ...]
    required: int


def worded(said: Said) -> Worded:
    """The words of a workflow.

    >>> held = worded(Said(("order",), ("close", "order"), (), (), ("id",), ()))
    >>> held.words, list(held.places), held.texts
    (('order', 'close', 'id'), [3, 2, 16], (('order',), ('close', 'order'), ()))
    """
    worth, places = dict[str, float](), dict[str, int]()
    for field, words in enumerate(said.fields):
        each = WORTH[field] / (1 - _BY_LENGTH + _BY_LENGTH * len(words) / _USUAL[field])
        for word in words:
            if word in worth:
                worth[word] += each
                places[word] |= 1 << field
            else:
                worth[word], places[word] = each, 1 << field
    numbers, bits = array("d", worth.values()), bytes(places.values())
    return Worded(tuple(worth), numbers, bits, said.fields[:3], said.required)

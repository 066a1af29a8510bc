"""What can happen to a suggested label: it is made, and a person or an assistant rejects it.

Past tense, flat, JSON-shaped. That one was accepted is no event of its own: the label was added.
"""

from engine.core.value import value


@value
class SuggestionMade:
    """A label that a thing has not was suggested. `confidence` is in thousandths; `source` is
    `neighbours`, or `model` with the name of the language model."""

    thing: str
    namespace: str
    name: str
    type: str
    label: str
    source: str
    confidence: int
    model: str = ""


@value
class SuggestionRejected:
    """Somebody does not want this label here; it is not suggested again."""

    thing: str
    namespace: str
    name: str
    type: str
    label: str

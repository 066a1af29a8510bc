"""What a language model is asked about labels, and what of its answer counts.

Everything that anybody wrote goes out as data. What comes back is a wish: only labels that could
be given are taken, never a protected one, categories only among those that there are, none that
the thing has or that somebody rejected. So a text that talks the model into something gains
nothing but an ordinary tag that a person reads before anything happens (TRUST 4.7, 91).
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from engine.core.discovery.neighbours import Suggested, Type
from engine.core.labels.declared import Declared, wrong
from engine.core.labels.filter import fold
from engine.core.value import value
from engine.core.visible import visible

MOST = 8
"""Labels that are proposed."""
_LONGEST_REASON = 200
_LONGEST_TEXT = 8_000
_MOST_WORDS = 200

SYSTEM = (
    "You suggest labels for one workflow or task of a catalogue, described in JSON. Say what it is"
    " about: its domain or business area (orders, payments, users), its technical character (http,"
    " transform), its stage of life (production, beta, deprecated) and its complexity, as far as"
    " the description shows it. A category is one of the categories listed, spelled as it is"
    " there; a tag is free, short and in lower case, and one in use is better than a new one that"
    " means the same. Give few labels that surely fit, with a confidence between 0 and 1 and a"
    " reason of a few words taken from what the thing does."
)

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "suggestions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "label": {"type": "string"},
                    "type": {"enum": ["tag", "category"]},
                    "confidence": {"type": "number"},
                    "reason": {"type": "string"},
                },
                "required": ["label", "type", "confidence", "reason"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["suggestions"],
    "additionalProperties": False,
}


@value
class Subject:
    """The thing in question, as it is described to the model."""

    thing: str
    name: str
    description: str
    uses: tuple[str, ...]
    has: tuple[str, ...]


def question(subject: Subject, categories: Sequence[str], near: Sequence[Suggested]) -> str:
    """The data of the question, as JSON."""
    told = {
        "kind": subject.thing,
        "name": subject.name,
        "description": subject.description[:_LONGEST_TEXT],
        "uses": list(subject.uses[:_MOST_WORDS]),
        "labels": list(subject.has[:_MOST_WORDS]),
        "categories": list(categories[:_MOST_WORDS]),
        "tagsOfSimilarOnes": [each.label for each in near if each.type == "tag"][:_MOST_WORDS],
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


def believed(
    answer: Mapping[str, Any],
    declared: Declared,
    spelled: Callable[[Type, str], str],
    without: Collection[tuple[str, str]],
) -> tuple[Suggested, ...]:
    """What of an answer counts, best first. `without` are types and folded labels not wanted,
    `spelled` gives a label as it is written elsewhere."""
    categories = {fold(each): each for each in declared.categories}
    found: dict[tuple[str, str], Suggested] = {}
    for each in answer["suggestions"][: MOST * 4]:
        label, kind = str(each["label"]).strip(), each["type"]
        key = (kind, fold(label))
        if wrong(label) or declared.is_protected(label) or key in without or key in found:
            continue
        if kind == "category" and fold(label) not in categories:
            continue
        written = categories[fold(label)] if kind == "category" else spelled(kind, label)
        confidence = round(min(1.0, max(0.0, float(each["confidence"]))), 3)
        reason = visible(" ".join(str(each["reason"])[:_LONGEST_REASON].split()))
        found[key] = Suggested(written, kind, confidence, reason)
    best = sorted(found.values(), key=lambda each: (-each.confidence, each.type, each.label))
    return tuple(best[:MOST])

"""Inputs that a language model reads in a goal: asked for in one question, believed word by word.

The model says which words of the goal, or of the context, are which input. What it says counts
only where those words stand there exactly so, as whole words, and fit the input without loss:
a model can point at a value, and never make one. What the context gave by name is not asked for.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.core.discovery.coerce import Unfit, coerced
from engine.core.discovery.extract import Extraction, Taken, entries, properties_of, settled
from engine.core.schema import fields
from engine.core.value import value

LONGEST = 500
"""Characters of a value that may be pointed at."""

_TASK = (
    "The message holds a goal in a user's words, what is known besides (context), and the inputs"
    " of a function. Say for each input which words of the goal or of the context are its value."
    " Copy these words exactly as they stand, as short as possible. Leave an input out if its value"
    " is not said, if it would have to be worked out, or if it is not sure. Invent nothing."
)


@value
class Question:
    """One question to a language model: its task, the data it is about, and the answer's schema."""

    task: str
    words: str
    schema: Mapping[str, Any]


def question(
    schema: Mapping[str, Any], query: str, context: Mapping[str, Any], found: Extraction
) -> Question | None:
    """What to ask about inputs that the context did not give; None if nothing needed lacks."""
    names = _open(schema, found)
    if not names or not any(each.field.required and not each.reason for each in found.missing):
        return None
    asked = [
        {"name": each.name, "type": each.type, "description": each.description}
        | ({"choices": list(each.enum)} if each.enum else {})
        for each in fields(schema)
        if each.name in names
    ]
    about = {"goal": query, "context": context, "inputs": asked}
    words = json.dumps(about, ensure_ascii=False, indent=1, default=str)
    return Question(_TASK, words, _answer(names))


def believed(
    schema: Mapping[str, Any],
    answer: Mapping[str, Any],
    query: str,
    context: Mapping[str, Any],
    found: Extraction,
) -> Extraction:
    """What was found, and what of a model's answer stands in the query or the context verbatim."""
    taken = {each.name: each for each in found.taken}
    said = list(_said(answer, _open(schema, found)))
    properties = properties_of(schema)
    for name, words in said:
        where = _where(words, query, context)
        if where and [other for other, _ in said].count(name) == 1:
            made = _made(schema, properties[name], name, words, where)
            taken |= {name: made} if made else {}
    reasons = {each.field.name: each.reason for each in found.missing if each.reason}
    return settled(
        schema, taken, {name: why for name, why in reasons.items() if name in properties}
    )


def _open(schema: Mapping[str, Any], found: Extraction) -> list[str]:
    """Inputs that nothing was said of: neither found nor given and of no use."""
    settled_already = {each.name for each in found.taken}
    settled_already |= {each.field.name for each in found.missing if each.reason}
    return [name for name in properties_of(schema) if name not in settled_already]


def _answer(names: list[str]) -> Mapping[str, Any]:
    one = {
        "type": "object",
        "properties": {"name": {"type": "string", "enum": names}, "words": {"type": "string"}},
        "required": ["name", "words"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"inputs": {"type": "array", "items": one}},
        "required": ["inputs"],
        "additionalProperties": False,
    }


def _said(answer: Mapping[str, Any], names: list[str]) -> Iterator[tuple[str, str]]:
    inputs = answer.get("inputs")
    for each in inputs if isinstance(inputs, list) else ():
        if isinstance(each, Mapping):
            name, words = each.get("name"), each.get("words")
            if name in names and isinstance(words, str) and 0 < len(words.strip()) <= LONGEST:
                yield str(name), words


def _where(words: str, query: str, context: Mapping[str, Any]) -> str:
    """Where these words stand exactly so; empty where they do not."""
    if re.search(rf"(?<!\w)(?<!\d[.,]){re.escape(words)}(?!\w)(?![.,]\d)", query):
        return "llm, query"
    for entry in entries(context):
        given = entry.value
        whole = isinstance(given, (int, float)) and not isinstance(given, bool)
        if given == words or (whole and repr(given) == words):
            return f"llm, {entry.source}"
    return ""


def _made(
    schema: Mapping[str, Any], part: Mapping[str, Any], name: str, words: str, where: str
) -> Taken | None:
    try:
        return Taken(name, coerced(schema, part, words), where)
    except Unfit:
        return None

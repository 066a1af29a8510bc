"""What an input might be, read out of the words of a goal: offered, never used by itself.

Patterns find numbers, quoted texts, addresses, dates and choices, and a name standing before one
says which input it may be. A guess has where it came from and leaves the decision to whoever reads
it: nothing in here may reach a run without having been said by an assistant or a person.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from engine.core.discovery.coerce import Unfit, coerced, same, shown
from engine.core.discovery.extract import Extraction, entries, properties_of
from engine.core.discovery.names import BARE_ID, in_words, last_word, names_of
from engine.core.schema import is_valid
from engine.core.value import value

_PATTERNS = (
    ("quoted", r"\"([^\"]+)\"|“([^”]+)”|«([^»]+)»|`([^`]+)`|(?<!\w)'([^']+)'(?!\w)"),
    ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("url", r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]"),
    ("uuid", r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"),
    ("date", r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b"),
    ("code", r"\b(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*\b"),
    ("number", r"(?<![\w.-])-?[0-9]+(?:\.[0-9]+)?(?![\w]|\.[0-9])"),
)
_PIECE = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS))
_WORD = re.compile(r"[^\W_]+")
_BEFORE = 2
"""Words before a piece in which the name of an input may stand."""
_SAID = {
    "email": ("email", frozenset({"email", "mail"})),
    "url": ("uri", frozenset({"url", "uri", "link", "website"})),
    "uuid": ("uuid", frozenset({"uuid", "guid"})),
    "date": ("date", frozenset({"date", "day"})),
}
"""For a kind of text the format in a schema, and the last words of a name, that ask for it."""
_IDS = frozenset({"id", "identifier", "key", "number", "code", "ref", "reference", "no"})
_EMPTY = frozenset({"id", "number", "name", "of", "the", "a", "value", "key", "code", "text"})
MOST_INPUTS = 100
"""Inputs for which anything is guessed."""
LONGEST = 1_000
"""Characters of a query that are looked at."""


@value
class Guess:
    """What an input may be, and where that was read."""

    name: str
    value: Any
    source: str


@value
class _Piece:
    kind: str
    text: str
    before: frozenset[str]


def guesses(
    schema: Mapping[str, Any], query: str, context: Mapping[str, Any], found: Extraction
) -> tuple[Guess, ...]:
    """At most one guess for each input that the context did not give."""
    taken = {each.name for each in found.taken}
    left_over = ((n, part) for n, part in properties_of(schema).items() if n not in taken)
    parts = dict(islice(left_over, MOST_INPUTS))
    made = {each.name: each for each in _told_elsewhere(schema, parts, context)}
    pieces = _pieces(query[:LONGEST])
    for name, part in parts.items():
        guess = made.get(name) or _choice(name, part, query) or _named(schema, name, part, pieces)
        if guess is not None:
            made[name] = guess
    counted = Counter(each.source for each in made.values())
    made = {name: each for name, each in made.items() if counted[each.source] == 1}
    said = {shown(each.value) for each in made.values()}
    left = [each for each in pieces if not {each.text, shown(each.text)} & said]
    rest = {name: part for name, part in parts.items() if name not in made}
    made |= {each.name: each for each in _only(schema, rest, left)}
    return tuple(made[name] for name in parts if name in made)


def _told_elsewhere(
    schema: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]], context: Mapping[str, Any]
) -> Iterator[Guess]:
    """Entries that have the name of an input, but of another thing: `manager.userId`."""
    names = names_of(parts)
    said: dict[str, list[tuple[Any, str]]] = {}
    for entry in entries(context):
        rank, meant = names.meant(entry.path[-1:])
        if len(entry.path) > 1 and len(meant) == 1 and rank < BARE_ID:
            made = _fitting(schema, parts[meant[0]], entry.value)
            if made is not None:
                said.setdefault(meant[0], []).append((made, entry.source))
    for name, values in said.items():
        if all(same(values[0][0], other) for other, _ in values):
            yield Guess(name, *values[0])


def _pieces(query: str) -> list[_Piece]:
    found = []
    for match in _PIECE.finditer(query):
        text = next(filter(None, match.groups()[1:]), "") if match["quoted"] else match[0]
        words = _WORD.findall(query[: match.start()])[-_BEFORE:]
        kind = match.lastgroup or "quoted"
        before = frozenset(each for word in words for each in in_words(word))
        found.append(_Piece("quoted" if match["quoted"] else kind, text, before))
    return found


def _choice(name: str, part: Mapping[str, Any], query: str) -> Guess | None:
    """A choice that stands in the query, if it is the only one that does."""
    options = part.get("enum")
    texts = [each for each in options if isinstance(each, str)] if isinstance(options, list) else []
    there = [each for each in texts if each and _stands(each, query)]
    longest = [
        each for each in there if not any(each in other and each != other for other in there)
    ]
    return Guess(name, longest[0], f"query: {shown(longest[0])}") if len(longest) == 1 else None


def _stands(text: str, query: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", query, re.IGNORECASE))


def _named(
    schema: Mapping[str, Any], name: str, part: Mapping[str, Any], pieces: Iterable[_Piece]
) -> Guess | None:
    """The one piece that follows a word of the input's name."""
    words = set(in_words(name)) - _EMPTY
    near = [
        (made, each, min(words & each.before))
        for each in pieces
        if words & each.before and (made := _fitting(schema, part, each.text)) is not None
    ]
    if len(near) != 1:
        return None
    made, piece, word = near[0]
    return Guess(name, made, f"query: {shown(piece.text)} after {shown(word)}")


def _only(
    schema: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]], pieces: list[_Piece]
) -> Iterator[Guess]:
    """A piece that only one input can mean, and an input that only one piece can be."""
    fits = {
        name: [
            (each, made)
            for each in pieces
            if _asked(name, part, each.kind)
            and (made := _fitting(schema, part, each.text)) is not None
        ]
        for name, part in parts.items()
    }
    for name, options in fits.items():
        if len(options) == 1:
            piece, made = options[0]
            users = [each for each in fits.values() if any(one is piece for one, _ in each)]
            if len(users) == 1:
                yield Guess(name, made, f"query: {shown(piece.text)}")


def _asked(name: str, part: Mapping[str, Any], kind: str) -> bool:
    """Whether an input asks for this kind of text."""
    last = last_word(name)
    if kind in _SAID:
        form, words = _SAID[kind]
        if part.get("format") == form or last in words:
            return True
    if kind == "number":
        return part.get("type") in ("integer", "number") or last in _IDS
    if kind in ("code", "uuid"):
        return last in _IDS
    return kind == "quoted" and part.get("type") == "string"


def _fitting(schema: Mapping[str, Any], part: Mapping[str, Any], given: Any) -> Any:
    """The value in the form that the input wants, None if it cannot have it."""
    try:
        made = coerced(schema, part, given)
    except Unfit:
        return None
    alone = {**part, "$defs": schema.get("$defs", {}), "definitions": schema.get("definitions", {})}
    return made if is_valid(alone, made) else None

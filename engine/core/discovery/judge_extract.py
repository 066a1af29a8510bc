"""How well inputs are taken from a context, measured on calls whose right inputs are known.

A row is `{query, input_schema, gold_input}` and may have `accept`, other right values by input.
The context is made from the row's own right inputs: once under the names of the inputs (`plain`),
once under other spellings, nested, as text where they are numbers, in capitals where they are
choices, among entries that mean something else (`respelled`). A call counts as right when every
input given is found with its value and nothing else is; an input that was not given, or has
another value, is invented.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.core.discovery.coerce import same
from engine.core.discovery.extract import Extraction, extract, properties_of
from engine.core.discovery.guess import guesses
from engine.core.discovery.names import folded, in_words
from engine.core.value import value

Row = Mapping[str, Any]


@value
class Judged:
    """Calls that were judged: `right` whole, and `invented` inputs in all of them together."""

    calls: int
    right: int
    invented: int

    @property
    def accuracy(self) -> float:
        """Which part of the calls is right in every input."""
        return self.right / self.calls if self.calls else 0.0


@value
class ExtractionFigures:
    """All figures of extraction; guesses are judged apart, because nothing runs on them."""

    plain: Judged
    respelled: Judged
    nothing: Judged
    guessed: int
    guessed_right: int
    wanted: int


def judge_extract(rows: Iterable[Row]) -> ExtractionFigures:
    """The figures of these rows, whatever their order."""
    kept = list(rows)
    offered = [(row, each) for row in kept for each in _guessed(row)]
    return ExtractionFigures(
        _judge(kept, lambda row: dict(row["gold_input"])),
        _judge(kept, respelled),
        _judge(kept, lambda _: {}),
        len(offered),
        sum(_right(row, each.name, each.value) for row, each in offered),
        sum(len(row["gold_input"]) for row in kept),
    )


def respelled(row: Row) -> dict[str, Any]:
    """The right inputs of a row as another client might write them, among other things."""
    properties = properties_of(row["input_schema"])
    taken = {folded(name) for name in properties}
    context: dict[str, Any] = {}
    for place, (name, given) in enumerate(sorted(row["gold_input"].items())):
        written = _written(properties.get(name, {}), given)
        context |= _placed(in_words(name), written, place, taken | set(map(folded, context)))
    other = {"previous": dict.fromkeys(properties, "something else"), "locale": "en"}
    other |= {"conversation": {"startedAt": "2026-01-02T03:04:05Z", "turns": 4}}
    return context | {key: each for key, each in other.items() if folded(key) not in taken}


def _placed(words: list[str], given: Any, place: int, used: set[str]) -> dict[str, Any]:
    """One entry, in a spelling that follows from its place."""
    first, rest = words[0], words[1:]
    if rest and place % 4 == 3 and folded(first) not in used:
        return {first: {"_".join(rest): given}}
    spellings: list[Callable[[], str]] = [
        lambda: first + "".join(word.capitalize() for word in rest),
        lambda: "-".join(words),
        lambda: " ".join(words).capitalize(),
    ]
    return {spellings[place % 3](): given}


def _written(part: Mapping[str, Any], given: Any) -> Any:
    if isinstance(given, str) and isinstance(part.get("enum"), list):
        return given.upper()
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _judge(rows: Iterable[Row], context: Callable[[Row], Mapping[str, Any]]) -> Judged:
    calls = right = invented = 0
    for row in rows:
        given = context(row)
        found = extract(row["input_schema"], given)
        wrong = sum(not (given and _right(row, each.name, each.value)) for each in found.taken)
        calls, invented = calls + 1, invented + wrong
        right += not wrong and (_all_found(row, found) or not given)
    return Judged(calls, right, invented)


def _all_found(row: Row, found: Extraction) -> bool:
    return {each.name for each in found.taken} == set(row["gold_input"])


def _right(row: Row, name: str, made: Any) -> bool:
    gold = row["gold_input"]
    accepted = [gold[name]] if name in gold else []
    accepted += [each for each in row.get("accept", {}).get(name, ()) if each != ""]
    return any(same(made, each) or _alike(made, each) for each in accepted)


def _alike(made: Any, gold: Any) -> bool:
    return str(made).casefold() == str(gold).casefold()


def _guessed(row: Row) -> Iterable[Any]:
    return guesses(row["input_schema"], row["query"], {}, Extraction())

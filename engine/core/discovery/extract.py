"""Inputs of a workflow taken from what an assistant already knows: its `context`, a JSON object.

An input is taken only from an entry that is named for it (`names`) and only if its value fits
without loss (`coerce`) and satisfies the schema. Two entries for one input with different values,
or an entry that could be meant for two inputs, give none: the input stays missing and says why.
Nothing is ever read out of the query here; what may be guessed is in `guess`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.core.discovery.coerce import Unfit, coerced, same, shown
from engine.core.discovery.names import BARE_ID, folded, names_of
from engine.core.errors import Refused
from engine.core.schema import explain, fields, followed, with_defaults
from engine.core.value import value
from engine.core.views import InputField
from engine.core.words import listed, shorten

DEEPEST = 4
"""Levels of the context that are looked into."""
MOST_ENTRIES = 500
"""Entries of the context that are looked at; an assistant gives a handful."""
_WRAPPERS = frozenset(
    {
        "arguments", "args", "context", "data", "entities", "fields", "input", "inputs",
        "parameters", "params", "slots", "values", "variables",
    }
)  # fmt: skip
"""Keys that say nothing about what they hold."""


@value
class Taken:
    """An input that was found: its value as the schema wants it, and where it came from."""

    name: str
    value: Any
    source: str


@value
class Missing:
    """An input that is needed, or was given and cannot be used; `reason` says why it was not."""

    field: InputField
    reason: str = ""


@value
class Extraction:
    """What a context gave for a workflow; `missing` is empty when it can run with `taken`."""

    taken: tuple[Taken, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def input(self) -> dict[str, Any]:
        """What was found, as the input of a run."""
        return {each.name: each.value for each in self.taken}


@value
class Entry:
    """A value of the context with the keys that lead to it, those that say nothing left out."""

    path: tuple[str, ...]
    value: Any
    source: str


@dataclass(slots=True)
class _Offers:
    """What the context offers for one input: by how well the name fits, and what was unclear."""

    ranked: list[tuple[int, Entry]] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


def extract(schema: Mapping[str, Any], context: Mapping[str, Any]) -> Extraction:
    """The inputs that `context` gives for a workflow with this input schema.

    The outcome does not depend on the order of the context's entries. Raises Refused
    `context_too_large`.
    """
    properties = properties_of(schema)
    offers = _offered(properties, context)
    taken: dict[str, Taken] = {}
    reasons: dict[str, str] = {}
    for name, part in properties.items():
        found = _choose(schema, name, part, offers[name])
        if isinstance(found, Taken):
            taken[name] = found
        elif found:
            reasons[name] = found
    return settled(schema, taken, reasons)


def settled(
    schema: Mapping[str, Any], taken: Mapping[str, Taken], reasons: Mapping[str, str]
) -> Extraction:
    """What holds before the whole schema: a value that breaks it is not taken, and says why."""
    told = dict(reasons)
    kept = dict(taken)
    _, invalid = explain(schema, _filled(schema, kept))
    for wrong in invalid:
        broken = kept.pop(_root(wrong.name, kept), None)
        if broken is not None:
            told.setdefault(broken.name, f"{broken.source}: {wrong.error}")
    return Extraction(tuple(kept.values()), tuple(_missing(schema, kept, told)))


def _missing(
    schema: Mapping[str, Any], taken: Mapping[str, Taken], reasons: Mapping[str, str]
) -> Iterator[Missing]:
    """What a run still needs, then what was said and cannot be used, then what else is wrong."""
    lacking, invalid = explain(schema, _filled(schema, taken))
    yield from (Missing(each, reasons.get(each.name, "")) for each in lacking)
    known = {each.name: each for each in fields(schema)}
    told = {each.name for each in lacking}
    for name, reason in reasons.items():
        if name not in told:
            yield Missing(known.get(name) or InputField(name, "any", False, ""), reason)
    for wrong in invalid:
        if wrong.name not in reasons:
            whole = InputField(wrong.name, wrong.type, True, wrong.description)
            yield Missing(whole, wrong.error)


def entries(context: Mapping[str, Any]) -> Iterator[Entry]:
    """Everything that the context says, objects before what is in them.

    Raises Refused `context_too_large`.
    """
    waiting: list[tuple[tuple[str, ...], Any]] = [((), context)]
    count = 0
    while waiting:
        path, here = waiting.pop(0)
        for key, inner in sorted(here.items()):
            count += 1
            if count > MOST_ENTRIES:
                said = f"the context has more than {MOST_ENTRIES} entries"
                raise Refused("context_too_large", said, "Give only what this goal is about.")
            below = (*path, key)
            yield Entry(_meaning(below), inner, ".".join(("context", *below)))
            if isinstance(inner, dict) and len(below) < DEEPEST:
                waiting.append((below, inner))


def properties_of(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The inputs that a schema names, each with what the schema says of it."""
    properties = followed(schema, schema).get("properties")
    if not isinstance(properties, Mapping):
        return {}
    return {name: followed(schema, part) for name, part in properties.items()}


def _meaning(path: tuple[str, ...]) -> tuple[str, ...]:
    start = 0
    while start < len(path) - 1 and folded(path[start]) in _WRAPPERS:
        start += 1
    return path[start:]


def _offered(
    properties: Mapping[str, Mapping[str, Any]], context: Mapping[str, Any]
) -> dict[str, _Offers]:
    offers = {name: _Offers() for name in properties}
    names = names_of(properties)
    used: list[str] = []
    for entry in entries(context):
        if any(entry.source.startswith(f"{source}.") for source in used):
            continue  # its object is an input by itself
        rank, meant = names.meant(entry.path)
        used += [entry.source] if meant else []
        for name in meant:
            if len(meant) == 1:
                offers[name].ranked.append((rank, entry))
            else:
                offers[name].unclear.append(f"{entry.source} could mean {listed(sorted(meant))}")
    return offers


def _choose(
    schema: Mapping[str, Any], name: str, part: Mapping[str, Any], offers: _Offers
) -> Taken | str:
    """The value of an input, or the reason why there is none; "" when nothing was said of it."""
    ranked = sorted(offers.ranked, key=lambda each: (each[0], each[1].source))
    named = [entry for rank, entry in ranked if rank < BARE_ID]
    fit: list[Taken] = []
    for entry in named or [entry for _, entry in ranked]:
        if _says_nothing(part, entry.value):
            continue
        try:
            fit.append(Taken(name, coerced(schema, part, entry.value), entry.source))
        except Unfit as unfit:
            return f"{entry.source} {unfit}"
    if not fit:
        return "; ".join(offers.unclear)
    other = next((each for each in fit if not same(each.value, fit[0].value)), None)
    if other is not None:
        told = f"{fit[0].source} is {shown(fit[0].value)}, {other.source} is {shown(other.value)}"
        return f"the context says two things: {told}"
    return replace(fit[0], source=shorten(fit[0].source, 200))


def _says_nothing(part: Mapping[str, Any], given: Any) -> bool:
    """Null and the empty text are how an assistant says that it does not know."""
    options = part.get("enum")
    if isinstance(options, list) and given in options:
        return False
    kind = part.get("type")
    nullable = kind == "null" or (isinstance(kind, list) and "null" in kind)
    return given == "" or (given is None and not nullable)


def _filled(schema: Mapping[str, Any], taken: Mapping[str, Taken]) -> Any:
    return with_defaults(schema, {name: each.value for name, each in taken.items()})


def _root(path: str, names: Iterable[str]) -> str:
    """The input that a dotted path leads into, whatever stands in its name."""
    leading = [name for name in names if path == name or path.startswith((f"{name}.", f"{name}["))]
    return max(leading, key=len, default="")

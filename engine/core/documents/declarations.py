"""What an operation, or a task without a connector, declares about how its call behaves.

Read here, field by field; whether the fields make sense together is the business of
`contradictions.py`. A declaration is a promise about another system, and the ledger sends again
or looks up on the strength of it: one that contradicts itself is refused, never guessed at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from engine.core.connector import Operation
from engine.core.declared import (
    UNDECLARED,
    CompareAndSet,
    Declared,
    HttpSpec,
    Idempotency,
    Lookup,
    Precondition,
    Reading,
    Verb,
    verb_of,
)
from engine.core.documents.http import HTTP_FIELDS, effect_of, read_http
from engine.core.documents.section import Section
from engine.core.documents.templates import read_condition, read_template
from engine.core.model import Effect
from engine.core.template import Condition, Template
from engine.core.words import shorten

DECLARATION_FIELDS = (
    "verb",
    "reversible",
    "idempotency",
    "lookup",
    "compareAndSet",
    "precondition",
    "notSentStatuses",
    "atomic5xx",
)
IDEMPOTENCY_FIELDS = ("kind", "header", "window", "scope")
LOOKUP_FIELDS = ("operation", "http", "input", "match", "result", "delay", "final")
PRECONDITION_FIELDS = ("operation", "http", "input", "value")
REVERSIBLE_FIELDS = ("operation",)
VERBS: tuple[str, ...] = tuple(word for word in get_args(Verb) if word)
COMPARISONS: tuple[str, ...] = get_args(CompareAndSet)
READING_ROOTS = ("input", "key")
ANSWER_ROOTS = ("input", "output", "key")
_NOTHING: tuple[Any, ...] = (None, False, "none", "", [], {})
_PLAIN: Mapping[str, Declared] = {word: Declared(verb=word) for word in get_args(Verb) if word}


@dataclass(frozen=True, slots=True)
class Subject:
    """The call that a declaration is about.

    `operations` are those of its connector, None for a task that stands alone; `http` is None
    for a Python function.
    """

    effect: Effect
    http: HttpSpec | None = None
    input_schema: Mapping[str, Any] | None = None
    operations: Mapping[str, Operation] | None = None
    name: str = ""


def read_declared(section: Section, subject: Subject) -> Declared:
    """How the call behaves; what is wrong about it is reported."""
    given = [word for word in DECLARATION_FIELDS if word in section]
    if subject.effect is not Effect.MUTATION:
        for word in given:
            _only_mutations(section, word)
        return UNDECLARED
    method = subject.http.method if subject.http is not None else ""
    if not given:
        return _PLAIN[verb_of(method)]
    verb: Any = section.choice("verb", VERBS, verb_of(method))
    reversible, undo = _reversible(section, subject)
    comparison: Any = _comparison(section)
    return Declared(
        operation=subject.name,
        verb=verb,
        reversible=reversible,
        undo=undo,
        idempotency=_idempotency(section),
        lookup=_lookup(section, subject),
        compare_and_set=comparison,
        precondition=_precondition(section, subject),
        not_sent=_statuses(section),
        atomic_5xx=section.flag("atomic5xx"),
    )


def _only_mutations(section: Section, word: str) -> None:
    value = section.get(word)
    if value not in _NOTHING and value != {"kind": "none"}:
        message = f"{word} says how a change behaves, and this only reads"
        section.error(word, "contradiction", message, "remove it, or declare effect: mutation")


def _reversible(section: Section, subject: Subject) -> tuple[bool, str]:
    if not isinstance(section.get("reversible"), dict):
        return section.flag("reversible"), ""
    inner = section.section("reversible", REVERSIBLE_FIELDS)
    name = inner.text("operation")
    found = None if subject.operations is None else subject.operations.get(name)
    if found is None:
        _unknown(inner, name, subject)
    elif found.effect is not Effect.MUTATION:
        inner.error("operation", "contradiction", "what only reads cannot undo anything")
    return True, name


def _unknown(inner: Section, name: str, subject: Subject) -> None:
    if subject.operations is None:
        message = "a task without a connector has no operations to name"
        inner.error("operation", "conflict", message, "write the read itself under http")
    elif not name:
        inner.error("operation", "missing_field", "name an operation of this connector")
    else:
        hint = inner.report.nearest(name, subject.operations)
        message = f"there is no operation {shorten(name)!r}"
        inner.error("operation", "unknown_operation", message, hint)


def _comparison(section: Section) -> str:
    value = section.get("compareAndSet")
    if isinstance(value, bool):
        return "version" if value else "none"
    return section.choice("compareAndSet", COMPARISONS, "none")


def _idempotency(section: Section) -> Idempotency:
    value = section.get("idempotency")
    inner = Section(section.report, section.path, {"kind": value})
    if not isinstance(value, str):
        inner = section.section("idempotency", IDEMPOTENCY_FIELDS)
    kind: Any = inner.choice("kind", ("none", "natural", "key"), "none")
    return Idempotency(kind, inner.text("header"), inner.duration("window"), inner.text("scope"))


def _lookup(section: Section, subject: Subject) -> Lookup | None:
    if section.get("lookup") is None:
        return None
    inner = section.section("lookup", LOOKUP_FIELDS)
    read, match = _reading(inner, subject), _match(inner)
    if read is None or match is None:
        return None
    result = _template(inner, "result", ANSWER_ROOTS)
    return Lookup(read, match, result, inner.duration("delay") or 0, inner.flag("final"))


def _match(inner: Section) -> Condition | None:
    if inner.get("match") is None:
        message = "a lookup says by match which answer means that the call happened"
        hint = "for example: match: '{{output.items | length}} > 0'"
        inner.error("match", "missing_field", message, hint)
        return None
    return read_condition(inner.report, inner.at("match"), inner.text("match"), ANSWER_ROOTS)


def _precondition(section: Section, subject: Subject) -> Precondition | None:
    if section.get("precondition") is None:
        return None
    inner = section.section("precondition", PRECONDITION_FIELDS)
    read = _reading(inner, subject)
    value = _template(inner, "value", ANSWER_ROOTS)
    return None if read is None else Precondition(read, value)


def _template(inner: Section, key: str, roots: tuple[str, ...]) -> Template | None:
    if inner.get(key) is None:
        return None
    return read_template(inner.report, inner.at(key), inner.get(key), roots)


def _reading(inner: Section, subject: Subject) -> Reading | None:
    """The read that a lookup or precondition makes."""
    given = _template(inner, "input", READING_ROOTS)
    if subject.operations is None and "http" in inner:
        return _written(inner, given)
    if "http" in inner:
        message = "in a connector a read is one of its operations"
        inner.error("http", "conflict", message, "name it under operation")
    name = inner.text("operation")
    found = None if subject.operations is None else subject.operations.get(name)
    if found is None:
        _unknown(inner, name, subject)
        return None
    if found.effect is Effect.MUTATION:
        inner.error("operation", "bad_effect", "it must be an operation that only reads")
    return Reading(name, found.http, given, found.timeout)


def _written(inner: Section, given: Template | None) -> Reading | None:
    if "operation" in inner:
        inner.error("operation", "conflict", "operation and http say the same thing", "keep http")
    http = read_http(inner.section("http", HTTP_FIELDS))
    if http is not None and effect_of(http.method) is Effect.MUTATION:
        inner.error("http", "bad_effect", f"a {http.method} does not only read", "use GET")
    return None if http is None else Reading("", http, given)


def _statuses(section: Section) -> tuple[int, ...]:
    given = section.sequence("notSentStatuses")
    found = [status for status in given if type(status) is int and 400 <= status <= 599]
    if any(type(status) is int and 200 <= status <= 299 for status in given):
        message = "a status from 200 to 299 says that the call was carried out"
        section.error("notSentStatuses", "contradiction", message, "remove it")
    elif len(found) != len(given):
        section.error("notSentStatuses", "bad_value", "statuses are whole numbers from 400 to 599")
    return tuple(found)

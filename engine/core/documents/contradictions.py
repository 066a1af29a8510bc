"""Declarations that cannot be true together, found when a document is loaded.

The ledger acts on declarations while nobody looks: it sends again because a key is honoured, it
calls a mutation undone because a lookup said no. So what is said must at least agree with itself.
Every rule here is one way in which an author once said more than the other system does.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.core.declared import Declared, HttpSpec, Lookup, Precondition, Reading
from engine.core.documents.declarations import Subject
from engine.core.documents.section import Section
from engine.core.model import Effect
from engine.core.request import FRAMING_HEADERS, HEADER_NAME
from engine.core.words import listed, shorten

Reference = tuple[str | int, ...]
_ONCE_EACH = frozenset({"create", "send", "pay"})
"""Verbs of which a second call is a second thing, unless a key says otherwise."""

_GONE = frozenset({"delete", "send"})
_CONDITIONAL = frozenset({"if-match", "if-none-match", "if-unmodified-since"})


def check_declared(section: Section, declared: Declared, subject: Subject) -> None:
    """Report what contradicts itself. Of what only reads there is nothing to check."""
    if subject.effect is not Effect.MUTATION:
        return
    _verb(section, declared, subject)
    _reversible(section, declared)
    _idempotency(section, declared)
    _header(section, declared, subject)
    _comparison(section, declared, subject)
    if declared.lookup is not None:
        _lookup(section, declared, declared.lookup, subject)
    if declared.precondition is not None:
        _precondition(section, declared, declared.precondition, subject)


def _against(section: Section, key: str, message: str, hint: str = "") -> None:
    section.error(key, "contradiction", message, hint)


def _verb(section: Section, declared: Declared, subject: Subject) -> None:
    method = "" if subject.http is None else subject.http.method
    if method == "DELETE" and declared.verb != "delete":
        message = f"a DELETE is declared to {declared.verb}"
        _against(section, "verb", message, "leave verb out: people are told what is deleted")


def _reversible(section: Section, declared: Declared) -> None:
    if declared.reversible and declared.verb in _GONE and not declared.undo:
        message = f"nothing says how to undo a {declared.verb}"
        hint = "name the operation that does: reversible: {operation: restore}"
        _against(section, "reversible", message, hint)


def _idempotency(section: Section, declared: Declared) -> None:
    said = declared.idempotency
    inner = section.section("idempotency") if _is_object(section, "idempotency") else section
    if said.kind == "key":
        for word, value, what in (
            ("header", said.header, "the header that carries it"),
            ("window", said.window, "the window in which the system remembers it"),
        ):
            if not value:
                inner.error(word, "missing_field", f"an idempotency key needs {what}")
        return
    idle = ("window", "scope") if said.kind == "none" else ("header", "window", "scope")
    for word in idle:
        if inner is not section and inner.get(word) is not None:
            _against(inner, word, f"{word} belongs to a key, and the kind is {said.kind}")
    if said.kind == "natural" and declared.verb in _ONCE_EACH:
        message = f"a second {declared.verb} is a second one, so it is not idempotent by nature"
        hint = "declare a key, or verb: update if it only sets what is there"
        _against(section, "idempotency", message, hint)


def _is_object(section: Section, key: str) -> bool:
    return isinstance(section.get(key), dict)


def _header(section: Section, declared: Declared, subject: Subject) -> None:
    name = declared.idempotency.header
    if not name:
        return
    inner = section.section("idempotency")
    if subject.http is None:
        _against(inner, "header", "a Python function is called without headers")
        return
    if not HEADER_NAME.match(name) or name.lower() in FRAMING_HEADERS:
        inner.error("header", "bad_header", f"{shorten(name)!r} cannot carry a key")
    if name.lower() in _names(subject.http):
        message = f"the request writes {shorten(name)} itself, where the key belongs"
        _against(inner, "header", message, "remove it from headers")


def _names(http: HttpSpec) -> set[str]:
    return {name.lower() for name in http.headers}


def _comparison(section: Section, declared: Declared, subject: Subject) -> None:
    if declared.compare_and_set != "etag" or subject.http is None:
        return
    if not _CONDITIONAL & _names(subject.http):
        message = "nothing is compared: the request has no If-Match header"
        _against(section, "compareAndSet", message, "send the ETag, for example from the input")


def _lookup(section: Section, declared: Declared, lookup: Lookup, subject: Subject) -> None:
    inner = section.section("lookup")
    if lookup.final and not lookup.delay:
        message = "a final lookup says after which delay its no is a proof"
        _against(inner, "final", message, "add a delay, such as 2s")
    asked = lookup.match.references()
    if not any(reference[0] == "output" for reference in asked):
        message = "match gives the same whatever was read"
        _against(inner, "match", message, "compare something of {{output}}")
    elif not _tells_apart(lookup.read, asked):
        message = "neither the read nor match asks about this very call"
        _against(inner, "match", message, "use {{input}} or {{key}} in match or in input")
    answers = asked if lookup.result is None else asked | lookup.result.references()
    _reads(inner, declared, lookup.read, answers, subject)


def _tells_apart(read: Reading, asked: Iterable[Reference]) -> bool:
    if any(reference[0] in {"input", "key"} for reference in asked):
        return True
    used = read.input.references() if read.input is not None else _references(read.http)
    return any(reference[0] in {"input", "key"} for reference in used)


def _precondition(
    section: Section, declared: Declared, precondition: Precondition, subject: Subject
) -> None:
    inner = section.section("precondition")
    seen = frozenset() if precondition.value is None else precondition.value.references()
    if precondition.value is not None and not any(each[0] == "output" for each in seen):
        message = "value is the same whatever was read"
        _against(inner, "value", message, "take something of {{output}}")
    if any(each[0] == "key" for each in _all(precondition.read, seen)):
        _against(inner, "input", "a precondition is read before there is a key", "use {{input}}")
    _reads(inner, declared, precondition.read, seen, subject)


def _all(read: Reading, more: Iterable[Reference]) -> set[Reference]:
    return set(more) | set(() if read.input is None else read.input.references())


def _reads(
    inner: Section,
    declared: Declared,
    read: Reading,
    more: Iterable[Reference],
    subject: Subject,
) -> None:
    used = _all(read, more)
    if not declared.idempotency.header and any(each[0] == "key" for each in used):
        message = "the call does not carry a key, so nothing can be found by it"
        _against(inner, "input", message, "give idempotency a header")
    known = _inputs(subject)
    if known is None:
        return
    missing = _names_of(used) - known
    missing |= _needed(read, subject) - (known if read.input is None else _given(read.input.source))
    if missing:
        message = f"the read needs {listed(sorted(missing))}, which this call does not have"
        _against(inner, "input", message, "say by input what the read gets")


def _given(source: Any) -> set[str]:
    return set(source) if isinstance(source, Mapping) else set()


def _needed(read: Reading, subject: Subject) -> set[str]:
    """The inputs that the read cannot do without."""
    if read.input is not None and not isinstance(read.input.source, Mapping):
        return set()
    found = (subject.operations or {}).get(read.operation)
    schema = None if found is None else found.input_schema
    if schema is not None:
        required = schema.get("required")
        return set(required) if isinstance(required, list) else set()
    return _names_of(read.http.url.references())


def _inputs(subject: Subject) -> set[str] | None:
    """The inputs that the call is known to have, None when that cannot be told."""
    if subject.http is None:
        return None
    used = _references(subject.http)
    if ("input",) in used:
        used = {each for each in used if len(each) > 1}
        if subject.input_schema is None:
            return None
    properties = (subject.input_schema or {}).get("properties")
    declared = set(properties) if isinstance(properties, Mapping) else set()
    return declared | _names_of(used)


def _references(http: HttpSpec) -> set[Reference]:
    templates = [http.url, *http.headers.values(), *http.query.values()]
    if http.body is not None:
        templates.append(http.body)
    return {reference for template in templates for reference in template.references()}


def _names_of(references: Iterable[Reference]) -> set[str]:
    return {str(each[1]) for each in references if each[0] == "input" and len(each) > 1}

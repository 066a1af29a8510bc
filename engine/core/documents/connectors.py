"""`Connector` documents."""

from collections.abc import Mapping
from typing import Any

from engine.core.connector import Connector, Idempotency, Lookup, Operation
from engine.core.documents.header import Header, read_description
from engine.core.documents.http import (
    HttpBase,
    declared_effect,
    effect_of,
    read_base,
    read_headers,
    read_operation,
)
from engine.core.documents.inputs import read_schema
from engine.core.documents.names import ID, ID_RULE
from engine.core.documents.policies import read_retry
from engine.core.documents.section import Section
from engine.core.model import Effect, strongest
from engine.core.words import shorten

CONNECTOR_FIELDS = ("description", "baseUrl", "allowedHosts", "secrets", "headers", "operations")
OPERATION_FIELDS = (
    "description",
    "method",
    "path",
    "headers",
    "query",
    "body",
    "effect",
    "reversible",
    "idempotency",
    "lookup",
    "compareAndSet",
    "notSentStatuses",
    "inputSchema",
    "outputSchema",
    "timeout",
    "retry",
)
IDEMPOTENCY_FIELDS = ("kind", "header", "window", "scope")
LOOKUP_FIELDS = ("operation", "delay", "final")
_SECRET = "secret://"


def read_connector(header: Header) -> Connector | None:
    """The connector, or None with every reason reported."""
    report = header.report
    metadata = Section(report, "metadata", header.document.get("metadata"))
    spec = Section(report, "spec", header.document.get("spec"), CONNECTOR_FIELDS)
    base = read_base(spec)
    headers = read_headers(spec)
    operations = {
        name: operation
        for name in spec.mapping("operations")
        if (operation := _operation(spec, name, HttpBase(header.key[1], base, headers))) is not None
    }
    _lookups_known(spec, operations)
    secrets = _secrets(spec)
    hosts = spec.strings("allowedHosts")
    description = read_description(metadata, spec)
    if report.failed:
        return None
    return Connector(*header.key, base, operations, hosts, secrets, description, header.document)


def _operation(spec: Section, name: str, base: HttpBase) -> Operation | None:
    section = Section(
        spec.report,
        spec.section("operations").at(name),
        spec.mapping("operations")[name],
        OPERATION_FIELDS,
    )
    if not ID.match(name):
        message = f"{shorten(name)!r} is not an operation name"
        spec.report.error(section.path, "bad_name", message, f"it has {ID_RULE}")
    http = read_operation(section, base)
    if http is None:
        return None
    declared = declared_effect(section)
    _effect_plausible(section, http.method, declared)
    return Operation(
        name=name,
        http=http,
        effect=declared or effect_of(http.method),
        declared=declared is not None,
        description=section.text("description"),
        reversible=section.flag("reversible"),
        idempotency=_idempotency(section),
        lookup=_lookup(section),
        compare_and_set=section.flag("compareAndSet"),
        not_sent=_statuses(section),
        input_schema=read_schema(
            spec.report, section.at("inputSchema"), section.get("inputSchema")
        ),
        output_schema=read_schema(
            spec.report, section.at("outputSchema"), section.get("outputSchema")
        ),
        timeout=section.duration("timeout"),
        retry=read_retry(section),
    )


def _effect_plausible(section: Section, method: str, declared: Effect | None) -> None:
    if declared is Effect.PURE:
        section.error(
            "effect", "bad_effect", "a call to another system is never pure", "write read"
        )
    elif declared is not None and strongest(declared, effect_of(method)) is not declared:
        section.warn(
            "effect",
            "weak_effect",
            f"a {method} is declared to change nothing",
            "workflows that use it wait for a person's acceptance all the same",
        )


def _idempotency(section: Section) -> Idempotency:
    value = section.get("idempotency")
    if isinstance(value, str):
        section = Section(section.report, section.path, {"kind": value})
        inner = section
    else:
        inner = section.section("idempotency", IDEMPOTENCY_FIELDS)
    kind: Any = inner.choice("kind", ("none", "natural", "key"), "none")
    header = inner.text("header")
    if kind == "key" and not header:
        inner.error(
            "header", "missing_field", "an idempotency key needs the header that carries it"
        )
    return Idempotency(kind, header, inner.duration("window"), inner.text("scope"))


def _lookup(section: Section) -> Lookup | None:
    if section.get("lookup") is None:
        return None
    inner = section.section("lookup", LOOKUP_FIELDS)
    name = inner.text("operation")
    if not name:
        inner.error("operation", "missing_field", "a lookup names a read operation")
    return Lookup(name, inner.duration("delay") or 0, inner.flag("final"))


def _lookups_known(spec: Section, operations: Mapping[str, Operation]) -> None:
    for name, operation in operations.items():
        if operation.lookup is None or not operation.lookup.operation:
            continue
        found = operations.get(operation.lookup.operation)
        path = f"{spec.section('operations').at(name)}.lookup.operation"
        if found is None:
            wanted = operation.lookup.operation
            hint = spec.report.nearest(wanted, operations)
            spec.report.error(
                path, "unknown_operation", f"there is no operation {shorten(wanted)!r}", hint
            )
        elif found.effect is Effect.MUTATION:
            spec.report.error(path, "bad_effect", "a lookup must be a read operation")


def _statuses(section: Section) -> tuple[int, ...]:
    found = [status for status in section.sequence("notSentStatuses") if _is_status(status)]
    if len(found) != len(section.sequence("notSentStatuses")):
        section.error("notSentStatuses", "bad_value", "statuses are whole numbers from 400 to 599")
    return tuple(found)


def _is_status(value: Any) -> bool:
    return type(value) is int and 400 <= value <= 599


def _secrets(spec: Section) -> Mapping[str, str]:
    found = spec.mapping("secrets")
    inner = spec.section("secrets")
    for name, value in found.items():
        if not isinstance(value, str) or not value.startswith(_SECRET):
            hint = f"write a reference such as {_SECRET}{shorten(name)}"
            inner.error(name, "secret_in_document", "a document may only refer to a secret", hint)
    return {name: value for name, value in found.items() if isinstance(value, str)}

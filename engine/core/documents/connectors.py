"""`Connector` documents."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.core.connector import Connector, Operation
from engine.core.declared import as_change
from engine.core.documents.contradictions import check_declared
from engine.core.documents.declarations import DECLARATION_FIELDS, Subject, read_declared
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
from engine.core.documents.templates import CONNECTOR_ROOTS
from engine.core.model import Effect, strongest
from engine.core.secrets import SCHEME, parse_reference
from engine.core.url import HOST_AND_PORT, is_among
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
    *DECLARATION_FIELDS,
    "inputSchema",
    "outputSchema",
    "timeout",
    "retry",
)


def read_connector(header: Header) -> Connector | None:
    """The connector, or None with every reason reported."""
    report = header.report
    metadata = Section(report, "metadata", header.document.get("metadata"))
    spec = Section(report, "spec", header.document.get("spec"), CONNECTOR_FIELDS)
    base = read_base(spec)
    secrets = _secrets(spec)
    hosts = _hosts(spec, base)
    headers = read_headers(spec, CONNECTOR_ROOTS)
    shared = HttpBase(header.key[1], base, headers, secrets, hosts)
    plain = {
        name: operation
        for name in spec.mapping("operations")
        if (operation := _operation(spec, name, shared)) is not None
    }
    operations = _all_declared(spec, header, plain)
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
        firm=declared is not None,
        description=section.text("description"),
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


def _all_declared(
    spec: Section, header: Header, operations: Mapping[str, Operation]
) -> Mapping[str, Operation]:
    """The operations with what they declare, which may name each other."""
    found: dict[str, Operation] = {}
    inner = spec.section("operations")
    for name, operation in operations.items():
        section = Section(spec.report, inner.at(name), inner.get(name))
        subject = Subject(
            operation.effect,
            operation.http,
            operation.input_schema,
            operations,
            f"{header.key[0]}/{header.key[1]}/{name}",
        )
        declared = read_declared(section, subject)
        check_declared(section, declared, subject)
        http = operation.http
        if operation.effect is Effect.MUTATION:
            http = as_change(http, declared)
        found[name] = replace(operation, declared=declared, http=http)
    return found


def _hosts(spec: Section, base: str) -> tuple[str, ...]:
    """The hosts that calls may reach, in small letters; none means wherever they are led."""
    hosts = tuple(each.lower() for each in spec.strings("allowedHosts"))
    for host in hosts:
        if not HOST_AND_PORT.match(host):
            hint = "write a host, or a host and a port: api.example.com:8443"
            spec.error("allowedHosts", "bad_value", f"{shorten(host)!r} is not a host", hint)
    if hosts and base and not is_among(base, hosts):
        message = "the host of the baseUrl is not among the allowed ones"
        spec.error("allowedHosts", "contradiction", message, "add it, or remove allowedHosts")
    return hosts


def _secrets(spec: Section) -> Mapping[str, str]:
    found = spec.mapping("secrets")
    inner = spec.section("secrets")
    for name, value in found.items():
        _reference(inner, name, value)
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _reference(inner: Section, name: str, value: Any) -> None:
    if not ID.match(name):
        inner.error(name, "bad_name", f"{shorten(name)!r} cannot name a secret", ID_RULE)
    if not isinstance(value, str) or not value.startswith(SCHEME):
        hint = f"write a reference such as {SCHEME}{shorten(name)}"
        inner.error(name, "secret_in_document", "a document may only refer to a secret", hint)
        return
    try:
        parse_reference(value)
    except ValueError as error:
        inner.error(name, "bad_reference", str(error))

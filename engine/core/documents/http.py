"""The `http` part of a task or connector operation: one request, its templates compiled.

The scheme and host of a request are fixed in the document: either the URL begins with them or a
connector's base URL supplies them. What the address turns out to be is guarded at call time.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.core.declared import HttpSpec
from engine.core.documents.raw import Report, join
from engine.core.documents.section import Section
from engine.core.documents.templates import CONNECTOR_ROOTS, TASK_ROOTS, read_template
from engine.core.model import Effect
from engine.core.template import Template
from engine.core.words import listed, shorten

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READING = frozenset({"GET", "HEAD"})
Roots = tuple[str, ...]
HTTP_FIELDS = ("method", "url", "headers", "query", "body")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_HOST = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


def effect_of(method: str) -> Effect:
    """GET and HEAD read; every other method changes something (SEMANTICS section 1).

    >>> effect_of("DELETE").value
    'mutation'
    """
    return Effect.READ if method in READING else Effect.MUTATION


def read_method(section: Section, default: str = "GET") -> str:
    """The method in capitals."""
    method = section.text("method", default).upper()
    if method not in METHODS:
        hint = section.report.nearest(method, METHODS) or f"one of: {listed(METHODS)}"
        section.error("method", "bad_method", f"{shorten(method)!r} is not an HTTP method", hint)
        return default
    return method


def read_http(section: Section, base: HttpSpec | None = None) -> HttpSpec | None:
    """The request of a task; what is absent comes from `base`, a connector's operation."""
    if base is not None:
        return _over(section, base)
    method = read_method(section)
    url = read_url(section)
    if url is None:
        return None
    return HttpSpec(method, url, *_rest(section), _body(section, method))


def _over(section: Section, base: HttpSpec) -> HttpSpec:
    if section.get("method") is not None and read_method(section) != base.method:
        message = f"the connector's operation is a {base.method}"
        section.error("method", "conflict", message, "leave method out")
    if "url" in section:
        message = "the URL comes from the connector's operation"
        section.error("url", "conflict", message, "leave url out, or leave connector out")
    headers, query = _rest(section)
    body = _body(section, base.method) or base.body
    return replace(
        base, headers={**base.headers, **headers}, query={**base.query, **query}, body=body
    )


def _rest(
    section: Section, roots: Roots = TASK_ROOTS
) -> tuple[Mapping[str, Template], Mapping[str, Template]]:
    return read_headers(section, roots), _templates(section, "query", roots)


def read_headers(section: Section, roots: Roots = TASK_ROOTS) -> Mapping[str, Template]:
    """Header templates by name; the names are checked here, the values when they are known."""
    for name, value in section.mapping("headers").items():
        if not _TOKEN.match(name):
            section.error("headers", "bad_header", f"{shorten(name)!r} is not a header name")
        if isinstance(value, str) and ("\r" in value or "\n" in value):
            where = join(section.at("headers"), name)
            section.report.error(where, "bad_header", "a header value has one line")
    return _templates(section, "headers", roots)


def _templates(section: Section, key: str, roots: Roots) -> Mapping[str, Template]:
    return {
        name: read_template(section.report, join(section.at(key), name), value, roots)
        for name, value in section.mapping(key).items()
    }


def _body(section: Section, method: str, roots: Roots = TASK_ROOTS) -> Template | None:
    if section.get("body") is None:
        return None
    if method in READING:
        section.warn("body", "no_effect", f"a {method} request is sent without its body")
    return read_template(section.report, section.at("body"), section.get("body"), roots)


def read_url(section: Section) -> Template | None:
    """The URL template of a task, or None with the reason reported."""
    url = section.text("url")
    if not url:
        section.error("url", "missing_field", "an http task needs a url")
        return None
    if not _fixed(section.report, section.at("url"), url):
        return None
    return read_template(section.report, section.at("url"), url, TASK_ROOTS)


def _fixed(report: Report, path: str, url: str) -> bool:
    found = _HOST.match(url)
    if not found or not found[1]:
        hint = "begin it with https:// and a host, or use a connector with a baseUrl"
        if not _SCHEME.match(url) and "{{" not in url.split("/")[0]:
            hint = (
                f"write https://{shorten(url.lstrip('/'), 40)}, or use a connector with a baseUrl"
            )
        report.error(
            path, "bad_url", f"{shorten(url)!r} does not begin with a scheme and a host", hint
        )
        return False
    if "@" in found[1]:
        report.error(
            path, "bad_url", "a URL may not carry a user or password", "use a secret in a header"
        )
        return False
    if "{{" in found[1]:
        report.warn(
            path,
            "host_from_input",
            "the host comes from a template",
            "the address is checked when the call is made; a fixed host is safer",
        )
    return True


def read_base(section: Section) -> str:
    """A connector's base URL: fixed, without templates, user, query or fragment."""
    url = section.text("baseUrl")
    if not url:
        section.error("baseUrl", "missing_field", "a connector needs a baseUrl")
    elif "{{" in url or "?" in url or "#" in url:
        section.error("baseUrl", "bad_url", "a baseUrl has no templates, query or fragment")
    elif _fixed(section.report, section.at("baseUrl"), url):
        return url.rstrip("/")
    return ""


@dataclass(frozen=True, slots=True)
class HttpBase:
    """What all operations of a connector share: its name, base URL, headers, secrets and hosts."""

    connector: str
    url: str
    headers: Mapping[str, Template]
    secrets: Mapping[str, str]
    hosts: tuple[str, ...]


def read_operation(section: Section, base: HttpBase) -> HttpSpec | None:
    """The request of a connector operation: a path under the connector."""
    method = read_method(section)
    path = section.text("path")
    if not path.startswith("/"):
        section.error("path", "bad_url", f"{shorten(path)!r} must begin with '/'")
        return None
    text = f"connector://{base.connector}{path}"
    url = read_template(section.report, section.at("path"), text, TASK_ROOTS)
    own, query = _rest(section, CONNECTOR_ROOTS)
    headers, body = {**base.headers, **own}, _body(section, method, CONNECTOR_ROOTS)
    used = _secrets(section, base, [*headers.values(), *query.values(), *([body] if body else [])])
    return HttpSpec(method, url, headers, query, body, base.connector, base.url, used, base.hosts)


def _secrets(section: Section, base: HttpBase, templates: Iterable[Template]) -> Mapping[str, str]:
    """The secrets that the request uses, with their references."""
    used = {each[1:] for t in templates for each in t.references() if each[0] == "secrets"}
    for keys in sorted(used, key=str):
        if len(keys) != 1 or keys[0] not in base.secrets:
            shown = shorten(".".join(["secrets", *(str(key) for key in keys)]))
            hint = f"write {{{{secrets.name}}}} with one of: {listed(sorted(base.secrets))}"
            if not base.secrets:
                hint = "declare it under secrets, with a reference such as secret://name"
            message = f"{shown} is not a secret of this connector"
            section.report.error(section.path, "unknown_secret", message, hint)
    names = {str(keys[0]) for keys in used if keys}
    return {name: value for name, value in base.secrets.items() if name in names}


def declared_effect(section: Section, words: Any = Effect) -> Effect | None:
    """The effect that a document declares, or None."""
    if section.get("effect") is None:
        return None
    return Effect(section.choice("effect", [word.value for word in words], Effect.MUTATION.value))

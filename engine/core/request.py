"""One HTTP request, built from its declaration and the input of a step.

Pure: templates and values in, a `Request` out. Every value is escaped for the place where it
lands (`url.py`, `body.py`); here are the headers and the whole. What the author wrote wrongly is
`logic`, what the input makes impossible is `validation`; nothing half right is ever built.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from engine.core.body import media_type, render_body
from engine.core.declared import HttpSpec
from engine.core.errors import Failure, Kind, StepError
from engine.core.expr.values import to_text
from engine.core.secrets import Parts, Placed, markers, placed
from engine.core.secrets import filled as as_filled
from engine.core.secrets import shown as as_shown
from engine.core.template import Template
from engine.core.url import render_query, render_url

NO_BASES: Mapping[str, str] = MappingProxyType({})
READS = frozenset({"GET", "HEAD"})
LONGEST_HEADER = 8192
"""Characters in one header value."""

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e]*\Z")
FRAMING_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that frame or route the message; who could set them could smuggle a second one."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request ready to be sent: absolute URL, ASCII headers, body in bytes.

    `changes` says that it is a mutation: sent once, on a connection of its own, without following
    anything. What an answer proves about it `not_sent` and `atomic_5xx` declare (`Declared`).
    `secrets` are the markers in it that stand for secrets, with their references; `hosts` are
    those that a redirect may lead to, none means any.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = None
    changes: bool = False
    not_sent: tuple[int, ...] = ()
    atomic_5xx: bool = False
    secrets: Placed = ()
    hosts: tuple[str, ...] = ()

    @property
    def once(self) -> bool:
        """Whether it may be sent at most once by whoever sends it."""
        return self.changes or self.method not in READS


def build(
    spec: HttpSpec,
    scope: Mapping[str, Any],
    bases: Mapping[str, str] = NO_BASES,
    key: str = "",
) -> Request:
    """The request that `spec` means in `scope`.

    `bases` gives the base URL of each connector that a URL may begin with as
    `connector://name/path`. GET and HEAD go without a body. `key` goes into the declared header;
    what a person approves is the request without it, because it is known only when it is sent.
    Raises StepError: `logic` when the declaration is wrong, `validation` when a value cannot
    stand where it should.
    """
    marks = markers(spec, scope) if spec.secrets else {}
    if marks:
        scope = {**scope, "secrets": marks}
    url = render_url(spec.url, scope, bases) if not spec.query else _with_query(spec, scope, bases)
    headers = _headers(spec.headers, scope)
    body = None
    if spec.body is not None and spec.method not in READS:
        declared = headers.get("content-type", ("", ""))[1]
        kind, body = render_body(spec.body, scope, media_type(declared))
        if body is not None:
            headers.setdefault("content-type", ("Content-Type", kind))
    headers.setdefault("accept", ("Accept", "application/json"))
    if key and spec.key_header:
        headers[spec.key_header.lower()] = (spec.key_header, _header(spec.key_header, key))
    parts = Parts(url, tuple(headers.values()), body)
    secrets = placed(parts, marks, spec.secrets) if marks else ()
    sending = (spec.changes, spec.not_sent, spec.atomic_5xx)
    return Request(spec.method, url, parts.headers, body, *sending, secrets, spec.hosts)


def shown(request: Request) -> Request:
    """The request as a person and a plan see it: references where the secrets will stand."""
    if not request.secrets:
        return request
    return _with(request, as_shown(_parts(request), request.secrets))


def filled(request: Request, values: Mapping[str, str]) -> Request:
    """The request that is sent, with the secrets in it; `values` by reference.

    Raises StepError (auth) when a value cannot stand where it belongs. Nobody but who sends it
    may have what this returns.
    """
    return _with(request, as_filled(_parts(request), request.secrets, values))


def _parts(request: Request) -> Parts:
    return Parts(request.url, request.headers, request.body)


def _with(request: Request, parts: Parts) -> Request:
    return replace(request, url=parts.url, headers=parts.headers, body=parts.body, secrets=())


def _with_query(spec: HttpSpec, scope: Mapping[str, Any], bases: Mapping[str, str]) -> str:
    return render_url(spec.url, scope, bases, render_query(spec.query, scope))


def _headers(
    templates: Mapping[str, Template], scope: Mapping[str, Any]
) -> dict[str, tuple[str, str]]:
    """Name and value by lower-case name; a header whose value is null is left out."""
    found: dict[str, tuple[str, str]] = {}
    for name, template in templates.items():
        lower = name.lower()
        if not HEADER_NAME.match(name) or lower in FRAMING_HEADERS:
            raise _wrong_header(name)
        value = template.render(scope)
        if value is not None:
            found[lower] = (name, _header(name, to_text(value)))
    return found


def _header(name: str, value: str) -> str:
    text = value.strip(" \t")
    if _VALUE.match(text) and len(text) <= LONGEST_HEADER:
        return text
    raise StepError(
        Failure(
            Kind.VALIDATION,
            "bad_header",
            f"the value of the header {name[:80]} cannot be sent",
            f"A header value is one line of plain ASCII, at most {LONGEST_HEADER:,} characters.",
        )
    )


def _wrong_header(name: str) -> StepError:
    hint = "Leave it out: the connector writes it." if name.lower() in FRAMING_HEADERS else ""
    message = f"the header {name[:80]!r} cannot be set by a task"
    return StepError(Failure(Kind.LOGIC, "bad_header", message, hint))

"""Secrets as references: where they stand in a request, and how they get there at the last moment.

The core never holds a secret. A template sees a marker in its place; a plan and a person see the
reference (`shown`); only the connector, with the value in hand, makes the request that is sent
(`filled`), and gives it to nobody. A marker is a digest of everything that the request is made
of, so no input and no document can contain one: that would be a fixed point of SHA-256.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from engine.core.body import FORM, media_type
from engine.core.declared import HttpSpec
from engine.core.errors import Failure, Kind, StepError
from engine.core.response import is_json

SCHEME = "secret://"
SHORTEST = 8
"""Characters of a secret; a shorter one could not be masked without masking words."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
_REFERENCE = re.compile(rf"secret://(?:({_NAME})/)?({_NAME})(?:#([1-9][0-9]{{0,5}}))?\Z")
_LINE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?\Z")
_TELLING = 24


@dataclass(frozen=True, slots=True)
class SecretRef:
    """What a reference means; `tenant` "" is one's own, `version` 0 the newest."""

    name: str
    tenant: str = ""
    version: int = 0


def parse_reference(text: str) -> SecretRef:
    """Read `secret://[tenant/]name[#version]`. Raises ValueError.

    >>> parse_reference("secret://stripe-key#2")
    SecretRef(name='stripe-key', tenant='', version=2)
    """
    found = _REFERENCE.match(text)
    if found is None:
        raise ValueError("a reference looks like secret://name or secret://name#2")
    return SecretRef(found[2], found[1] or "", int(found[3] or 0))


def is_name(text: str) -> bool:
    """Whether a secret may be called so."""
    return re.fullmatch(_NAME, text) is not None


def markers(spec: HttpSpec, scope: Mapping[str, Any]) -> Mapping[str, str]:
    """A marker for each name that the request may use, for this request only."""
    parts = [spec.url.source, *(each.source for each in _templates(spec)), scope]
    text = json.dumps(parts, sort_keys=True, default=repr)
    made = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return {name: f"hrs{made}{number:02d}z" for number, name in enumerate(sorted(spec.secrets))}


def _templates(spec: HttpSpec) -> Iterable[Any]:
    yield from spec.headers.values()
    yield from spec.query.values()
    if spec.body is not None:
        yield spec.body


Placed = tuple[tuple[str, str], ...]
"""Markers in a request with the reference that each stands for."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What of a request can hold a secret."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


def placed(parts: Parts, marks: Mapping[str, str], references: Mapping[str, str]) -> Placed:
    """The markers that are there. Raises StepError (logic) where one was worked on.

    A function over a secret would be a function over its marker, and what it gives goes out as
    nonsense: `{{secrets.key}}` stands as it is, or beside other text.
    """
    text = _all(parts)
    found = tuple((mark, references[name]) for name, mark in marks.items() if mark in text)
    for mark, _ in found:
        text = text.replace(mark, "")
    if any(mark[3 : 3 + _TELLING] in text.lower() for mark in marks.values()):
        message = "a secret is worked on by an expression"
        hint = "Write {{secrets.name}} as it is; keep the value in the form in which it is sent."
        raise StepError(Failure(Kind.LOGIC, "secret_transformed", message, hint))
    return found


def _all(parts: Parts) -> str:
    lines = [parts.url, *(value for _, value in parts.headers)]
    return "\n".join([*lines, (parts.body or b"").decode("utf-8", "replace")])


def shown(parts: Parts, secrets: Placed) -> Parts:
    """The same with references where the secrets will stand: what people and plans see."""
    return _replaced(parts, secrets, lambda reference: reference, lambda reference: reference)


def filled(parts: Parts, secrets: Placed, values: Mapping[str, str]) -> Parts:
    """The request that is sent: each value escaped for the place where it stands.

    Raises StepError (auth) when a value cannot stand in a header.
    """
    for _, value in parts.headers:
        for mark, reference in secrets:
            if mark in value and not _LINE.match(values[reference]):
                raise _unusable(reference)
    escape = _in_body(parts)
    return _replaced(
        parts,
        secrets,
        lambda reference: values[reference],
        lambda reference: escape(values[reference]),
        lambda reference: quote(values[reference], safe=""),
    )


def _in_body(parts: Parts) -> Callable[[str], str]:
    kinds = [value for name, value in parts.headers if name.lower() == "content-type"]
    media = media_type(kinds[0]) if kinds else ""
    if is_json(media):
        return lambda value: json.dumps(value, ensure_ascii=False)[1:-1]
    return (lambda value: quote(value, safe="")) if media == FORM else str


Text = Callable[[str], str]


def _replaced(
    parts: Parts, secrets: Placed, plain: Text, inside: Text, encoded: Text | None = None
) -> Parts:
    url, headers, body = parts.url, parts.headers, parts.body
    for mark, reference in secrets:
        url = url.replace(mark, (encoded or plain)(reference))
        headers = tuple((name, text.replace(mark, plain(reference))) for name, text in headers)
        if body is not None:
            body = body.replace(mark.encode(), inside(reference).encode())
    return replace(parts, url=url, headers=headers, body=body)


def _unusable(reference: str) -> StepError:
    message = f"the value of {reference} cannot stand in a header"
    hint = "A header takes one line of plain ASCII without spaces at its ends; set it again."
    return StepError(Failure(Kind.AUTH, "bad_secret", message, hint))

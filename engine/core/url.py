"""URLs from templates: a value can fill a place in the path or the query, and nothing more.

The scheme, host and port are constant text of the document, or a connector's base URL. Each
value is percent-encoded for the segment or parameter it stands in, so no value can add a
segment, a parameter or a fragment; where even that would change what is addressed (an empty
segment, `..`) the value is refused. The laws are tested as properties.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from engine.core.errors import Failure, Kind, StepError
from engine.core.expr.values import to_json, to_text
from engine.core.template import Piece, Template

LONGEST_URL = 8192
"""Characters in a URL."""

_START = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\\]*)")
_AUTHORITY = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?\Z")
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LITERAL = "%/?:@!$&'()*+,;=~-._[]"
_DOTS = frozenset({".", ".."})
_CONNECTOR = "connector"


def render_url(
    template: Template, scope: Mapping[str, Any], bases: Mapping[str, str], query: str = ""
) -> str:
    """The absolute URL that `template` means in `scope`, with `query` added to its own.

    Raises StepError: `logic` for a URL that is written wrongly, `validation` for a value that
    cannot stand in it.
    """
    first, *others = template.pieces(scope)
    origin, rest = _origin("" if first.inserted else first.text, bases)
    if not rest and others:
        raise _wrong("dynamic_host", "the host of a URL cannot come from a value", _HOST_HINT)
    path, mark, own = _places([Piece(rest, inserted=False), *others]).partition("?")
    _check_path(path)
    both = "&".join(text for text in (own, query) if text)
    root = "/" if not path and origin.count("/") == 2 else ""
    url = f"{origin}{path or root}{'?' if both or mark else ''}{both}"
    if len(url) > LONGEST_URL:
        message = f"the URL would have {len(url):,} characters; {LONGEST_URL:,} are allowed"
        raise _invalid("url_too_long", message, "Send the values in the body.")
    return url


_HOST_HINT = "Write the host as it is, or name a connector: connector://name/path."


def _origin(first: str, bases: Mapping[str, str]) -> tuple[str, str]:
    """Scheme, host and port (and a connector's base path), and what of the text is left."""
    found = _START.match(first)
    if found is None:
        raise _wrong("bad_url", "a URL begins with http:// or https:// and a host", _HOST_HINT)
    scheme, authority = found[1].lower(), found[2]
    rest = first[found.end() :]
    if scheme == _CONNECTOR:
        return _base(authority, bases), rest
    _check_origin(scheme, authority)
    return f"{scheme}://{authority}", rest


def _base(name: str, bases: Mapping[str, str]) -> str:
    base = bases.get(name)
    if base is None:
        hint = "Add a Connector document with this name and a baseUrl."
        raise _wrong("unknown_connector", f"there is no connector named {name[:80]!r}", hint)
    found = _START.match(base)
    if found is None or "?" in base or "#" in base:
        raise _wrong("bad_url", f"the base URL of the connector {name[:80]!r} cannot be used")
    _check_origin(found[1].lower(), found[2])
    return base.rstrip("/")


def _check_origin(scheme: str, authority: str) -> None:
    if scheme not in {"http", "https"}:
        raise _wrong("bad_url", f"the scheme {scheme[:20]!r} is neither http nor https", _HOST_HINT)
    found = _AUTHORITY.match(authority)
    if found is None or int((found[2] or ":1")[1:]) > 65535:
        hint = "A host has no user, password, zone or escapes; write a foreign name in Punycode."
        raise _wrong("bad_url", f"{authority[:80]!r} is not a plain host", hint)


def _places(pieces: Iterable[Piece]) -> str:
    """Path and query, each literal cleaned and each value encoded for where it stands."""
    text = ""
    for piece in pieces:
        if not piece.inserted:
            text += _literal(piece.text)
            continue
        if not piece.text and "?" not in text:
            message = f"the URL needs a value after {text[-80:]!r}, and it is empty or missing"
            raise _invalid("bad_path_value", message, "Without it, something else is addressed.")
        text += _quote(piece.text, "")
    return text


def _literal(text: str) -> str:
    if "#" in text:
        raise _wrong("bad_url", "a request has no fragment", "Write %23 for a '#'.")
    return _quote(_STRAY.sub("%25", text), _LITERAL)


def _quote(text: str, safe: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        raise _invalid("bad_text", "a value for the URL has half a surrogate pair") from None


def _check_path(path: str) -> None:
    if path and not path.startswith("/"):
        raise _wrong("bad_url", "after the host comes '/' or '?'")
    if any(unquote(segment) in _DOTS for segment in path.split("/")):
        hint = "A value that is '.' or '..' would change which resource is meant."
        raise _invalid("bad_path_value", "the URL would have a segment '.' or '..'", hint)


def render_query(templates: Mapping[str, Template], scope: Mapping[str, Any]) -> str:
    """The declared query parameters: null is left out, a list is one parameter per item."""
    pairs = (
        f"{_quote(name, '')}={_quote(text, '')}"
        for name, template in templates.items()
        for text in _texts(template.render(scope))
    )
    return "&".join(pairs)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        yield from (text for item in value for text in _single(item))
    else:
        yield from _single(value)


def _single(value: Any) -> Iterator[str]:
    if value is not None:
        yield to_json(value) if isinstance(value, dict | list) else to_text(value)


HOST_AND_PORT = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?\Z")
"""A host as a connector allows it, in small letters."""

_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


def is_among(url: str, hosts: Iterable[str]) -> bool:
    """Whether a URL leads to one of these hosts; one without a port means any of its ports.

    >>> is_among("https://A.example/x", ["a.example"])
    True
    >>> is_among("https://a.example", ["a.example:80"])
    False
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme.lower(), 0)
    except ValueError:
        return False
    name = (parts.hostname or "").rstrip(".")
    name = f"[{name}]" if ":" in name else name
    return bool({name, f"{name}:{port}"} & {*hosts})


def _wrong(code: str, message: str, hint: str = "") -> StepError:
    return StepError(Failure(Kind.LOGIC, code, message, hint))


def _invalid(code: str, message: str, hint: str = "") -> StepError:
    return StepError(Failure(Kind.VALIDATION, code, message, hint))

"""The public keys of the OAuth server whose tokens are accepted, found and kept.

Only addresses from the settings, or from the issuer's own metadata, are ever fetched; nothing
that a token says leads anywhere but into the table of keys by its id. An unknown key id makes the
keys be read again, but not more often than every half minute, whoever asks for it.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mcp_server.readings import url as read_url

if TYPE_CHECKING:
    import httpx
    from jwt import PyJWK

logger = logging.getLogger(__name__)

SECOND = 1_000_000
FRESH = 600 * SECOND
"""Keys that are older are read again before they are used."""
STALE = 24 * 3600 * SECOND
"""How long keys are used on while the issuer does not answer."""
BETWEEN = 30 * SECOND
"""Between two readings that nobody but a caller is the cause of."""
LARGEST = 256 * 1024
MOST_KEYS = 100
TIMEOUT = 5.0

_WANTED: Mapping[str, tuple[str, str]] = {
    "RS256": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Which kind of key each algorithm is used with: its type and its curve."""
ALGORITHMS = frozenset(_WANTED)
_FEWEST_BITS = 2048

Keys = Mapping[tuple[str, str], "PyJWK"]


class Unreadable(Exception):
    """The issuer did not answer, or not as it must; the text names no content."""


class IssuerKeys:
    """The signing keys of one issuer, by key id and algorithm."""

    def __init__(self, issuer: str, jwks_url: str, now: Callable[[], int]) -> None:
        self._issuer, self._jwks_url, self._now = issuer, jwks_url, now
        self._keys: Keys = {}
        self._read_at = self._tried_at = -STALE
        self._turn = asyncio.Lock()

    async def find(self, kid: str, algorithm: str) -> "PyJWK | None":
        """The key that a token names, if the issuer has it."""
        if not self._known(kid, algorithm):
            async with self._turn:
                if not self._known(kid, algorithm) and self._may_ask():
                    await self._refresh()
        return self._keys.get((kid, algorithm))

    def _known(self, kid: str, algorithm: str) -> bool:
        fresh = 0 <= self._now() - self._read_at < FRESH
        return fresh and (kid, algorithm) in self._keys

    def _may_ask(self) -> bool:
        return not 0 <= self._now() - self._tried_at < BETWEEN

    async def _refresh(self) -> None:
        self._tried_at = self._now()
        try:
            self._keys = await read_keys(self._issuer, self._jwks_url)
            self._read_at = self._tried_at
        except Unreadable as error:
            logger.warning("the keys of the token issuer cannot be read: %s", error)
            if self._tried_at - self._read_at > STALE:
                self._keys = {}


async def read_keys(issuer: str, jwks_url: str) -> Keys:
    """Read the issuer's keys now. Raises Unreadable."""
    import httpx

    # Of the environment only SSL_CERT_FILE and SSL_CERT_DIR count: they add trust, not a detour.
    context = httpx.create_ssl_context()
    client = httpx.AsyncClient(verify=context, trust_env=False, timeout=TIMEOUT)
    try:
        async with asyncio.timeout(4 * TIMEOUT), client:
            address = jwks_url or await _discovered(client, issuer)
            found = await _json(client, address)
    except TimeoutError:
        raise Unreadable("it takes too long") from None
    return dict(_usable(found.get("keys")))


async def _discovered(client: "httpx.AsyncClient", issuer: str) -> str:
    """Where the issuer's metadata says that its keys lie (RFC 8414, OpenID Connect Discovery)."""
    for address in _metadata_of(issuer):
        try:
            found = await _json(client, address)
        except Unreadable:
            continue
        if found.get("issuer") != issuer:
            raise Unreadable("its metadata names another issuer")
        try:
            return read_url(str(found.get("jwks_uri", "")))
        except ValueError:
            raise Unreadable("its metadata names no https address of keys") from None
    raise Unreadable("it has no metadata")


def _metadata_of(issuer: str) -> tuple[str, ...]:
    parts = urlsplit(issuer)
    base, path = f"{parts.scheme}://{parts.netloc}/.well-known", parts.path.rstrip("/")
    return (
        f"{base}/oauth-authorization-server{path}",
        f"{base}/openid-configuration{path}",
        f"{issuer.rstrip('/')}/.well-known/openid-configuration",
    )


async def _json(client: "httpx.AsyncClient", address: str) -> dict[str, Any]:
    import httpx

    body = bytearray()
    try:
        async with client.stream("GET", address) as answer:
            if answer.status_code != 200:
                raise Unreadable(f"it answered {answer.status_code}")
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise Unreadable("its answer is too large")
        value = json.loads(bytes(body))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise Unreadable(type(error).__name__) from None
    except (ValueError, RecursionError):
        raise Unreadable("its answer is not JSON") from None
    if not isinstance(value, dict):
        raise Unreadable("its answer is no JSON object")
    return value


def _usable(keys: Any) -> Iterator[tuple[tuple[str, str], "PyJWK"]]:
    """The keys that can check a signature of an accepted algorithm. An id twice counts for none."""
    from jwt import PyJWK
    from jwt.exceptions import PyJWTError

    listed = keys[:MOST_KEYS] if isinstance(keys, list) else []
    rows = [row for row in listed if isinstance(row, dict)]
    for row in rows:
        kid = row.get("kid")
        if not isinstance(kid, str) or sum(each.get("kid") == kid for each in rows) > 1:
            continue
        for algorithm in ALGORITHMS:
            if _fits(row, algorithm):
                try:
                    key = PyJWK(row, algorithm)
                except (PyJWTError, ValueError, TypeError):
                    continue
                if getattr(key.key, "key_size", _FEWEST_BITS) >= _FEWEST_BITS or _curve(row):
                    yield (kid, algorithm), key


def _fits(row: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = _WANTED[algorithm]
    return (
        row.get("kty") == kind
        and _curve(row) == curve
        and row.get("use", "sig") == "sig"
        and row.get("alg", algorithm) == algorithm
        and "d" not in row
    )


def _curve(row: Mapping[str, Any]) -> str:
    return str(row.get("crv", ""))

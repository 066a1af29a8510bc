"""Whether a bearer token is good, and whose it is: signed ones of an issuer, or one in a file.

Nothing here says why a token is not good, neither to the caller nor to the log beyond a word: a
token is a secret, and a hint is a lead. `scopes` and the tenant of a signed token are checked; its
other claims are read past.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mcp.server.auth.provider import AccessToken

from mcp_server.issuer import ALGORITHMS
from mcp_server.scopes import SCOPES

if TYPE_CHECKING:
    from jwt import PyJWK

logger = logging.getLogger(__name__)

LARGEST = 8 * 1024
"""Characters of a token."""
SKEW = 60
"""Seconds by which the issuer's clock may differ from ours."""
KEPT = ""
"""What the SDK keeps in place of the token itself."""
LONGEST_NAME = 255
_END = 1 << 40
"""No time of a token is later; what is not a number is not less than it either."""
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_LEADS = frozenset({"crit", "jku", "jwk", "x5u", "b64"})
"""Headers that lead elsewhere or change the rules: a token that has one is refused."""


class Keys(Protocol):
    """Where the keys of the issuer come from."""

    async def find(self, kid: str, algorithm: str) -> "PyJWK | None":
        """The key with this id for this algorithm."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token must be made by and for. An empty `resource` is never matched."""

    issuer: str
    resource: str
    tenant: str


class SignedTokens:
    """Tokens that an OAuth server signed for this server (RFC 9068)."""

    def __init__(self, wanted: Wanted, keys: Keys, now: Callable[[], int]) -> None:
        self._wanted, self._keys, self._now = wanted, keys, now

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who bears the token; None when it is not good."""
        try:
            claims = await self._claims(token)
            return granted(claims, self._wanted, self._now() // 1_000_000)
        except _Bad as bad:
            logger.info("a token was refused: %s", bad)
            return None

    async def _claims(self, token: str) -> Mapping[str, Any]:
        import jwt

        kid, algorithm = named_key(token)
        key = await self._keys.find(kid, algorithm)
        if key is None:
            raise _Bad("unknown key")
        try:
            checked = jwt.PyJWS().decode_complete(token, key, algorithms=[algorithm])
            claims = json.loads(checked["payload"])
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _Bad("signature") from None
        return claims if isinstance(claims, dict) else {}


class _Bad(Exception):
    """The token is not good; the text is a word for the log and says nothing of its content."""


def named_key(token: str) -> tuple[str, str]:
    """The key id and the algorithm that a token names; it is not yet to be believed."""
    import jwt

    if len(token) > LARGEST or token.count(".") != 2 or not token.isascii():
        raise _Bad("form")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise _Bad("header") from None
    kid, algorithm = header.get("kid"), header.get("alg")
    if algorithm not in ALGORITHMS or not isinstance(kid, str) or not kid:
        raise _Bad("algorithm or key id")
    if str(header.get("typ", "JWT")).lower() not in _TYPES or _LEADS & header.keys():
        raise _Bad("type")
    return kid, algorithm


def granted(claims: Mapping[str, Any], wanted: Wanted, now: int) -> AccessToken:
    """What signed claims grant at `now` (seconds); raises when they are not meant for us."""
    expires = _time(claims, "exp", needed=True)
    if now >= expires + SKEW or any(_time(claims, name) > now + SKEW for name in ("nbf", "iat")):
        raise _Bad("time")
    audience = claims.get("aud")
    if wanted.resource not in (audience if isinstance(audience, list) else [audience]):
        raise _Bad("audience")
    if claims.get("iss") != wanted.issuer:
        raise _Bad("issuer")
    if claims.get("tenant", "default") != wanted.tenant:
        raise _Bad("tenant")
    subject = _name(claims, "sub")
    return AccessToken(
        token=KEPT,
        client_id=_name(claims, "client_id", "azp", "sub"),
        scopes=sorted(_scopes(claims)),
        expires_at=expires + SKEW,
        resource=wanted.resource,
        subject=subject,
        claims={"iss": wanted.issuer},
    )


def _time(claims: Mapping[str, Any], name: str, *, needed: bool = False) -> int:
    value = claims.get(name, None if needed else 0)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _END:
        raise _Bad(f"{name} is no time")
    return int(value)


def _name(claims: Mapping[str, Any], *names: str) -> str:
    value = next((claims[name] for name in names if name in claims), None)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        raise _Bad(f"{names[0]} is no name")
    return value


def _scopes(claims: Mapping[str, Any]) -> Set[str]:
    """Those of ours; `scp` is how some issuers write them."""
    said = claims.get("scope", claims.get("scp", ""))
    words: Any = said.split() if isinstance(said, str) else said
    return (
        {word for word in words if isinstance(word, str) and word in SCOPES}
        if isinstance(words, list)
        else set()
    )


class OneToken:
    """The token that lies in a file: whoever has it is the local user, as over stdio."""

    def __init__(self, token: str) -> None:
        self._digest = _digest(token)

    async def verify_token(self, token: str) -> AccessToken | None:
        """The local user, if it is the token; compared in the same time whatever it is."""
        if len(token) > LARGEST or not hmac.compare_digest(_digest(token), self._digest):
            return None
        return AccessToken(token=KEPT, client_id="local", scopes=sorted(SCOPES))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

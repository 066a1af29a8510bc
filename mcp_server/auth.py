"""Who may call over HTTP: what the settings say, checked before anything listens.

A server that others can reach asks everybody who they are, and is reached through TLS; where the
settings do not say how, it does not start. On this machine alone both may be left out. What is
allowed after that is a matter of `scopes`.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings

from engine import Move, Refused, WorldClock
from mcp_server.issuer import IssuerKeys, Unreadable, read_keys
from mcp_server.scopes import READ
from mcp_server.settings import ServerSettings
from mcp_server.tokens import OneToken, SignedTokens, Wanted

TOKEN_BYTES = 32
"""Random bytes of a token in a file: 256 bits."""
_LONGEST = 512
_TOKEN = re.compile(rf"[A-Za-z0-9._~+/=-]{{43,{_LONGEST}}}")
"""A token in a file, as `Authorization` takes it; 43 characters are 256 bits in base64url."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """How callers are known: what the SDK is told, and who looks at the tokens."""

    settings: AuthSettings
    verifier: TokenVerifier
    metadata_url: str = ""


def refuse_if_unsafe(settings: ServerSettings) -> None:
    """Raise Refused `unsafe_address` or `bad_setting` for a server that must not listen so."""
    if settings.issuer and settings.token_file:
        hint = "Leave HANDRAIL_AUTH_ISSUER or HANDRAIL_TOKEN_FILE out."
        raise Refused("bad_setting", "there are two ways to know who calls", hint)
    if settings.loopback:
        return
    if not settings.authenticated:
        message = f"others can reach {settings.host}, and nobody would be asked who they are"
        hint = (
            "Give --token-file (`handrail token FILE` makes one) or --auth-issuer, "
            "or listen on 127.0.0.1."
        )
        raise Refused("unsafe_address", message, hint, move=Move.PERSON)
    if not (settings.tls_proxy or settings.trusted_proxies):
        message = f"others can reach {settings.host}, and tokens would cross the network in clear"
        hint = (
            "Put a proxy that speaks TLS in front and say so with --tls-proxy or "
            "HANDRAIL_TRUSTED_PROXIES, or listen on 127.0.0.1."
        )
        raise Refused("unsafe_address", message, hint, move=Move.PERSON)


def authentication(settings: ServerSettings, port: int) -> Authentication | None:
    """How callers of a server on `port` are known; None where nobody is asked.

    Raises Refused `bad_setting` or `token_file` for settings that cannot work.
    """
    if settings.token_file:
        verifier = OneToken(read_token(settings.token_file))
        # There is no OAuth server; the SDK wants to be told of one all the same, and tells nobody.
        return Authentication(_told(issuer_url="http://localhost"), verifier)
    return _oauth(settings, port) if settings.issuer else None


def _oauth(settings: ServerSettings, port: int) -> Authentication:
    from mcp.server.auth.routes import build_resource_metadata_url

    url = resource(settings, port)
    now = WorldClock().now
    told = _told(issuer_url=settings.issuer, resource_server_url=url, validate_token_resource=True)
    keys = IssuerKeys(settings.issuer, settings.jwks_url, now)
    verifier = SignedTokens(Wanted(settings.issuer, url, settings.tenant), keys, now)
    known_as = told.resource_server_url
    metadata = str(build_resource_metadata_url(known_as)) if known_as else ""
    return Authentication(told, verifier, metadata)


def _told(**more: Any) -> AuthSettings:
    # From texts: only then does the SDK keep URLs as they are written, which is what is compared.
    return AuthSettings.model_validate(
        {"resource_server_url": None, "required_scopes": [READ], **more}
    )


def resource(settings: ServerSettings, port: int) -> str:
    """What tokens must be made for: the URL by which clients know this server."""
    if settings.public_url:
        return settings.public_url
    if not settings.loopback:
        hint = "Set HANDRAIL_PUBLIC_URL, such as https://handrail.example.com/mcp."
        raise Refused("bad_setting", "tokens must be made for a URL, and there is none", hint)
    return f"http://{bracketed(settings.host)}:{port}/mcp"


def bracketed(host: str) -> str:
    """A host as it stands in a URL.

    >>> bracketed("::1")
    '[::1]'
    """
    return f"[{host}]" if ":" in host else host


def way_in(settings: ServerSettings) -> str:
    """How callers will be known, in words. Raises Refused when the settings cannot work."""
    where = f"{bracketed(settings.host)}:{settings.port}"
    if settings.token_file:
        read_token(settings.token_file)
        return f"serves at {where}; callers need the token in {settings.token_file}"
    if settings.issuer:
        url = resource(settings, settings.port)
        return f"serves at {where}; callers need a token of {settings.issuer} for {url}"
    return f"serves at {where}; every program on this machine may call"


async def reachable_issuer(settings: ServerSettings) -> None:
    """Raise Refused `issuer_unreadable` when no key of the OAuth server can be had now."""
    if not settings.issuer:
        return
    try:
        keys = await read_keys(settings.issuer, settings.jwks_url)
        reason = "" if keys else "it has no key for RS256, ES256 or EdDSA"
    except Unreadable as error:
        reason = str(error)
    if reason:
        message = f"the keys of {settings.issuer} cannot be read: {reason}"
        hint = "Check HANDRAIL_AUTH_ISSUER, or name the keys by HANDRAIL_AUTH_JWKS_URL."
        raise Refused("issuer_unreadable", message, hint, move=Move.PERSON)


# -- the token in a file ------------------------------------------------------------------------


def make_token(file: Path, *, replace: bool = False) -> None:
    """Write a new token to a file that only this user can read. Raises FileExistsError."""
    import base64

    token = base64.urlsafe_b64encode(WorldClock().bytes(TOKEN_BYTES)).rstrip(b"=")
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and not replace:
        raise FileExistsError(str(file))
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(token + b"\n")
    beside.replace(file)


def read_token(file: Path) -> str:
    """The token in a file. Raises Refused `token_file` when it is no secret, or no token."""
    try:
        with file.open("rb") as opened:
            state = os.fstat(opened.fileno())
            text = opened.read(_LONGEST + 2).decode("ascii", "replace").strip()
    except OSError as error:
        hint = f"Make one with `handrail token {file}`."
        raise _bad_file(file, f"cannot be read: {error.strerror}", hint) from None
    if os.name == "posix" and stat.S_IMODE(state.st_mode) & 0o077:
        raise _bad_file(file, "can be read by others", f"Make a new one, then: chmod 600 {file}")
    if not _TOKEN.fullmatch(text):
        raise _bad_file(file, "holds no token", "Make one with `handrail token FILE`.")
    return text


def _bad_file(file: Path, what: str, hint: str) -> Refused:
    return Refused("token_file", f"the token file {file} {what}", hint, move=Move.PERSON)

"""Signed tokens: a good one says who calls, and one that is wrong in any one way says nothing."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from engine.shell.clock import TestClock
from mcp_server.issuer import BETWEEN, FRESH, MOST_KEYS, STALE, IssuerKeys
from mcp_server.scopes import SCOPES
from mcp_server.tokens import LARGEST, OneToken, SignedTokens, Wanted
from tests.server.issuers import PRIVATE, STRANGER, Issuer, issuing, public

pytestmark = pytest.mark.requirement("http-sign-in")

HERE = "https://handrail.example.com/mcp"
NOW = 1_800_000_000
SECOND = 1_000_000


class Stand:
    """An issuer, and a server that takes its tokens for tenant `acme`."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.clock = TestClock(NOW * SECOND)
        self.keys = IssuerKeys(issuer.url, "", self.clock.now)
        self.tokens = SignedTokens(Wanted(issuer.url, HERE, "default"), self.keys, self.clock.now)

    def made(self, algorithm: str = "ES256", **changed: Any) -> str:
        usual = {"iat": NOW, "exp": NOW + 300}
        return self.issuer.token(HERE, algorithm, **{**usual, **changed})


@pytest.fixture
async def stand() -> AsyncGenerator[Stand]:
    async with issuing() as issuer:
        yield Stand(issuer)


@pytest.mark.parametrize("algorithm", PRIVATE)
async def test_a_good_token_says_who_calls_and_what_it_may(stand: Stand, algorithm: str) -> None:
    scope = "handrail:read handrail:execute handrail:approve openid"
    found = await stand.tokens.verify_token(stand.made(algorithm, scope=scope))
    assert found is not None
    assert (found.subject, found.client_id, found.resource) == ("ann", "app", HERE)
    assert found.claims == {"iss": stand.issuer.url}
    assert found.scopes == ["handrail:execute", "handrail:read"]  # nothing lets it approve
    assert found.token == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"typ": "JWT"}, {"typ": None}, {"typ": "application/at+jwt"}, {"aud": [HERE, "other"]},
        {"scope": None, "scp": ["handrail:read"]}, {"client_id": None, "azp": "app"},
        {"exp": NOW - 59}, {"nbf": NOW + 60}, {"tenant": "default"}, {"jti": "x", "act": {}},
    ],
    ids=str,
)  # fmt: skip
async def test_issuers_may_write_it_in_their_way(stand: Stand, changed: dict[str, Any]) -> None:
    head = {"typ": changed.pop("typ")} if "typ" in changed else None
    found = await stand.tokens.verify_token(stand.made(head=head, **changed))
    assert found is not None
    assert found.scopes == ["handrail:read"]


WRONG: dict[str, dict[str, Any]] = {
    "29 another server's audience": {"aud": "https://other.example.com/mcp"},
    "29 nearly our audience": {"aud": HERE + "/"},
    "29 no audience": {"aud": None},
    "29 an audience within a longer one": {"aud": [HERE + "x"]},
    "30 expired": {"exp": NOW - 60},
    "30 not yet": {"nbf": NOW + 61},
    "30 issued in the future": {"iat": NOW + 61},
    "30 never expires": {"exp": None},
    "another issuer": {"iss": "https://other.example.com"},
    "nearly the issuer": {"iss": "HTTP://127.0.0.1:1"},
    "no issuer": {"iss": None},
    "nobody": {"sub": None},
    "an empty name": {"sub": ""},
    "a name with a line break": {"sub": "ann\nbob"},
    "a long name": {"sub": "a" * 256},
    "another tenant": {"tenant": "globex"},
    "a tenant that is no text": {"tenant": ["default"]},
}
HEADS: dict[str, dict[str, Any]] = {
    "31 a path": {"kid": "../../etc/passwd"},
    "31 an address": {"kid": "http://evil.example/keys"},
    "31 no kid": {"kid": None},
    "31 another key's id": {"kid": "RS256"},
    "its own keys' address": {"jku": "http://evil.example/keys"},
    "its own certificate's address": {"x5u": "http://evil.example/cert"},
    "its own key": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "an extension that must be understood": {"crit": ["exp"]},
    "an identity token": {"typ": "id_token+jwt"},
    "a logout token": {"typ": "logout+jwt"},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
async def test_claims_that_are_not_meant_for_us(stand: Stand, changed: dict[str, Any]) -> None:
    assert await stand.tokens.verify_token(stand.made(**changed)) is None


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_headers_that_lead_astray(stand: Stand, head: dict[str, Any]) -> None:
    assert await stand.tokens.verify_token(stand.made(head=head)) is None
    assert set(stand.issuer.asked) <= {
        "/.well-known/oauth-authorization-server", "/keys",
    }  # fmt: skip


@pytest.mark.parametrize(
    "exp", ["1", True, 10**400, -1, [], {}, None, float("nan"), float("inf"), 1 << 40], ids=str
)
async def test_times_that_are_no_times(stand: Stand, exp: Any) -> None:
    assert await stand.tokens.verify_token(raw({**stand.issuer.claims(HERE), "exp": exp})) is None


def raw(claims: Any, algorithm: str = "ES256", key: Any = None) -> str:
    """A token over anything at all, signed as it should be."""
    payload = json.dumps(claims).encode()
    signer = PRIVATE[algorithm] if key is None else key
    return jwt.PyJWS().encode(payload, signer, algorithm, {"kid": algorithm, "typ": "at+jwt"})


@pytest.mark.parametrize("claims", [[], None, 5, "x", {}, [{"exp": NOW + 9}]], ids=str)
async def test_a_payload_that_holds_no_claims(stand: Stand, claims: Any) -> None:
    assert await stand.tokens.verify_token(raw(claims)) is None


@pytest.mark.parametrize("scope", [5, {"a": 1}, [5, None], "approve", "handrail:read2"], ids=str)
async def test_scopes_that_are_none_of_ours_grant_nothing(stand: Stand, scope: Any) -> None:
    found = await stand.tokens.verify_token(stand.made(scope=scope))
    assert found is not None
    assert found.scopes == []


async def test_a_token_without_a_signature(stand: Stand) -> None:  # 27
    claims = stand.issuer.claims(HERE, iat=NOW, exp=NOW + 300)
    none = jwt.encode(claims, "", "none", headers={"kid": "ES256"})
    assert await stand.tokens.verify_token(none) is None
    head, body, _ = stand.made().split(".")
    for signature in ("", "AAAA", "=", "\x00"):
        assert await stand.tokens.verify_token(f"{head}.{body}.{signature}") is None


async def test_a_public_key_taken_for_a_shared_secret(stand: Stand) -> None:  # 28
    pem = (
        PRIVATE["RS256"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    import hashlib
    import hmac

    claims = stand.issuer.claims(HERE, iat=NOW, exp=NOW + 300)
    for kid in ("RS256", "HS256"):
        signed = part({"alg": "HS256", "typ": "JWT", "kid": kid}) + b"." + part(claims)
        mac = base64.urlsafe_b64encode(hmac.digest(pem, signed, hashlib.sha256)).rstrip(b"=")
        assert await stand.tokens.verify_token((signed + b"." + mac).decode()) is None


async def test_a_key_that_the_issuer_does_not_have(stand: Stand) -> None:
    assert await stand.tokens.verify_token(stand.made(key=STRANGER)) is None


async def test_a_changed_byte_anywhere(stand: Stand) -> None:
    token = stand.made()
    for at in range(0, len(token) - 2, 7):
        other = "A" if token[at] != "A" else "B"
        assert await stand.tokens.verify_token(token[:at] + other + token[at + 1 :]) is None


async def test_a_huge_token_is_not_even_looked_at(stand: Stand) -> None:  # 32
    big = stand.made(filler="x" * LARGEST)
    assert len(big) > LARGEST
    assert await stand.tokens.verify_token(big) is None
    assert await stand.tokens.verify_token("." * 1_000_000) is None
    assert stand.issuer.asked == []


@given(st.text(max_size=200) | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}"))
def test_any_other_text_is_no_token(text: str) -> None:
    class None_:
        async def find(self, kid: str, algorithm: str) -> None:
            return None

    tokens = SignedTokens(Wanted("i", "r", "default"), None_(), lambda: NOW * SECOND)
    assert asyncio.run(tokens.verify_token(text)) is None
    assert asyncio.run(OneToken("x" * 43).verify_token(text)) is None


async def test_a_server_of_a_tenant_wants_its_tokens(stand: Stand) -> None:
    wanted = Wanted(stand.issuer.url, HERE, "acme")
    acme = SignedTokens(wanted, stand.keys, stand.clock.now)
    assert await acme.verify_token(stand.made()) is None
    assert await acme.verify_token(stand.made(tenant="globex")) is None
    assert await acme.verify_token(stand.made(tenant="acme")) is not None


async def test_the_token_in_a_file_is_the_local_user() -> None:
    one = OneToken("x" * 43)
    found = await one.verify_token("x" * 43)
    assert found is not None
    assert (found.subject, found.client_id, found.scopes) == (None, "local", sorted(SCOPES))
    assert await one.verify_token("x" * 42) is None
    assert await one.verify_token("") is None


# -- the issuer's keys --------------------------------------------------------------------------


async def test_keys_are_read_once_and_kept(stand: Stand) -> None:
    for _ in range(3):
        assert await stand.tokens.verify_token(stand.made()) is not None
    assert stand.issuer.asked == ["/.well-known/oauth-authorization-server", "/keys"]


async def test_unknown_key_ids_do_not_make_the_issuer_work(stand: Stand) -> None:
    for number in range(50):
        assert await stand.tokens.verify_token(stand.made(head={"kid": f"k{number}"})) is None
    assert stand.issuer.asked.count("/keys") == 1


async def test_a_new_key_is_found_after_a_while(stand: Stand) -> None:
    stand.issuer.keys = {"keys": []}
    assert await stand.tokens.verify_token(stand.made()) is None
    stand.issuer.keys = {"keys": [public("ES256")]}
    assert await stand.tokens.verify_token(stand.made()) is None
    stand.clock.time += BETWEEN
    assert await stand.tokens.verify_token(stand.made()) is not None


async def test_a_key_that_is_taken_back_is_gone_after_a_while(stand: Stand) -> None:
    assert await stand.tokens.verify_token(stand.made()) is not None
    stand.issuer.keys = {"keys": []}
    stand.clock.time += FRESH
    late: dict[str, Any] = {"exp": NOW + 10**6}
    assert await stand.tokens.verify_token(stand.made(**late)) is None


async def test_an_issuer_that_is_away_is_waited_for_with_the_keys_it_gave(stand: Stand) -> None:
    late: dict[str, Any] = {"exp": NOW + 10**6}
    assert await stand.tokens.verify_token(stand.made(**late)) is not None
    stand.issuer.silent = True
    stand.clock.time += FRESH
    assert await stand.tokens.verify_token(stand.made(**late)) is not None
    stand.clock.time += STALE
    assert await stand.tokens.verify_token(stand.made(**late)) is None


BAD_METADATA: dict[str, Any] = {
    "another issuer": {"issuer": "https://evil.example", "jwks_uri": "https://evil.example/k"},
    "keys in clear": {"jwks_uri": "http://evil.example/keys"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "no keys": {},
    "no JSON": b"<html>",
    "deep JSON": b"[" * 100_000,
    "too large": b'"' + b"x" * 300_000 + b'"',
    "no object": [],
}


@pytest.mark.parametrize("said", BAD_METADATA.values(), ids=BAD_METADATA)
async def test_metadata_that_cannot_be_trusted(stand: Stand, said: Any) -> None:
    own = {"issuer": stand.issuer.url}
    stand.issuer.metadata = {**own, **said} if isinstance(said, dict) else said
    assert await stand.tokens.verify_token(stand.made()) is None
    assert "/keys" not in stand.issuer.asked


SMALL = rsa.generate_private_key(65537, 1024)
BAD_KEYS: dict[str, Any] = {
    "for encryption": {"keys": [public("ES256", use="enc")]},
    "for another algorithm": {"keys": [public("ES256", alg="ES384")]},
    "the same id twice": {"keys": [public("ES256"), public("RS256", kid="ES256")]},
    "private": {"keys": [public("ES256", d="AAAA")]},
    "of a wrong shape": {"keys": [public("ES256", x="AAAA")]},
    "behind too many": {"keys": [{"kid": f"{n}"} for n in range(MOST_KEYS)] + [public("ES256")]},
    "no list": {"keys": 5},
    "no keys": {"keys": [None, 5, "x", {}]},
}


@pytest.mark.parametrize("keys", BAD_KEYS.values(), ids=BAD_KEYS)
async def test_keys_that_are_not_used(stand: Stand, keys: Any) -> None:
    stand.issuer.keys = keys
    assert await stand.tokens.verify_token(stand.made()) is None


async def test_an_rsa_key_that_is_too_short_is_not_used(stand: Stand) -> None:
    text = jwt.algorithms.RSAAlgorithm.to_jwk(SMALL.public_key())
    stand.issuer.keys = {"keys": [{**json.loads(text), "kid": "RS256"}]}
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = stand.made("RS256", key=SMALL)
    assert await stand.tokens.verify_token(token) is None

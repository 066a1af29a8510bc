"""An OAuth server for tests, on loopback: keys, metadata, and tokens that are wrong in one way."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from engine import WorldClock

PRIVATE: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
STRANGER = ec.generate_private_key(ec.SECP256R1())
ALGORITHMS: dict[str, Any] = jwt.algorithms.get_default_algorithms()


def public(algorithm: str, **more: Any) -> dict[str, Any]:
    """A key as the issuer publishes it; its id is the algorithm's name."""
    as_text = ALGORITHMS[algorithm].to_jwk(PRIVATE[algorithm].public_key())
    return {**json.loads(as_text), "kid": algorithm, "use": "sig", **more}


@dataclass
class Issuer:
    """What the OAuth server says, and what it was asked."""

    url: str = "http://127.0.0.1:1"
    metadata: Any = None
    keys: Any = field(default_factory=lambda: {"keys": [public(name) for name in PRIVATE]})
    asked: list[str] = field(default_factory=list)
    silent: bool = False

    def claims(self, resource: str, **changed: Any) -> dict[str, Any]:
        """Claims that are good, but for what is changed; None takes one away."""
        now = WorldClock().now() // 1_000_000
        good = {
            "iss": self.url, "aud": resource, "sub": "ann", "client_id": "app", "iat": now,
            "exp": now + 300, "scope": "handrail:read openid",
        }  # fmt: skip
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def token(
        self, resource: str, algorithm: str = "ES256", *, key: Any = None,
        head: dict[str, Any] | None = None, **changed: Any,
    ) -> str:  # fmt: skip
        """A token that is good, but for what is changed."""
        heads = {"kid": algorithm, "typ": "at+jwt", **(head or {})}
        heads = {name: value for name, value in heads.items() if value is not None}
        key = PRIVATE.get(algorithm) if key is None else key
        return jwt.encode(self.claims(resource, **changed), key, algorithm, headers=heads)

    def answer(self, path: str) -> Any:
        """What is found at a path, or None."""
        self.asked.append(path)
        if path == "/.well-known/oauth-authorization-server":
            return (
                self.metadata
                if self.metadata is not None
                else {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
            )
        return self.keys if path == "/keys" else None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = await reader.readuntil(b"\r\n\r\n")
        found = None if self.silent else self.answer(head.split()[1].decode())
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        status = "404 Not Found" if found is None else "200 OK"
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def issuing() -> AsyncGenerator[Issuer]:
    """An issuer that answers."""
    issuer = Issuer()
    server = await asyncio.start_server(issuer.serve, "127.0.0.1", 0)
    issuer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield issuer

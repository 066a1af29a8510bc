"""The guard at the socket: no request leaves for an address that it must not reach.

It stands where a connection is opened, so nothing can go round it: a name is resolved once,
every answer must be allowed, and the connection is made to a vetted address (the Host header
and TLS name stay the name's). There is no second look-up that could answer differently. A pair
of host and port in `allowed` may be private, exactly that pair; link-local addresses, where
clouds keep credentials, never (TRUST 4.4). It knows nothing of HTTP.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore

from engine.core.address import Address, is_own, is_public, literal
from engine.core.errors import Failure, Kind, StepError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Every address of a name, as text. Raises OSError or ValueError when there is none."""

OPEN_PORTS = frozenset({80, 443})
SETTING = "HANDRAIL_ALLOWED_HOSTS"


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """What the system's resolver answers. Raises OSError or ValueError when it cannot."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(answer[4][0]) for answer in found))


def check_url(url: str) -> None:
    """Refuse a URL that is not plain http(s) to a plain host; raises StepError (logic)."""
    try:
        parts = urlsplit(url)
        reason = _url_fault(parts)
        _ = parts.port
    except ValueError:
        reason = "it cannot be read"
    if reason or not url.isprintable():
        raise StepError(
            Failure(
                Kind.LOGIC,
                "bad_url",
                f"this URL is refused: {reason or 'it has control characters'}",
                "Use http or https and a plain host name, without user, password or zone.",
            )
        )


def _url_fault(parts: SplitResult) -> str:
    if parts.scheme not in {"http", "https"}:
        return "its scheme is neither http nor https"
    if "@" in parts.netloc:
        return "it carries a user or password"
    if "%" in parts.netloc:
        return "its host has a zone or an escape"
    if not parts.hostname:
        return "it names no host"
    return "" if parts.hostname.isascii() else "its host is not ASCII"


def pair(host: str, port: int) -> tuple[str, int]:
    """Host and port in the form in which `allowed` is searched."""
    return host.lower().rstrip(".").strip("[]"), port


class Guard(httpcore.AsyncNetworkBackend):
    """A network backend that connects only where it is allowed to, by way of `network`."""

    def __init__(
        self,
        allowed: Collection[tuple[str, int]] = (),
        resolve: Resolve = system_resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allowed = frozenset(pair(*each) for each in allowed)
        self._resolve = resolve
        self._network = network or httpcore.AnyIOBackend()

    def excepted(self, host: str, port: int) -> bool:
        """Whether a setting opens this host and port although it may be private."""
        return pair(host, port) in self._allowed

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to a vetted address of `host`.

        Raises StepError when it is refused or cannot be resolved, httpcore's ConnectError or
        ConnectTimeout when no vetted address answers.
        """
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        addresses = await self._vetted(host, port, timeout)
        for left in range(len(addresses), 0, -1):
            share = None if deadline is None else max(0.0, deadline - loop.time()) / left
            address = str(addresses[-left])
            try:
                stream = await self._network.connect_tcp(
                    address, port, share, local_address, socket_options
                )
                return _Tidy(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise AssertionError("there is always an address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise _blocked("a local socket", 0, "Unix sockets are not reachable from workflows")

    async def sleep(self, seconds: float) -> None:
        """Wait; httpcore asks for it between connection retries, which are switched off."""
        await asyncio.sleep(seconds)

    async def _vetted(self, host: str, port: int, seconds: float | None) -> list[Address]:
        excepted = self.excepted(host, port)
        if port not in OPEN_PORTS and not excepted:
            raise _blocked(host, port, f"port {port} is not open to workflows", "blocked_port")
        addresses = await self._addresses(host, port, seconds)
        for address in addresses:
            if not (is_public(address) or (excepted and is_own(address))):
                raise _blocked(host, port, f"{host} leads to a private or reserved address")
        return addresses

    async def _addresses(self, host: str, port: int, seconds: float | None) -> list[Address]:
        known = literal(host)
        if known is not None:
            return [known]
        try:
            async with asyncio.timeout(seconds):
                texts = await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        except (OSError, ValueError) as error:
            raise _unresolved(host) from error
        found = [literal(text) for text in texts]
        if not found:
            raise _unresolved(host)
        if None in found:
            raise _blocked(host, port, f"{host} resolves to something that is not an address")
        return [address for address in found if address is not None]


class _Tidy(httpcore.AsyncNetworkStream):
    """A connection that is closed when it is given up in the middle of a TLS handshake.

    httpcore forgets it there when the call is cancelled, and with it a socket.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """As httpcore has it."""
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """As httpcore has it."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """As httpcore has it."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
    ) -> httpcore.AsyncNetworkStream:
        """As httpcore has it, and closed when it comes to nothing."""
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        """As httpcore has it."""
        return self._stream.get_extra_info(info)


def _blocked(host: str, port: int, message: str, code: str = "blocked_address") -> StepError:
    hint = f"If this is meant, add {host[:80]}:{port} to {SETTING}."
    return StepError(Failure(Kind.PERMISSION, code, message[:200], hint))


def _unresolved(host: str) -> StepError:
    return StepError(
        Failure(
            Kind.NETWORK,
            "dns_failed",
            f"the name {host[:80]} could not be resolved",
            "Check the spelling and this machine's network.",
        )
    )

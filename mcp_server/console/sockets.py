"""The page's sockets, and how a process knows that a port is already served by one of us.

The page lives on loopback only, on both of its addresses: a browser that is told `localhost`
may take either, so a port counts as ours only when nobody else can answer on the other one.
Whoever asks a port for proof sends a fresh challenge; the answer is made with a secret that only
the database holds, and names the port, so that nobody can pass on an answer from elsewhere.
"""

import asyncio
import errno
import hashlib
import hmac
import socket

_BACKLOG = 64
_MOST_ANSWER = 16_384
_NO_IPV6 = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})
PATIENCE = 2.0
"""Seconds for another process of ours to show that it is one."""


def bind(port: int) -> list[socket.socket] | None:
    """Listening sockets on 127.0.0.1 and ::1, both at one port (0: any); None when it is taken."""
    try:
        first = _listening(socket.AF_INET, "127.0.0.1", port)
    except OSError:
        return None
    try:
        return [first, _listening(socket.AF_INET6, "::1", first.getsockname()[1])]
    except OSError as error:
        if error.errno in _NO_IPV6:
            return [first]
        first.close()
        return None


def _listening(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio spares only sockets that say TCP Nagle's delay.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows SO_REUSEADDR would let a stranger share the port; what is meant is the other.
        alone = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        listener.setsockopt(socket.SOL_SOCKET, alone, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def proof(secret: str, port: int, challenge: str) -> str:
    """What a process of this installation answers at this port."""
    said = f"handrail/page/v1\0{port}\0{challenge}".encode()
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()


async def ours(secret: str, port: int, challenge: str) -> bool:
    """Whether a process of this installation serves the page at this port."""
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await _asked(port, challenge)
    except (OSError, TimeoutError):
        return False
    head, _, body = answer.partition(b"\r\n\r\n")
    right = proof(secret, port, challenge).encode()
    return head.startswith(b"HTTP/1.1 200 ") and hmac.compare_digest(body.strip(), right)


async def _asked(port: int, challenge: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        lines = (
            f"GET /alive?challenge={challenge} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Connection: close",
        )
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        answer = b""
        while len(answer) < _MOST_ANSWER and (more := await reader.read(_MOST_ANSWER)):
            answer += more
        return answer
    finally:
        writer.close()

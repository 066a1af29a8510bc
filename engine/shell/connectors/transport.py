"""httpx's transport over httpcore's pools, with the guard as their only way to the network.

Reads share kept-alive connections. Everything else gets a connection of its own, because an
answer lost on a reused one cannot be told from a request that was never read (TRUST 3.1).
HTTP/1.1 only, no proxies, no retries behind the engine's back.
"""

import ssl
from collections.abc import AsyncIterable, AsyncIterator

import httpcore
import httpx

from engine.shell.guard import Guard

OWN_CONNECTION = "handrail.own_connection"
"""The extension of a request that changes something."""

KEEP_ALIVE_SECONDS = 30.0


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()


class GuardedTransport(httpx.AsyncBaseTransport):
    """Two pools over one guard. httpcore's exceptions come through as they are."""

    def __init__(self, guard: Guard, context: ssl.SSLContext, connections: int) -> None:
        self._reads = _pool(guard, context, connections, connections)
        self._sends = _pool(guard, context, connections, 0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its answer with the body still to be read."""
        pool = self._sends if OWN_CONNECTION in request.extensions else self._reads
        url = request.url
        answer = await pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        assert isinstance(answer.stream, AsyncIterable)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Close both pools and every connection in them."""
        await self._reads.aclose()
        await self._sends.aclose()


def _pool(
    guard: Guard, context: ssl.SSLContext, connections: int, kept: int
) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(
        ssl_context=context,
        max_connections=connections,
        max_keepalive_connections=kept,
        keepalive_expiry=KEEP_ALIVE_SECONDS,
        http1=True,
        http2=False,
        retries=0,
        network_backend=guard,
    )

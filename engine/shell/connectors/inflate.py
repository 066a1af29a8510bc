"""Reading a body within bounds, compressed or not: bytes in, at most so many bytes out.

The limit counts what comes out, while it comes out, so a small bomb never becomes large in
memory. Only gzip is understood, because only gzip is asked for. No I/O happens here.
"""

import zlib

from engine.core.errors import StepError
from engine.core.response import bad_response

_GZIP = 16 + zlib.MAX_WBITS
_RATIO_FROM = 1024 * 1024
"""Below this many bytes out, any ratio is harmless."""


class Intake:
    """Collects a body. `limit` is in bytes, in and out; `ratio` is out to in."""

    def __init__(self, encoding: str, limit: int, ratio: int) -> None:
        self._limit = limit
        self._ratio = ratio
        self._taken = 0
        self._out = bytearray()
        self._gzip = _decompressor(encoding)

    def expect(self, length: str) -> None:
        """Refuse a body whose own Content-Length is beyond the limit, before reading it."""
        if length.isascii() and length.isdigit() and int(length[:18]) > self._limit:
            raise _too_large(self._limit)

    def feed(self, chunk: bytes) -> None:
        """Take the next piece; raises StepError (permanent) beyond the bounds."""
        self._taken += len(chunk)
        if self._gzip is None:
            self._out += chunk
        else:
            self._inflate(chunk)
        if self._taken > self._limit:
            raise _too_large(self._limit)

    def result(self) -> bytes:
        """The whole body; raises StepError when the compressed stream ended too early."""
        if self._gzip is not None and self._taken and not self._gzip.eof:
            raise _broken()
        return bytes(self._out)

    def partial(self) -> bytes:
        """What has come so far."""
        return bytes(self._out)

    def _inflate(self, chunk: bytes) -> None:
        assert self._gzip is not None
        if self._gzip.eof:
            raise _broken()
        room = self._limit - len(self._out)
        try:
            self._out += self._gzip.decompress(chunk, room + 1)
        except zlib.error:
            raise _broken() from None
        if len(self._out) > self._limit:
            raise _too_large(self._limit)
        if self._gzip.unused_data:
            raise _broken()
        if len(self._out) > max(_RATIO_FROM, self._taken * self._ratio):
            raise bad_response(
                "ratio", "the answer is compressed beyond reason", "response_too_large"
            )


def _decompressor(encoding: str) -> "zlib._Decompress | None":
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(_GZIP)
        case other:
            raise bad_response("encoding", f"the answer's encoding {other[:40]!r} is not supported")


def _too_large(limit: int) -> StepError:
    return bad_response(
        "too_large", f"the answer is larger than {limit:,} bytes", "response_too_large"
    )


def _broken() -> StepError:
    return bad_response("encoding", "the answer's gzip encoding is broken")

"""The bounds of an HTTP exchange; light to import."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Times are in seconds, sizes in bytes after decompression; `ratio` is bytes out to in."""

    connect: float = 5.0
    read: float = 60.0
    response: int = 5 * 1024 * 1024
    ratio: int = 200
    redirects: int = 3
    connections: int = 100

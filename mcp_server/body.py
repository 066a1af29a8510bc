"""The body of an HTTP request, read once within its bounds and given again to whoever is next.

It knows sizes and times, not what a body means or how a refusal is worded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.types import Message, Receive


class Gone(Exception):
    """The client went away before its body was here."""


class TooLarge(Exception):
    """There is more of the body than is taken."""


def sent_as(headers: Mapping[bytes, bytes], media: bytes) -> bool:
    """Whether a body is said to be of this media type, and not encoded further.

    >>> sent_as({b"content-type": b"application/json; charset=utf-8"}, b"application/json")
    True
    """
    said = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return said == media and b"content-encoding" not in headers


async def gathered(receive: Receive, largest: int, seconds: float) -> bytes:
    """The body, of at most `largest` bytes; raises Gone, TooLarge, and TimeoutError when it
    takes longer than `seconds`.
    """
    body = bytearray()
    more = True
    async with asyncio.timeout(seconds):
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise Gone
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > largest:
                raise TooLarge
    return bytes(body)


def again(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """A `receive` that gives a body that was read already, and then what comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay

"""What every request to the page passes before any of it is believed.

The rules (TRUST.md 1.6, channel 4): the Host is one of ours, with its port; only GET, HEAD and
POST exist; a POST comes from our own page (exact Origin, and Sec-Fetch-Site says so wherever the
browser sends it), is a plain form and small. Every answer, an error too, carries the headers
that keep it out of frames, caches and other people's scripts. A fault of ours is logged by its
kind and told as a sentence. Nothing here knows what an approval is.
"""

import logging

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.body import Gone, TooLarge, again, gathered, sent_as

logger = logging.getLogger(__name__)

LARGEST = 64 * 1024
"""Bytes of a form."""
PATIENCE = 10.0
"""Seconds in which a form has to arrive."""
FORM = b"application/x-www-form-urlencoded"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: a browser would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), clipboard-read=(), display-capture=(), "
    "geolocation=(), gyroscope=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()",
    "Cache-Control": "no-store",
}


class Guard:
    """The edge of the page at one port."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._name = f"localhost:{port}".encode()
        self._hosts = {self._name, f"127.0.0.1:{port}".encode(), f"[::1]:{port}".encode()}
        self._origin = b"http://" + self._name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on; the headers go on whatever is answered."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = _single(scope["headers"])
        dressed = _Dressed(send)
        refused = self._unwelcome(scope, headers)
        if refused is None and headers and scope["method"] == "POST":
            refused, receive = await _form(headers, receive)
        try:
            await (refused or self._app)(scope, receive, dressed)
        except Exception as error:
            # The message of an error may hold what a person typed: only its kind is logged.
            logger.error("the page failed on %s: %s", scope["method"], type(error).__name__)
            if not dressed.begun:
                await _plain(500, "Something went wrong here; nothing was decided. Try again.")(
                    scope, receive, dressed
                )

    def _unwelcome(self, scope: Scope, headers: dict[bytes, bytes] | None) -> Response | None:
        if headers is None:
            return _plain(400, "A header was sent twice.")
        if headers.get(b"host") not in self._hosts:
            return _plain(421, "This page does not go by that name.")
        if scope["method"] == "POST":
            return None if self._ours(headers) else _plain(403, "Only this page's own forms count.")
        if scope["method"] not in {"GET", "HEAD"}:
            return _plain(405, "The page is read with GET and answered with its forms.")
        if headers[b"host"] != self._name and scope["path"] != "/alive":
            # One name, so that there is one origin and one cookie.
            query = b"?" + scope["query_string"] if scope["query_string"] else b""
            url = self._origin + scope.get("raw_path", b"/") + query
            return RedirectResponse(url.decode("latin-1"), 307)
        return None

    def _ours(self, headers: dict[bytes, bytes]) -> bool:
        site = headers.get(b"sec-fetch-site", b"same-origin")
        return (
            headers[b"host"] == self._name
            and headers.get(b"origin") == self._origin
            and site == b"same-origin"
        )


_ONCE = frozenset({b"host", b"origin", b"sec-fetch-site", b"content-type", b"cookie"})


def _single(raw: list[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """The headers by name; None when one that decides was sent twice."""
    names = [name for name, _ in raw if name in _ONCE]
    if len(names) != len(set(names)):
        return None
    return {name: value.strip(b" \t") for name, value in raw}


async def _form(headers: dict[bytes, bytes], receive: Receive) -> tuple[Response | None, Receive]:
    """Read a form within its limits; a refusal, or a `receive` that gives it again."""
    if not sent_as(headers, FORM):
        return _plain(415, "Forms are sent urlencoded, and not encoded further."), receive
    try:
        body = await gathered(receive, LARGEST, PATIENCE)
    except Gone:
        return _plain(400, "The form did not arrive."), receive
    except TooLarge:
        return _plain(413, f"A form has at most {LARGEST:,} bytes."), receive
    except TimeoutError:
        return _plain(408, "The form took too long."), receive
    return None, again(body, receive)


class _Dressed:
    """Sends answers with our headers on; knows whether one has begun."""

    def __init__(self, send: Send) -> None:
        self._send, self.begun = send, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await self._send(message)


def _plain(status: int, sentence: str) -> Response:
    return PlainTextResponse(sentence + "\n", status)

"""One HTTP exchange: send, follow, read within bounds, judge.

A request is sent exactly once by whoever calls; the only repetition is a read's redirect. All
that can go wrong ends as one classified `Failure`. For a request that changes something the
failure also says how far it got, because "it failed" and "nobody knows" are different things
(TRUST 3.1). Nothing is remembered between exchanges: no cookies, no credentials.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal

import httpcore
import httpx

from engine.core.errors import Failure, Kind, StepError
from engine.core.request import Request
from engine.core.response import applied, conflict, decode, excerpt, judge
from engine.core.url import is_among
from engine.shell.connectors.faults import classify
from engine.shell.connectors.inflate import Intake
from engine.shell.connectors.limits import HttpLimits
from engine.shell.connectors.transport import OWN_CONNECTION, GuardedTransport
from engine.shell.guard import Guard, Resolve, check_url, system_resolve

_LOG = logging.getLogger("handrail.http")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PLAIN_HEADERS = frozenset({"accept", "accept-language", "accept-encoding", "user-agent"})
_SENDING = "send_request_headers.started"
_ERROR_BODY = 16 * 1024
_ON_THREAD = 256 * 1024
"""Bodies from this size on are decoded on a thread, so that the loop stays free."""


def open_exchange(
    allowed: Collection[tuple[str, int]],
    limits: HttpLimits,
    resolve: Resolve | None = None,
    network: httpcore.AsyncNetworkBackend | None = None,
) -> "Exchange":
    """An exchange with its own client; `network` carries the connections that the guard allows."""
    for name in ("httpx", "httpcore"):  # they log whole URLs, and with them what is in a query
        logging.getLogger(name).setLevel(logging.WARNING)
    guard = Guard(allowed, resolve or system_resolve, network)
    # Of the environment only SSL_CERT_FILE and SSL_CERT_DIR count: they add trust, not a detour.
    context = httpx.create_ssl_context()
    transport = GuardedTransport(guard, context, limits.connections)
    client = httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )
    return Exchange(client, guard, limits)


@dataclass(slots=True)
class _Progress:
    """How far a request got. `failure` is what a status that has been read already means."""

    request: Request
    sent: Literal["no", "unknown", "yes"] = "no"
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: Failure | None = None

    async def note(self, event: str, _: Any) -> None:
        """Told by httpcore; from the first byte of the header on, nobody knows."""
        if event.endswith(_SENDING):
            self.sent = "unknown"

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The status line and the header have been read."""
        self.sent, self.status, self.headers = "yes", status, headers
        self.failure = judge(status, headers)

    @property
    def applied(self) -> str:
        """Whether it happened, as far as can be said."""
        if self.status is None:
            return self.sent
        sent = self.request
        return applied(self.status, self.headers, sent.not_sent, atomic_5xx=sent.atomic_5xx)

    @property
    def conflict(self) -> bool:
        """Whether an earlier send of the same may be the reason of this answer."""
        return self.status is not None and conflict(self.status)


class Exchange:
    """The one client of a process, and what may be done with it."""

    def __init__(self, client: httpx.AsyncClient, guard: Guard, limits: HttpLimits) -> None:
        self._client = client
        self._guard = guard
        self._limits = limits
        # Queueing is done here: httpcore's own queue takes time with the square of its length.
        self._places = asyncio.Semaphore(limits.connections)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def call(self, request: Request, seconds: float) -> Any:
        """See `HttpConnector.call`."""
        progress = _Progress(request)
        bound = asyncio.timeout(seconds)
        try:
            async with bound, self._places:
                return await self._follow(request, progress, seconds)
        except StepError as error:
            raise _explained(error.failure, request, progress) from error.__cause__
        except TimeoutError as error:
            failure = _late(seconds) if bound.expired() else classify(error)
            raise _explained(progress.failure or failure, request, progress) from None
        except Exception as error:
            failure = classify(error)
            if failure.kind is Kind.INTERNAL:
                _LOG.exception("an exchange with %s broke", _host(request.url))
            raise _explained(progress.failure or failure, request, progress) from error

    async def _follow(self, request: Request, progress: _Progress, seconds: float) -> Any:
        check_url(request.url)
        for _ in range(self._limits.redirects + 1):
            answer = await self._send(request, progress, seconds)
            try:
                following = self._redirect(request, answer)
                if following is None:
                    return await self._read(answer, progress)
                request = following
            finally:
                await answer.aclose()
        raise _refused_redirect("too_many_redirects", "the server keeps redirecting")

    async def _send(self, request: Request, progress: _Progress, seconds: float) -> httpx.Response:
        progress.failure = None
        answer = await self._client.send(self._outgoing(request, progress, seconds), stream=True)
        progress.answered(answer.status_code, dict(answer.headers.items()))
        return answer

    def _outgoing(self, request: Request, progress: _Progress, seconds: float) -> httpx.Request:
        limits = self._limits
        timeouts = {
            "connect": min(limits.connect, seconds),
            "read": min(limits.read, seconds),
            "write": min(limits.read, seconds),
            "pool": seconds,
        }
        extensions: dict[str, Any] = {"timeout": timeouts}
        headers = [("Accept-Encoding", "gzip"), ("User-Agent", "handrail"), *request.headers]
        if request.once:
            extensions |= {"trace": progress.note, OWN_CONNECTION: True}
            headers.append(("Connection", "close"))
        return httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=request.body,
            extensions=extensions,
        )

    def _redirect(self, request: Request, answer: httpx.Response) -> Request | None:
        """The request that a redirect asks for; None when `answer` is final."""
        target = answer.headers.get("location", "")
        if answer.status_code not in _REDIRECTS or request.once or not target:
            return None
        here = httpx.URL(request.url)
        there = here.join(target).copy_with(fragment=None)
        check_url(str(there))
        if _origin(here) == _origin(there):
            return replace(request, url=str(there))
        if request.hosts and not is_among(str(there), request.hosts):
            raise _refused_redirect("foreign_redirect", "the connector does not allow that host")
        if here.scheme == "https" and there.scheme == "http":
            raise _refused_redirect("insecure_redirect", "the server redirects to plain http")
        if self._guard.excepted(there.host, _origin(there)[2]):
            # The exception is for documents that name that host, not for whoever sends here.
            raise _refused_redirect("blocked_redirect", "the server redirects to a private host")
        kept = tuple(each for each in request.headers if each[0].lower() in _PLAIN_HEADERS)
        return replace(request, url=str(there), headers=kept)

    async def _read(self, answer: httpx.Response, progress: _Progress) -> Any:
        if progress.failure is not None:
            body = await self._beginning(answer)
            details = {**progress.failure.details, "excerpt": excerpt(body)}
            raise StepError(replace(progress.failure, details=details))
        encoding = answer.headers.get("content-encoding", "")
        intake = Intake(encoding, self._limits.response, self._limits.ratio)
        intake.expect(answer.headers.get("content-length", ""))
        async for chunk in answer.aiter_raw():
            intake.feed(chunk)
        body = intake.result()
        kind = answer.headers.get("content-type", "")
        if len(body) < _ON_THREAD:
            return decode(answer.status_code, kind, body)
        return await asyncio.to_thread(decode, answer.status_code, kind, body)

    async def _beginning(self, answer: httpx.Response) -> bytes:
        """What an error answer says first; its end is not waited for beyond a bound."""
        try:
            intake = Intake(answer.headers.get("content-encoding", ""), _ERROR_BODY, _ERROR_BODY)
        except StepError:
            return b""
        try:
            async for chunk in answer.aiter_raw():
                intake.feed(chunk)
        except StepError:
            pass  # too long or badly compressed: the status has said what matters
        return intake.partial()


def _explained(failure: Failure, request: Request, progress: _Progress) -> StepError:
    details = {**failure.details, "method": request.method, "host": _host(request.url)}
    if request.once:
        details |= {"sent": progress.sent, "applied": progress.applied}
        details |= {"conflict": True} if progress.conflict else {}
    return StepError(replace(failure, details=details))


def _late(seconds: float) -> Failure:
    hint = "Raise the task's timeout, or find out why the other system is slow."
    return Failure(Kind.TIMEOUT, "timeout", f"no answer within {seconds:g} s", hint)


def _refused_redirect(code: str, message: str) -> StepError:
    return StepError(Failure(Kind.LOGIC, code, message, "Name the final address in the task."))


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _host(url: str) -> str:
    try:
        return httpx.URL(url).netloc.decode("ascii", "replace").rpartition("@")[2]
    except httpx.InvalidURL:
        return ""

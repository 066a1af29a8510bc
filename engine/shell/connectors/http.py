"""The HTTP connector's front door: light to import, heavy only from the first call on.

Importing the HTTP libraries takes longer than the rest of the start-up together, and many
sessions never make a request. So they are imported, and the one client is made, when the first
call comes, on a thread (`exchange.py` is the room behind this door).
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.core.errors import StepError
from engine.core.request import Request, filled
from engine.shell.connectors.limits import HttpLimits
from engine.shell.redact import KNOWN, Redactor
from engine.shell.secrets import Secrets

if TYPE_CHECKING:
    from engine.shell.connectors.exchange import Exchange
    from engine.shell.guard import Resolve


class HttpConnector:
    """Makes requests, within bounds and behind the guard.

    `allowed` names pairs of host and port that may be private. `resolve` replaces the
    system's resolver. `secrets` gives the values that requests refer to; without it none is had.
    """

    def __init__(
        self,
        allowed: Collection[tuple[str, int]] = (),
        limits: HttpLimits | None = None,
        resolve: "Resolve | None" = None,
        secrets: Secrets | None = None,
        redactor: Redactor = KNOWN,
    ) -> None:
        self._secrets = secrets or Secrets("", ())
        self._redactor = redactor
        self._allowed = frozenset(allowed)
        self._limits = limits or HttpLimits()
        self._resolve = resolve
        self._exchange: Exchange | None = None
        self._opening = asyncio.Lock()

    async def call(self, request: Request, timeout: float) -> Any:  # noqa: ASYNC109
        """The decoded answer of one request, within `timeout` seconds all in all.

        Reads follow at most `limits.redirects` redirects; everything else follows none and is
        sent at most once. Raises StepError with the failure classified; for a request that
        changes something its details say `sent` (did it leave: no, unknown, yes) and
        `applied` (did it happen), by TRUST 3.1. Secrets are put in here and nowhere else, and
        what comes back is masked before anybody has it.
        """
        try:
            if request.secrets:
                request = await self._filled(request)
            exchange = self._exchange or await self._open()
            return self._redactor.value(await exchange.call(request, timeout))
        except StepError as error:
            raise self._redactor.error(error) from error.__cause__

    async def _filled(self, request: Request) -> Request:
        references = [reference for _, reference in request.secrets]
        try:
            host = urlsplit(request.url).hostname or ""
            found = await self._secrets.values(references, host)
            return filled(request, {text: value.reveal() for text, value in found.items()})
        except StepError as error:
            unsent = {"sent": "no", "applied": "no"} if request.once else {}
            details = {**error.failure.details, **unsent}
            raise StepError(replace(error.failure, details=details)) from None

    async def close(self) -> None:
        """Close every connection. A later call opens anew."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.close()

    async def _open(self) -> "Exchange":
        async with self._opening:
            if self._exchange is None:
                self._exchange = await asyncio.to_thread(
                    _open, self._allowed, self._limits, self._resolve
                )
            return self._exchange


def _open(
    allowed: Collection[tuple[str, int]], limits: HttpLimits, resolve: "Resolve | None"
) -> "Exchange":
    from engine.shell.connectors.exchange import open_exchange

    return open_exchange(allowed, limits, resolve)

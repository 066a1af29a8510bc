"""HTTP connections that may not be slow: a request's head has to arrive within a given time.

uvicorn waits for ever for the rest of a head that has begun to come, so that a few hundred clients
that send a byte a minute would hold every connection. Here one timer runs from the moment at which
a head is awaited or has begun until it is complete; the body has a time limit of its own.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientConnection(H11Protocol):
    """A connection that is closed when a head takes too long; `limit` is in seconds."""

    limit = 10.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start waiting for the first head."""
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that began after an answer has its time from now on."""
        super().data_received(data)
        if self._timer is None and self._awaits_head() and self.timeout_keep_alive_task is None:
            self._start()

    def handle_events(self) -> None:
        """Go through what is complete; a complete head needs no timer any more."""
        super().handle_events()
        if not self._awaits_head():
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the connection."""
        self._stop()
        super().connection_lost(exc)

    def _awaits_head(self) -> bool:
        cycle: Any = self.cycle
        return cycle is None or bool(cycle.response_complete)

    def _start(self) -> None:
        self._timer = self.loop.call_later(self.limit, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._awaits_head() and not self.transport.is_closing():
            self.transport.abort()


def within(seconds: float) -> type[PatientConnection]:
    """The connections of a server that waits so long for a head."""
    return type("PatientConnection", (PatientConnection,), {"limit": seconds})

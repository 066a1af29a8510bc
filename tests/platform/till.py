"""What of the platform's service changes something: it counts what reaches it, and fails once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(slots=True)
class Till:
    """Bodies by path, in the order in which they came; `broken` are paths that answer 500 once."""

    received: list[tuple[str, Any]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Begin anew."""
        self.received.clear()
        self.broken = {"/api/retry/fail-once"}

    def at(self, path: str) -> list[Any]:
        """The bodies that came to a path."""
        return [body for where, body in self.received if where == path]

    async def take(self, request: Request) -> Response:
        """Note a body and answer as the platform does."""
        path, body = request.url.path, await request.json()
        if path in self.broken:
            self.broken.discard(path)
            return JSONResponse({"error": "not this time"}, 500)
        self.received.append((path, body))
        return JSONResponse(ANSWERS[path], 200)


ANSWERS: Mapping[str, Any] = {
    "/api/payments/process": {"transactionId": "t-1", "status": "ok", "timestamp": "now"},
    "/api/notifications/send": {"notificationId": "n-1", "sent": True, "channel": "mail"},
    "/api/notifications/push": {"sent": True},
    "/api/inventory/check": {"available": [], "unavailable": []},
    "/api/inventory/bulk-check": {"allAvailable": True},
    "/api/orders": {"orderId": "o-9"},
    "/api/retry/fail-once": {"message": "it worked"},
}

TILL = Till()
ROUTES = [Route(path, TILL.take, methods=["POST"]) for path in ANSWERS]

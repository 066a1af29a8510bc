"""Changes of runs, told to clients that listen for them (`subscriptions/listen`).

The engine calls back for every change of every run, so nothing is attached to it while nobody
listens. An event says only "this changed": the client reads `run://{id}` again.
"""

import logging
from collections.abc import Callable

import anyio.lowlevel
from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from mcp_server.door import Door

logger = logging.getLogger(__name__)

Listener = Callable[[ServerEvent], None]


class News:
    """The server's subscription bus: what is published, and what the engine says by itself."""

    def __init__(self, door: Door) -> None:
        self._listeners: dict[object, Listener] = {}
        self._door = door
        self._detach: Callable[[], None] | None = None
        door.on_open(self._reopened)

    async def publish(self, event: ServerEvent) -> None:
        """Tell every listener; one that fails does not keep it from the others."""
        self._tell(event)
        await anyio.lowlevel.checkpoint()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` told from now on; call what is returned to end it."""
        token = object()
        self._listeners[token] = listener
        self._attach()

        def unsubscribe() -> None:
            self._listeners.pop(token, None)
            if not self._listeners and self._detach is not None:
                self._detach()
                self._detach = None

        return unsubscribe

    def _reopened(self) -> None:
        self._detach = None
        self._attach()

    def _attach(self) -> None:
        engine = self._door.opened
        if engine is not None and self._listeners and self._detach is None:
            self._detach = engine.subscribe(self._changed)

    def _changed(self, run_id: str) -> None:
        self._tell(ResourceUpdated(uri=f"run://{run_id}"))

    def _tell(self, event: ServerEvent) -> None:
        for listener in tuple(self._listeners.values()):
            try:
                listener(event)
            except Exception:  # one listener must not starve the others
                logger.exception("a subscription listener failed")

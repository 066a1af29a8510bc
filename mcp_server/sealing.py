"""The seal on the state that a client carries from a question to its answer.

The SDK seals it with a key of the process, so that a restart or a second process of the same
installation would refuse an answer that a person has just given. Here the key is the
installation's, read from the database when it is first needed. The seal binds a state to one
tool, its arguments and its caller for ten minutes; that an answer counts once is not its
business but the approval's.
"""

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.request_state import (
    AESGCMRequestStateCodec,
    InvalidRequestState,
    RequestStateCodec,
    RequestStateSecurity,
)

from engine import Refused
from mcp_server.door import Door

if TYPE_CHECKING:
    from engine.app.engine import Engine


class Seal:
    """Seals and opens states; until the installation's key is known, with one of its own."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._own = RequestStateSecurity.ephemeral().codec
        self._installed: RequestStateCodec | None = None
        self.security = RequestStateSecurity(codec=self)

    def seal(self, payload: bytes) -> str:
        """The sealed form of a state."""
        return (self._installed or self._own).seal(payload)

    def unseal(self, token: str) -> bytes:
        """The state that was sealed; raises InvalidRequestState for any other."""
        if self._installed is not None:
            with contextlib.suppress(InvalidRequestState):
                return self._installed.unseal(token)
        return self._own.unseal(token)

    async def learn(self, engine: "Engine") -> None:
        """Take the installation's key from now on."""
        if self._installed is None:
            secret = (await engine.approvals.installation()).secret
            self._installed = AESGCMRequestStateCodec([secret])

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Know the key before a state that came with a call is opened."""
        if isinstance(ctx.params, Mapping) and ctx.params.get("requestState") is not None:
            with contextlib.suppress(Refused):  # then it cannot be opened, and the client is told
                await self.learn(await self._door.engine())
        return await call_next(ctx)

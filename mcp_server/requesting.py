"""Who calls, as the transport knows it: never as the call says it.

Over stdio the caller is whoever started this process; over HTTP it is the principal of the
token that the edge has checked, or nobody when there is none. What a client says of itself
(its name and version) is kept for people to read and proves nothing.
"""

from typing import Any, NamedTuple

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import principal_components
from mcp.server.context import ServerRequestContext

from mcp_server.text import visible

MOST_CHARACTERS = 64
"""Of a client's name, and of its version."""


class Caller(NamedTuple):
    """One caller: the channel, the issuer and subject of a checked token, the client's name."""

    channel: str
    iss: str
    sub: str
    client: str

    @property
    def principal(self) -> str:
        """What refusals are counted under."""
        return f"{self.iss}|{self.sub}" if self.sub else "local"


def caller(ctx: ServerRequestContext[Any, Any]) -> Caller:
    """The caller of this request."""
    token = get_access_token()
    if token is None:
        return Caller("stdio" if ctx.request is None else "http", "", "", _client(ctx))
    client_id, iss, sub = principal_components(token)
    # A token without a subject is its client's own: the client is the principal then.
    return Caller("http", iss or "", sub or client_id, _client(ctx))


def actor(ctx: ServerRequestContext[Any, Any]) -> str:
    """Who did it, for the journal: the client's name."""
    params = ctx.session.client_params
    return f"mcp:{visible(params.client_info.name[:MOST_CHARACTERS])}" if params else "mcp"


def _client(ctx: ServerRequestContext[Any, Any]) -> str:
    params = ctx.session.client_params
    if params is None:
        return ""
    told = (params.client_info.name, params.client_info.version)
    return " ".join(visible(word[:MOST_CHARACTERS]) for word in told if word)

"""Who calls, as the transport knows it: never as the call says it.

Over stdio the caller is whoever started this process; over HTTP it is the principal of the
token that the edge has checked, or the local user when nobody is asked. What a client says
of itself (its name and version) is kept for people to read and proves nothing.
"""

from typing import Any, NamedTuple

from mcp.server.auth.provider import AccessToken, principal_components
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
    if ctx.request is None:
        return Caller("stdio", "", "", _client(ctx))
    # From this request and not from the context: a session of an older client keeps the context
    # of the request that opened it.
    token = getattr(ctx.request.scope.get("user"), "access_token", None)
    iss, sub = ("", "") if token is None else named(token)
    return Caller("http", iss, sub, _client(ctx))


def named(token: AccessToken) -> tuple[str, str]:
    """The issuer and the subject of a checked token; both empty for the token in a file."""
    _, iss, sub = principal_components(token)
    return (iss, sub) if iss and sub else ("", "")


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

"""Who calls, as the transport knows it: never as the call says it.

Over stdio the caller is whoever started this process; over HTTP it is the principal of the
token that the edge has checked, or the local user when nobody is asked. What a client says
of itself (its name and version) is kept for people to read and proves nothing.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcp.server.auth.provider import AccessToken, principal_components
from mcp.server.context import ServerRequestContext

from mcp_server.text import visible

if TYPE_CHECKING:
    from engine import Requester

MOST_CHARACTERS = 64
"""Of a client's name, and of its version."""

Context = ServerRequestContext[Any, Any]


def requester(ctx: Context) -> "Requester":
    """Who makes this request."""
    from engine import Requester  # not needed for the first listing

    client = " ".join(_client(ctx))
    if ctx.request is None:
        return Requester("stdio", client=client)
    # From this request and not from the context: a session of an older client keeps the context
    # of the request that opened it.
    return known(ctx.request.scope, client)


def known(scope: Mapping[str, Any], client: str = "") -> "Requester":
    """Who makes an HTTP request (an ASGI scope), as its token says."""
    from engine import Requester

    token = getattr(scope.get("user"), "access_token", None)
    iss, sub = ("", "") if token is None else named(token)
    return Requester("http", iss, sub, client)


def named(token: AccessToken) -> tuple[str, str]:
    """The issuer and the subject of a checked token; both empty for the token in a file."""
    _, iss, sub = principal_components(token)
    return (iss, sub) if iss and sub else ("", "")


def actor(ctx: Context) -> str:
    """Who did it, for the journal: the client's name."""
    return ":".join(["mcp", *_client(ctx)[:1]])


def _client(ctx: Context) -> list[str]:
    """The name and the version that the client gives itself."""
    params = ctx.session.client_params
    told = (params.client_info.name, params.client_info.version) if params else ()
    return [visible(word[:MOST_CHARACTERS]) for word in told if word]

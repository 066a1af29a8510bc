"""Routes that say what a change would concern: the answer of seed 003, stage 33, to the letter."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from mcp_server import wire
from mcp_server.api.route import Route, route
from mcp_server.calls import Call, argument
from mcp_server.scopes import READ
from mcp_server.tools.impact import DEPTHS
from mcp_server.wire.impact import FORMATS

if TYPE_CHECKING:
    from engine.app.engine import Engine

_TAKES: Mapping[str, Any] = {
    "name": argument("string", "The name of what is changed.", minLength=1, maxLength=300),
    "depth": {"enum": [*DEPTHS], "default": "1"},
    "format": {"enum": [*FORMATS], "default": "both"},
    "maxFanout": {"type": "integer", "minimum": 0, "default": 0},
}


def _of(kind: str) -> Callable[["Engine", Call], Awaitable[Mapping[str, Any]]]:
    async def concerned(engine: "Engine", call: Call) -> Mapping[str, Any]:
        given = call.arguments
        radius = await engine.impact.blast_radius(
            given["name"],
            kind,
            depth=DEPTHS[given["depth"]],
            graph=given["format"] != "flat",
            most_users=given["maxFanout"],
        )
        return wire.blast_radius(radius, given["format"])

    return concerned


ROUTES: tuple[Route, ...] = tuple(
    route("GET", f"/{kind}s/{{name:path}}/blast-radius", scope=READ, takes=_TAKES, needs=["name"])(
        _of(kind)
    )
    for kind in ("task", "workflow")
)

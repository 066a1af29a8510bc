"""Routes about labels (seed 003, stage 43): which there are, how they are used, changing them.

A change is the one that the tool asks for: worked out against what is there, and done once a
person has said so where the policy wants one.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from mcp_server import wire
from mcp_server.api.route import PREFIX, Route, route
from mcp_server.calls import Call, argument
from mcp_server.narrowing import searched
from mcp_server.scopes import LABELS, READ
from mcp_server.shapes import TEXT, Schema, listing
from mcp_server.tools.labels import list_labels

if TYPE_CHECKING:
    from engine.app.engine import Engine

_WORDS: Schema = {**listing(TEXT), "default": []}
_CHANGE: Mapping[str, Schema] = {
    "addTags": _WORDS,
    "removeTags": _WORDS,
    "addCategories": _WORDS,
    "removeCategories": _WORDS,
    "dryRun": {"type": "boolean", "default": False},
}
_NAME: Mapping[str, Schema] = {"name": argument("string", "", minLength=1, maxLength=300)}
_MANY: Mapping[str, Schema] = {
    "names": _WORDS,
    "filters": argument("object", "Instead of names.", default={}),
}

Body = Callable[["Engine", Call], Awaitable[Mapping[str, Any]]]


async def _page(engine: "Engine", call: Call) -> Mapping[str, Any]:
    return (await list_labels.body(engine, call)).facts


labels = Route("GET", f"{PREFIX}/labels", READ, list_labels.takes, _page, list_labels.defaults)
"""A page of the labels, with how often each is used: the tool, as it is."""


@route(
    "GET",
    "/labels/stats",
    scope=READ,
    takes={"days": {"type": "integer", "minimum": 1, "maximum": 366, "default": 30}},
)
async def stats(engine: "Engine", call: Call) -> Mapping[str, Any]:
    """How labels are used, over so many days until now."""
    found = await engine.labels.stats(engine.settings.clock.now(), call.arguments["days"])
    made = wire.suggestion_stats(await engine.suggesting.stats())
    return {"status": "ok", **wire.label_stats(found), "suggestions": made}


def _changing(thing: str) -> Body:
    async def change(engine: "Engine", call: Call) -> Mapping[str, Any]:
        from engine.app.labelling import Change
        from engine.core.labels.change import Labels

        given = call.arguments
        names = (given["name"],) if "name" in given else tuple(given["names"])
        filters = given.get("filters")
        wished = Change(
            thing,
            names,
            searched(filters, f"POST {thing}s/labels/bulk") if filters else None,
            Labels(tuple(given["addCategories"]), tuple(given["addTags"])),
            Labels(tuple(given["removeCategories"]), tuple(given["removeTags"])),
        )
        dry = given["dryRun"]
        found = await engine.labels.change(wished, requester=call.requester, dry=dry)
        return wire.labels_changed(found, "dry_run" if dry else "ok")

    return change


def _routes(thing: str) -> tuple[Route, Route]:
    one = {**_NAME, **_CHANGE}
    return (
        route("POST", f"/{thing}s/labels/bulk", scope=LABELS, takes={**_MANY, **_CHANGE})(
            _changing(thing)
        ),
        route("PATCH", f"/{thing}s/{{name:path}}/labels", scope=LABELS, takes=one, needs=["name"])(
            _changing(thing)
        ),
    )


ROUTES: tuple[Route, ...] = (labels, stats, *_routes("workflow"), *_routes("task"))

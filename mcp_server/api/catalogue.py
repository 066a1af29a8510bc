"""Routes about what there is: workflows and tasks as the tools list them, and inputs checked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp_server import wire
from mcp_server.api.route import Route, route
from mcp_server.calls import Call, argument
from mcp_server.narrowing import FILTERS
from mcp_server.scopes import READ
from mcp_server.tools.discover import limit, list_tasks, list_workflows

if TYPE_CHECKING:
    from engine.app.engine import Engine

_PAGE: Mapping[str, Any] = {
    "limit": limit(20, 100),
    "cursor": argument("string", "", default="", maxLength=1000),
    **FILTERS,
    "matchAllTags": argument("boolean", "All of tags, not any of them.", default=False),
}


_STATISTICS = argument("boolean", "Add how their newest runs went.", default=False)


def _tagged(call: Call) -> Call:
    """The call as the tool takes it: here `tags` are any of them unless all are asked for."""
    given = dict(call.arguments)
    if not given.pop("matchAllTags"):
        given["anyTags"] = [*given["anyTags"], *given["tags"]]
        given["tags"] = []
    return replace(call, arguments=given)


@route("GET", "/workflows", scope=READ, takes={**_PAGE, "includeStats": _STATISTICS})
async def workflows(engine: "Engine", call: Call) -> Mapping[str, Any]:
    """A page of the workflows."""
    return (await list_workflows.body(engine, _tagged(call))).facts


@route("GET", "/tasks", scope=READ, takes=_PAGE)
async def tasks(engine: "Engine", call: Call) -> Mapping[str, Any]:
    """A page of the tasks."""
    return (await list_tasks.body(engine, _tagged(call))).facts


@route(
    "POST",
    "/workflows/{name:path}/validate-input",
    scope=READ,
    takes={
        "name": argument("string", "The workflow's name.", minLength=1, maxLength=300),
        "input": argument("object", "What a run would be given.", default={}),
        "version": argument("string", "", default="", maxLength=64),
    },
    needs=("name",),
)
async def validate_input(engine: "Engine", call: Call) -> Mapping[str, Any]:
    """What a run would say to an input; nothing is run."""
    given = call.arguments
    found = await engine.matching.validate_input(given["name"], given["input"], given["version"])
    return {"status": "ok", **wire.validation(found)}


ROUTES: tuple[Route, ...] = (workflows, tasks, validate_input)

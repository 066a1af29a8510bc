"""Routes that list what there is: workflows and tasks, as the tools list them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcp_server.api.route import Route, route
from mcp_server.calls import Call, argument
from mcp_server.scopes import READ
from mcp_server.tools.discover import limit, list_tasks, list_workflows

if TYPE_CHECKING:
    from engine.app.engine import Engine

_PAGE: Mapping[str, Any] = {
    "limit": limit(20, 100),
    "cursor": argument("string", "nextCursor of the page before.", default="", maxLength=1000),
    "category": argument("string", "Only this category.", default="", maxLength=100),
}


@route("GET", "/workflows", scope=READ, takes={**_PAGE, "tag": _PAGE["category"]})
async def workflows(engine: "Engine", call: Call) -> Mapping[str, Any]:
    """A page of the workflows."""
    return (await list_workflows.body(engine, call)).facts


@route("GET", "/tasks", scope=READ, takes=_PAGE)
async def tasks(engine: "Engine", call: Call) -> Mapping[str, Any]:
    """A page of the tasks."""
    return (await list_tasks.body(engine, call)).facts


ROUTES: tuple[Route, ...] = (workflows, tasks)

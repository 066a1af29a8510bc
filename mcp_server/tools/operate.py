"""Tools for whoever operates the workflows. Here an assistant may look; a person decides."""

from typing import TYPE_CHECKING

from mcp_server import prose, wire
from mcp_server.calls import READS, Call, Tool, argument, tool
from mcp_server.shapes import TEXT, VERSION, listing, outcome

if TYPE_CHECKING:
    from engine.app.engine import Engine


@tool(
    title="Look at versions",
    hints=READS,
    takes={"workflow": argument("string", "", minLength=1, maxLength=300)},
    needs=("workflow",),
    gives=(outcome("ok", {"workflow": TEXT, "versions": listing(VERSION), "nextStep": TEXT}),),
)
async def manage_versions(engine: "Engine", call: Call) -> wire.Answer:
    """Use this to see a workflow's versions: which is the default, which are deprecated, how many
    runs each has by status. It only reads.
    """
    name = call.arguments["workflow"]
    versions = [wire.version(each) for each in await engine.versions(name)]
    said = "To set the default or to deprecate a version, a person uses the terminal: "
    facts = {
        "status": "ok",
        "workflow": name,
        "versions": versions,
        "nextStep": f"{said}handrail versions {name}",
    }
    lines = [f"Versions of {name}:", *(prose.version(each) for each in versions)]
    return wire.Answer(facts, "\n".join([*lines, facts["nextStep"]]))


TOOLS: tuple[Tool, ...] = (manage_versions,)

"""The tool that says what a change of something would concern, and break."""

from typing import TYPE_CHECKING, Any

from mcp_server import prose_impact, wire
from mcp_server.calls import READS, Call, Tool, argument, tool
from mcp_server.drawing import mermaid
from mcp_server.paging import behind, cursor
from mcp_server.shapes import COUNT, FLAG, OBJECT, TEXT, listing, outcome

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.core.impact.radius import Radius

PAGE = 100
"""Names in one answer."""
MOST_EDGES = 300
MOST_BREAKS = 50
MOST_DRAWN = 40
"""Nodes of a drawing that is still read by a person."""
DEPTHS = {"1": 1, "2": 2, "3": 3, "unlimited": 0}


def _choice(*words: str) -> dict[str, Any]:
    return {"enum": [*words], "default": words[0]}


@tool(
    title="Blast radius",
    hints=READS,
    takes={
        "name": {"type": "string", "maxLength": 300},
        "kind": _choice("task", "workflow", "connector", "version"),
        "depth": _choice(*DEPTHS),
        "format": _choice("flat", "graph", "both"),
        "maxFanout": {"type": "integer", "minimum": 0, "default": 0},
        "whatIf": argument(
            "object", "{delete: true} | {replaceWith} | {inputSchema, outputSchema}"
        ),
        "cursor": {"type": "string", "default": "", "maxLength": 1000},
    },
    needs=("name",),
    gives=(
        outcome(
            "ok",
            {"analysisDepth": COUNT, "truncatedAtDepth": FLAG},
            taskName=TEXT, workflowName=TEXT, connectorName=TEXT, version=TEXT,
            summary=OBJECT, graph=OBJECT, pinnedTasks=listing(TEXT), runsUnderWay=COUNT,
            notFollowed=listing(OBJECT), manyUsers=listing(OBJECT), hint=TEXT, omitted=COUNT,
            breaks=listing(OBJECT), tried=COUNT, untried=COUNT, nextCursor=TEXT,
            breaksOmitted=COUNT, edgesOmitted=COUNT, pinnedTasksOmitted=COUNT,
        ),
    ),
)  # fmt: skip
async def get_blast_radius(engine: "Engine", call: Call) -> wire.Answer:
    """Use this before something is changed: which workflows and tasks that concerns; with whatIf,
    which steps break.
    """
    given = call.arguments
    name, kind, form = given["name"], given["kind"], given["format"]
    about = ("impact", name, kind, given["depth"], form, str(given["maxFanout"]))
    depth, place = behind(given["cursor"], about)
    view = await engine.impact.blast_radius(
        name, kind, depth=DEPTHS[given["depth"]], graph=form != "flat",
        most_users=given["maxFanout"], after=(int(depth or 0), place), limit=PAGE,
    )  # fmt: skip
    facts: wire.Json = {"status": "ok", **wire.blast_radius(view, form)}
    if view.more:
        facts["nextCursor"] = cursor(str(view.last[0]), view.last[1], about)
    if "whatIf" in given:
        facts |= wire.what_if(await _tried(engine, name, kind, given["whatIf"]))
    _bound(facts)
    return wire.Answer(
        facts, prose_impact.told(facts, wire.blast_radius(view, "flat"), _drawn(view))
    )


def _bound(facts: wire.Json) -> None:
    """Cut what a page does not bound: edges and breaks. How much was cut is said."""
    lists = [(facts, "breaks", MOST_BREAKS), (facts, "pinnedTasks", PAGE)]
    if "graph" in facts:
        lists.append((facts["graph"], "edges", MOST_EDGES))
    for holder, name, most in lists:
        left = len(holder.get(name, ())) - most
        if left > 0:
            holder[name], facts[f"{name}Omitted"] = holder[name][:most], left


async def _tried(engine: "Engine", name: str, kind: str, given: dict[str, Any]) -> Any:
    from engine.core.impact.whatif import change_of

    return await engine.impact.what_if(name, kind, change_of(given))


def _drawn(view: "Radius") -> str:
    return mermaid(view) if 1 < len(view.nodes) <= MOST_DRAWN else ""


TOOLS: tuple[Tool, ...] = (get_blast_radius,)

"""The blast radius in the shape of seed 003, stage 33; what the seed does not name is left out
where there is nothing to say.
"""

from typing import TYPE_CHECKING

from mcp_server.foreign import LINE, message
from mcp_server.wire.basics import Json, without_empty

if TYPE_CHECKING:
    from engine.app.impact import WhatIf
    from engine.core.impact.radius import Edge, Hub, Node, Radius
    from engine.core.impact.whatif import Break

FORMATS = ("flat", "graph", "both")


def blast_radius(view: "Radius", form: str = "both") -> Json:
    """The answer in one of the three forms. The graph is there only if it was asked for."""
    facts: Json = {
        f"{view.kind}Name": view.name,
        "analysisDepth": view.depth,
        "truncatedAtDepth": view.cut,
    }
    if form != "graph":
        facts["summary"] = _summary(view)
    if form != "flat":
        facts["graph"] = {
            "nodes": [_node(each) for each in view.nodes],
            "edges": [_edge(each) for each in view.edges],
        }
    return facts | _besides(view)


def _summary(view: "Radius") -> Json:
    return {
        "totalAffectedWorkflows": view.workflows,
        "totalAffectedTasks": view.tasks,
        "affectedWorkflows": [name for level in view.levels for name in level.workflows],
        "affectedTasks": [name for level in view.levels for name in level.tasks],
        "byDepth": [
            {"depth": level.depth, "workflows": list(level.workflows), "tasks": list(level.tasks)}
            for level in view.levels
        ],
    }


def _node(view: "Node") -> Json:
    shown = {"id": view.id, "name": view.name, "type": view.kind, "depth": view.depth}
    return shown if view.depth else {**shown, "isSource": True}


def _edge(view: "Edge") -> Json:
    return {"source": view.source, "target": view.target, "relationship": view.relationship}


def _besides(view: "Radius") -> Json:
    facts: Json = {}
    if view.version:
        pins, runs = list(view.pins), view.runs
        facts |= {"version": view.version, "pinnedTasks": pins, "runsUnderWay": runs}
    if view.held:
        facts["notFollowed"] = [_hub(each) for each in view.held]
    if view.broad:
        least = min(each.users for each in view.broad)
        facts["manyUsers"] = [_hub(each) for each in view.broad]
        facts["hint"] = (
            "A few things with very many users bring most of this: with maxFanout"
            f" {least - 1} they are named and not followed."
        )
    if view.more:
        facts["omitted"] = view.more
    return facts


def _hub(view: "Hub") -> Json:
    return {"name": view.name, "type": view.kind, "users": view.users}


def what_if(view: "WhatIf") -> Json:
    """What a change would break, place by place."""
    facts: Json = {"breaks": [_break(each) for each in view.breaks], "tried": view.tried}
    return facts | ({"untried": view.untried} if view.untried else {})


def _break(view: "Break") -> Json:
    shown: Json = {
        "name": view.name,
        "type": view.kind,
        "step": view.step,
        "place": view.place,
        "severity": view.severity,
        "code": view.code,
        "message": message(view.message, LINE),
        "hint": message(view.hint, LINE),
    }
    return without_empty(shown, "step", "hint")

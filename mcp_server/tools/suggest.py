"""The tool that suggests labels. It changes none."""

from typing import TYPE_CHECKING

from mcp_server import prose_labels, wire
from mcp_server.calls import Call, Hints, Tool, tool
from mcp_server.shapes import TEXT, listing, outcome, record

if TYPE_CHECKING:
    from engine.app.engine import Engine

SUGGESTION = record(
    {
        "label": TEXT,
        "type": {"enum": ["tag", "category"]},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "reason": TEXT,
    }
)


@tool(
    title="Suggest labels",
    hints=Hints(read_only=True, destructive=False, idempotent=True, open_world=True),
    takes={
        "name": {"type": "string", "maxLength": 300},
        "on": {"enum": ["workflow", "task"], "default": "workflow"},
    },
    needs=("name",),
    gives=(
        outcome(
            "ok",
            {"suggestions": listing(SUGGESTION), "source": {"enum": ["neighbours", "model"]}},
            note=TEXT,
        ),
    ),
)
async def suggest_labels(engine: "Engine", call: Call) -> wire.Answer:
    """Use this for labels that may fit; manage_labels adds those that the user chose."""
    found = await engine.suggesting.suggest(call.arguments["name"], call.arguments["on"])
    facts: wire.Json = {"status": "ok", **wire.suggestions(found)}
    return wire.Answer(facts, prose_labels.suggestions(facts))


TOOLS: tuple[Tool, ...] = (suggest_labels,)

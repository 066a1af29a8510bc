"""Tools about labels: which there are, and changing them, which may need a person."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import Refused
from mcp_server import prose_labels, wire
from mcp_server.calls import READS, Call, Hints, Tool, argument, tool
from mcp_server.narrowing import searched
from mcp_server.paging import behind, onward
from mcp_server.shapes import APPROVAL, COUNT, FLAG, TEXT, TIME, listing, outcome, page, record

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.app.labelling import Change, Changed
    from engine.core.labels.change import Labels

LABEL = record(
    {"label": TEXT, "type": TEXT, "workflows": COUNT, "tasks": COUNT},
    {"lastUsedAt": TIME, "protected": FLAG},
)
LABELLED = record({"name": TEXT}, {"added": listing(TEXT), "removed": listing(TEXT)})
_CHANGED: dict[str, Any] = {"total": COUNT, "items": listing(LABELLED)}
_WORDS: dict[str, Any] = {**listing(TEXT), "default": []}
_TYPES = ["tag", "category"]


class _Place(NamedTuple):
    """Where a label stands in the list, for a cursor."""

    namespace: str
    name: str


@tool(
    title="List labels",
    hints=READS,
    takes={
        "cursor": {**TEXT, "default": ""},
        "limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
        "type": {"enum": _TYPES},
        "pattern": argument("string", "Such as team-*.", default=""),
    },
    gives=(page("labels", LABEL),),
)
async def list_labels(engine: "Engine", call: Call) -> wire.Answer:
    """Use this to see which tags and categories there are and how many have each."""
    from engine.app.label_stats import Wanted
    from engine.core.labels.filter import fold

    given = call.arguments
    kind, pattern, most = given.get("type", ""), given["pattern"], given["limit"]
    about = ("list_labels", kind, fold(pattern))
    after = behind(given["cursor"], about)
    found = await engine.labels.page(Wanted(kind, pattern=pattern), after, most + 1)
    places = [_Place(fold(each.label), each.type) for each in found.labels]
    cursor = onward(places, most, about)
    shown = [wire.label(each) for each in found.labels[:most]]
    facts: wire.Json = {"status": "ok", "labels": shown, "total": found.total}
    facts |= {"nextCursor": cursor} if cursor else {}
    return wire.Answer(facts, prose_labels.labels(facts))


@tool(
    title="Manage labels",
    hints=Hints(read_only=False, destructive=False, idempotent=True, open_world=False),
    takes={
        "names": _WORDS,
        "filters": argument("object", "Instead of names.", default={}),
        "on": {"enum": ["workflow", "task"], "default": "workflow"},
        "type": {"enum": _TYPES, "default": "tag"},
        "add": _WORDS,
        "remove": _WORDS,
        "dryRun": {"type": "boolean", "default": False},
        "undo": argument("string", "A changeId.", default=""),
    },
    gives=(
        outcome("ok", _CHANGED, remaining=COUNT, changeId=TEXT),
        outcome("dry_run", _CHANGED, remaining=COUNT),
        APPROVAL,
    ),
)
async def manage_labels(engine: "Engine", call: Call) -> wire.Answer:
    """Use this to label workflows or tasks, by names or by filters as of list_workflows."""
    given = call.arguments
    dry = given["dryRun"]
    view = await _changed(engine, call, dry)
    facts = wire.labels_changed(view, "dry_run" if dry else "ok")
    return wire.Answer(facts, prose_labels.change(facts))


async def _changed(engine: "Engine", call: Call, dry: bool) -> "Changed":
    given = call.arguments
    if not given["undo"]:
        return await engine.labels.change(_wished(given), requester=call.requester, dry=dry)
    if any(given[name] for name in ("add", "remove", "names", "filters")):
        raise Refused("invalid_arguments", "undo stands alone", "Leave the other arguments out.")
    return await engine.labels.undo(given["undo"], requester=call.requester, dry=dry)


def _wished(given: Mapping[str, Any]) -> "Change":
    from engine.app.labelling import Change

    wanted = searched(given["filters"], "manage_labels") if given["filters"] else None
    add, remove = _labels(given["type"], given["add"]), _labels(given["type"], given["remove"])
    return Change(given["on"], tuple(given["names"]), wanted, add, remove)


def _labels(kind: str, words: Iterable[str]) -> "Labels":
    from engine.core.labels.change import Labels

    return Labels(tags=tuple(words)) if kind == "tag" else Labels(categories=tuple(words))


TOOLS: tuple[Tool, ...] = (list_labels, manage_labels)

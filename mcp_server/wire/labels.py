"""Labels and changes of them as they cross the protocol."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mcp_server.foreign import LINE, message
from mcp_server.wire.basics import Json, called, rfc3339, without_empty

if TYPE_CHECKING:
    from engine.app.label_stats import LabelStats, LabelUse
    from engine.app.labelling import Changed
    from engine.app.suggesting import Suggestions, SuggestionStats
    from engine.core.labels.change import Item, Move

MOST_ITEMS = 25
"""Things that the answer to a change names; the others are counted."""
_DAY = 86_400_000_000


def label(view: "LabelUse") -> Json:
    """A label with its use."""
    shown: Json = {
        "label": message(view.label, LINE),
        "type": view.type,
        "workflows": view.workflows,
        "tasks": view.tasks,
        "protected": view.protected,
    }
    if view.last_used:
        shown["lastUsedAt"] = rfc3339(view.last_used)
    return without_empty(shown, "protected")


def changed(view: "Changed", status: str) -> Json:
    """What a change of labels comes to."""
    shown: Json = {
        "status": status,
        "total": len(view.items),
        "items": [_item(*each) for each in view.items[:MOST_ITEMS]],
        "remaining": view.left,
        "changeId": view.id,
    }
    return without_empty(shown, "remaining", "changeId")


def _item(item: "Item", moves: "tuple[Move, ...]") -> Json:
    shown: Json = {"name": called(item.namespace, item.name)}
    for word, added in (("added", True), ("removed", False)):
        labels = [message(move.label, LINE) for move in moves if move.added is added]
        if labels:
            shown[word] = labels
    return shown


def label_stats(view: "LabelStats") -> Json:
    """The figures about labels."""
    return {
        "labels": view.labels,
        "days": [
            {"date": rfc3339(day.day * _DAY)[:10], "added": day.added, "removed": day.removed}
            for day in view.days
        ],
        "mostUsed": [label(each) for each in view.most_used],
        "unusedCategories": list(view.unused),
        "undeclaredCategories": [message(each, LINE) for each in view.undeclared],
        "nearDuplicates": [
            {
                "label": message(each.label, LINE),
                "other": message(each.other, LINE),
                "why": each.why,
            }
            for each in view.alike
        ],
        "coverage": {
            f"{thing}s": {
                "total": total,
                "tagged": tags,
                "categorized": categories,
                "labelled": any_,
            }
            for thing, total, tags, categories, any_ in view.coverage
        },
    }


def suggestions(view: "Suggestions") -> Json:
    """Labels that may fit, and whose suggestions they are."""
    found = [
        {
            "label": message(each.label, LINE),
            "type": each.type,
            "confidence": each.confidence,
            "reason": message(each.reason, LINE),
        }
        for each in view.suggestions
    ]
    shown: Json = {"suggestions": found, "source": view.source}
    return {**shown, "note": message(view.trouble, LINE)} if view.trouble else shown


def suggestion_stats(views: Iterable["SuggestionStats"]) -> list[Json]:
    """What became of suggestions, by source."""
    found: list[Json] = []
    for each in views:
        counted: Json = {
            "source": each.source, "made": each.made, "accepted": each.accepted,
            "rejected": each.rejected,
        }  # fmt: skip
        found.append(counted if each.rate is None else {**counted, "rate": round(each.rate, 3)})
    return found

"""Labels in words, for the text block of an answer."""

from mcp_server.foreign import plain
from mcp_server.wire import Json

_SHORT = 100


def labels(facts: Json) -> str:
    """A page of labels."""
    lines = [_line(each) for each in facts["labels"]] or ["There are no labels."]
    if facts.get("nextCursor"):
        lines.append(f"More: cursor {facts['nextCursor']}")
    return "\n".join(lines)


def _line(each: Json) -> str:
    guarded = " Protected: only a person sets it." if each.get("protected") else ""
    used = f"{each['workflows']} workflows, {each['tasks']} tasks"
    return f"- {plain(each['label'], _SHORT)} ({each['type']}): {used}.{guarded}"


def change(facts: Json) -> str:
    """What a change of labels came to, or would come to."""
    lines = [_head(facts)]
    for each in facts["items"]:
        parts = [f"+{plain(word, _SHORT)}" for word in each.get("added", ())]
        parts += [f"-{plain(word, _SHORT)}" for word in each.get("removed", ())]
        lines.append(f"- {each['name']}: {', '.join(parts)}")
    if more := facts["total"] - len(facts["items"]):
        lines.append(f"... and {more} more")
    if facts.get("remaining"):
        lines.append(f"{facts['remaining']:,} more fit: call again for the next of them.")
    if facts.get("changeId"):
        lines.append(f"To take it back: manage_labels with undo {facts['changeId']}")
    return "\n".join(lines)


def _head(facts: Json) -> str:
    if not facts["total"]:
        return "Nothing is left to change: everything is as asked for."
    done = "Changed" if facts["status"] == "ok" else "Would change"
    return f"{done} the labels of {facts['total']:,}:"


def suggestions(facts: Json) -> str:
    """Labels that may fit."""
    told = "a language model" if facts["source"] == "model" else "what is like it"
    lines = [f"Suggested by {told}:"] if facts["suggestions"] else ["No label surely fits."]
    lines += [
        f"- {plain(each['label'], _SHORT)} ({each['type']}, {each['confidence']:.2f}):"
        f" {plain(each['reason'])}"
        for each in facts["suggestions"]
    ]
    return "\n".join([*lines, *([plain(facts["note"])] if "note" in facts else [])])

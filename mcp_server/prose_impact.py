"""A blast radius in words, for an assistant that pays by the token; as `prose.py` does the rest."""

from mcp_server.foreign import plain
from mcp_server.prose import listed
from mcp_server.wire import Json

_SHORT = 200


def told(facts: Json, flat: Json, drawn: str) -> str:
    """What a change concerns, level by level, what it breaks, and a drawing where it is small."""
    summary = flat["summary"]
    subject = next(facts[f"{kind}Name"] for kind in _SUBJECTS if f"{kind}Name" in facts)
    counts = f"{summary['totalAffectedWorkflows']:,} workflows, {summary['totalAffectedTasks']:,}"
    behind = "; there is more behind it" if facts["truncatedAtDepth"] else ""
    lines = [
        f"A change of {plain(subject, 300)} concerns {counts} tasks"
        f" (depth {facts['analysisDepth']}{behind})."
    ]
    lines += [_level(each) for each in summary["byDepth"]]
    if "version" in facts:
        pins = listed(facts["pinnedTasks"], 30) or "none"
        lines.append(f"Tasks it pins: {pins}. Runs under way: {facts['runsUnderWay']:,}.")
    for name, words in (("notFollowed", "Not followed"), ("manyUsers", "Used by very many")):
        hubs = (f"{each['name']} ({each['users']:,} users)" for each in facts.get(name, ()))
        lines += [f"{words}: {listed(hubs)}."] if name in facts else []
    lines += [facts["hint"]] if "hint" in facts else []
    lines += _breaks(facts) if "breaks" in facts else []
    lines += [f"```mermaid\n{drawn}\n```"] if drawn else []
    if "nextCursor" in facts:
        lines.append(f"{facts['omitted']:,} more: cursor {facts['nextCursor']}")
    return "\n".join(lines)


_SUBJECTS = ("task", "workflow", "connector")


def _level(each: Json) -> str:
    parts = [f"{kind} {listed(each[kind], 100)}" for kind in ("workflows", "tasks") if each[kind]]
    return f"- {each['depth']} away: {'; '.join(parts)}"


def _breaks(facts: Json) -> list[str]:
    untried = f"; {facts['untried']:,} more were not looked at" if "untried" in facts else ""
    found = len(facts["breaks"])
    found += facts.get("breaksOmitted", 0)
    head = f"It would break {found:,} places in {facts['tried']:,} direct users{untried}"
    more = facts.get("breaksOmitted", 0)
    left = [f"- … and {more:,} more"] if more else []
    return [f"{head}.", *map(_break, facts["breaks"]), *left]


def _break(each: Json) -> str:
    step = f" step {plain(each['step'], 80)}" if "step" in each else ""
    said = plain(each["message"], _SHORT)
    return f"- {each['severity']}: {each['type']} {each['name']}{step}, {each['place']}: {said}"

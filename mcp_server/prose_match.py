"""The best match for a goal in words: what it is, what is known of its inputs, what to do next.

Names, descriptions and contexts come from outside and go through `foreign`, as in `prose`.
"""

from mcp_server import prose
from mcp_server.foreign import dumped, plain
from mcp_server.wire import Json

_SHORT = 200
_ASKED = 2_000


def matches(facts: Json, *, nothing: str) -> str:
    """What a search found, the best match first and with what comes next."""
    best = facts.get("bestMatch")
    lines = _best(best) if best else []
    if facts.get("nextStep"):
        lines.append(facts["nextStep"])
    if facts["workflows"] or not lines:
        lines += ["Nearest, but no fit:"] if facts.get("noGoodMatch") else []
        lines.append(prose.workflows(facts, nothing=nothing))
    return "\n".join(lines)


def _best(best: Json) -> list[str]:
    lines = [f"Best match: {best['workflow']} (confidence {best['confidence']:.2f})."]
    lines += [f"- {_found(each)}" for each in best["extractedInputs"]]
    lines += [_missing(each) for each in best["missingInputs"]]
    lines += [f"- perhaps {_found(each)}; not used" for each in best.get("suggestedInputs", [])]
    can = "Can be run at once" if best["canAutoExecute"] else "Not to be run without asking"
    lines.append(f"{can}: {plain(best['why'], _ASKED)}.")
    if "suggestedPrompt" in best:
        lines.append(f"Ask the user: {plain(best['suggestedPrompt'], _ASKED)}")
    return lines


def _found(each: Json) -> str:
    value = plain(dumped(each["value"]), _SHORT)
    return f"{plain(each['name'], 80)} = {value} from {plain(each['from'], _SHORT)}"


def _missing(each: Json) -> str:
    said = each.get("reason") or each["description"]
    return f"- missing {plain(each['name'], 80)} ({plain(each['type'], 80)}): {plain(said, _SHORT)}"

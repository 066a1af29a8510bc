"""A match between a goal and a workflow as it crosses the protocol.

Values that were found stay exactly the data they are; where they came from, reasons and questions
are made of names from a context and from documents, so they are foreign text.
"""

from typing import TYPE_CHECKING, Any

from mcp_server.foreign import LINE, dumped, message
from mcp_server.wire.basics import Json, called, without_empty
from mcp_server.wire.workflows import field, fields, invalid

if TYPE_CHECKING:
    from engine.app.matching import Validation
    from engine.core.discovery.extract import Missing
    from engine.core.discovery.match import Best

MOST_CALL = 1_000
"""Characters of a call that is written out; a longer one is told in words."""
_NOTHING_FITS = (
    "Nothing fits this goal. Try other words once, then list_workflows; if there is none, say so."
)


def best_match(best: "Best") -> Json:
    """The best match with what is known of its inputs."""
    shown: Json = {
        "workflow": called(best.info.namespace, best.info.name),
        "confidence": round(best.confidence, 3),
        "extractedInputs": [_found(each.name, each.value, each.source) for each in best.taken],
        "missingInputs": [_missing(each) for each in best.missing],
        "suggestedInputs": [_found(each.name, each.value, each.source) for each in best.guesses],
        "suggestedPrompt": message(best.prompt),
        "canAutoExecute": best.can_auto_execute,
        "why": message(best.why),
    }
    return without_empty(shown, "suggestedInputs", "suggestedPrompt")


def next_step(best: "Best | None") -> str:
    """What to do after a search, with the exact call where there is one."""
    if best is None:
        return _NOTHING_FITS
    name = called(best.info.namespace, best.info.name)
    given = {each.name: each.value for each in best.taken}
    text = dumped({"workflow": name, "input": given})
    call = f"call execute_workflow with {text}"
    if len(text) > MOST_CALL:
        call = f"call execute_workflow with workflow {name} and the extractedInputs as input"
    if best.can_auto_execute:
        return f"{call[0].upper()}{call[1:]}."
    if best.missing and {each.field.name for each in best.missing} <= {
        each.name for each in best.guesses
    }:
        return f"If the user said what suggestedInputs holds, {call} and that; else ask first."
    if best.missing:
        return f"Ask the user, then {call} and what was missing."
    return f"Ask the user; if they agree, {call}."


def validation(view: "Validation") -> Json:
    """What a run would say to an input, with the names of fields that seed 003 stage 15 gives."""
    return {
        "valid": view.valid,
        "missingInputs": [_field(each) for each in fields(view.missing)],
        "invalidInputs": [_field(each) for each in map(invalid, view.invalid)],
        "suggestedPrompt": message(view.prompt),
    }


def _field(shown: Json) -> Json:
    return {"field": shown.pop("name"), **shown}


def _found(name: str, found: Any, source: str) -> Json:
    return {"name": name, "value": found, "from": message(source, LINE)}


def _missing(each: "Missing") -> Json:
    reason = {"reason": message(each.reason, LINE)} if each.reason else {}
    return {**field(each.field), **reason}

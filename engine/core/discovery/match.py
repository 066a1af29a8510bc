"""The best match for a goal: what is known of its inputs, and whether it can be run at once.

Whether it can is a conjunction without exceptions: the server allows it, the call asks for it,
the search is sure, nothing fits as well, nothing is missing or wrong, and the version is one that
may start. Nothing is run here or by a search: what changes something outside meets the gate when
it is run, however sure the search was.
"""

from collections.abc import Iterator

from engine.core.discovery.extract import Extraction, Missing, Taken
from engine.core.discovery.guess import Guess
from engine.core.discovery.prompts import shall_i, still_needed, which
from engine.core.discovery.rank import SURE
from engine.core.found import Found
from engine.core.model import Effect
from engine.core.value import value
from engine.core.views import WorkflowInfo
from engine.core.words import listed


@value
class Wish:
    """What the call asks for and what the server allows."""

    asked: bool = False
    allowed: bool = False


@value
class Best:
    """The best match: what was found for it, a question for the user, and what may be done."""

    info: WorkflowInfo
    confidence: float
    taken: tuple[Taken, ...]
    missing: tuple[Missing, ...]
    guesses: tuple[Guess, ...]
    prompt: str
    can_auto_execute: bool
    why: str


@value
class Match:
    """What was found for a goal; `best` is None where nothing fits."""

    found: Found
    best: Best | None = None


def best_match(
    found: Found, extraction: Extraction, guesses: tuple[Guess, ...], wish: Wish
) -> Best:
    """The first hit with all that is known; `found` has one."""
    info = found.hits[0].info
    against = list(_against(found, extraction, wish))
    can = not against
    return Best(
        info,
        found.confidence,
        extraction.taken,
        extraction.missing,
        guesses,
        "" if can else _question(found, extraction, guesses),
        can,
        _for(info, found.confidence) if can else "; ".join(against),
    )


def full_name(info: WorkflowInfo) -> str:
    """The name by which a workflow is asked for."""
    return info.name if info.namespace == "default" else f"{info.namespace}/{info.name}"


def _against(found: Found, extraction: Extraction, wish: Wish) -> Iterator[str]:
    """Every reason not to run it at once, the weightiest first."""
    info = found.hits[0].info
    if found.close:
        yield f"as near: {listed(found.close)}"
    if found.confidence < SURE:
        yield f"confidence {found.confidence:.2f} is below {SURE}"
    if info.pending:
        yield "a person must accept this version before it runs"
    if info.deprecated:
        yield "this version is deprecated"
    for each in extraction.missing:
        yield (
            f"{each.field.name}: {each.reason}" if each.reason else f"{each.field.name} is missing"
        )
    if not wish.asked:
        yield "autoExecute was not asked for"
    elif not wish.allowed:
        yield "this server leaves it to the user (HANDRAIL_AUTO_EXECUTE is off)"


def _for(info: WorkflowInfo, confidence: float) -> str:
    said = f"confidence {confidence:.2f}, nothing is missing"
    if info.effect is Effect.MUTATION:
        return f"{said}; it changes something outside, so a person is asked when it runs"
    return said


def _question(found: Found, extraction: Extraction, guesses: tuple[Guess, ...]) -> str:
    info = found.hits[0].info
    name = full_name(info)
    if found.close:
        others = [each for each in found.close if each != f"{info.namespace}/{info.name}"]
        return which([name, *(each.removeprefix("default/") for each in others)])
    if extraction.missing:
        lacking = [each.field for each in extraction.missing]
        return still_needed(name, lacking, (), {each.name: each.value for each in guesses})
    return shall_i(name, extraction.input)

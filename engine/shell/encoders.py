"""How a process searches: with no encoder, that of the extra or somebody's own; by which weights.

What was asked for and is not there is refused at the start; what was not asked for is used when
it is installed. Nothing of weight is imported here.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from engine.core.discovery.rank import Weights, sets
from engine.core.discovery.vectors import Encoder
from engine.core.errors import Move, Refused
from engine.shell.wordllama import installed, shipped
from engine.store.search import WEIGHTS, Ranking
from engine.store.vectors import Source

OFF = "off"
MOST_DIMENSIONS = 4_096
MOST_LETTERS = 1_000_000
"""Characters of a file of weights; a longer one is cut off and then no JSON."""

_HINT = "Use off, wordllama, or module:callable, where calling it gives an encoder."


def ranking_of(choice: str, ranker: Path | None = None) -> Ranking:
    """How a process ranks: with the encoder that a setting means, by the weights of a file.

    Raises Refused as `encoder_of` and `weights_of` do.
    """
    encoder = encoder_of(choice)
    return Ranking(Source(encoder) if encoder else None, weights_of(ranker) if ranker else None)


def weights_of(ranker: Path) -> Mapping[str, Weights]:
    """The sets of weights in a file; raises Refused `bad_ranker`."""
    return sets(document_of(ranker))


def document_of(ranker: Path | None) -> Mapping[str, Any]:
    """What stands in a file of weights, such as `handrail eval --refit` writes, or is shipped.

    Raises Refused `bad_ranker` when it cannot be read or used.
    """
    if ranker is None:
        ranker = WEIGHTS
    try:
        with ranker.open(encoding="utf-8") as file:
            document: Mapping[str, Any] = json.loads(file.read(MOST_LETTERS))
        sets(document)
        return document
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(
            "bad_ranker",
            f"the weights in {ranker} cannot be used: {error}",
            "Write them anew with `handrail eval FILE --refit --out`, or unset HANDRAIL_RANKER.",
            move=Move.PERSON,
        ) from None


def encoder_of(choice: str) -> Encoder | None:
    """The encoder that a setting means, None for search by words alone.

    Empty means WordLlama where the extra `semantic` is installed, else none. Raises Refused:
    `encoder_missing`, `encoder_broken`, or `bad_setting` for what cannot be meant.
    """
    if choice == OFF or (not choice and not installed()):
        return None
    if choice in ("", "wordllama"):
        return shipped()
    module, colon, attribute = choice.partition(":")
    if not (module and colon and attribute):
        raise Refused("bad_setting", f"there is no encoder {choice[:60]!r}", _HINT)
    return _own(module, attribute, choice)


def _own(module: str, attribute: str, choice: str) -> Encoder:
    try:
        made = getattr(import_module(module), attribute)()
    except Exception as error:  # it is somebody's code: whatever is wrong is for them to mend
        said = f"{type(error).__name__}: {error}"[:200]
        raise _unusable(choice, said) from error
    wrong = _wrong(made)
    if wrong:
        raise _unusable(choice, wrong)
    encoder: Encoder = made
    return encoder


def _wrong(made: Any) -> str:
    name, dimensions = getattr(made, "name", None), getattr(made, "dimensions", None)
    if not isinstance(name, str) or not name:
        return "it has no `name`"
    if not isinstance(dimensions, int) or not 0 < dimensions <= MOST_DIMENSIONS:
        return f"its `dimensions` are no whole number from 1 to {MOST_DIMENSIONS:,}"
    return "" if callable(getattr(made, "encode", None)) else "it has no `encode`"


def _unusable(choice: str, why: str) -> Refused:
    return Refused(
        "encoder_missing", f"the encoder {choice[:60]!r} cannot be used: {why}", _HINT,
        move=Move.PERSON,
    )  # fmt: skip

"""Questions that an assistant can put to its user: for what is missing, for leave, for a choice.

They are made from names, types and descriptions of documents, so they are foreign text to whoever
shows them; values stand in them as JSON, cut when they are long.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.core.discovery.coerce import shown
from engine.core.views import InputField, InvalidInput
from engine.core.words import shorten

_SAID = 400
"""Characters of a description that stand in a question."""


def still_needed(
    name: str,
    missing: Iterable[InputField],
    invalid: Iterable[InvalidInput] = (),
    guessed: Mapping[str, Any] | None = None,
) -> str:
    """What a workflow still needs, in a sentence; a guess stands beside what it may be.

    >>> still_needed("greet", [InputField("who", "string", True, "Whom to greet.")])
    'To run greet I still need who (string): Whom to greet.'
    """
    guessed = guessed or {}
    wants = [_wanted(each.name, each.type, each.description, guessed) for each in missing]
    wants += [
        _wanted(each.name, each.type, f"{each.error}; {each.description}", guessed)
        for each in invalid
    ]
    return f"To run {name} I still need {'; '.join(wants)}." if wants else ""


def _wanted(name: str, kind: str, said: str, guessed: Mapping[str, Any]) -> str:
    words = shorten(said, _SAID).strip(" .;")
    may_be = f" (is it {shown(guessed[name])}?)" if name in guessed else ""
    return f"{name} ({kind}): {words}{may_be}" if words else f"{name} ({kind}){may_be}"


def which(names: Iterable[str]) -> str:
    """Which of several is meant.

    >>> which(["a", "b", "c"])
    'Which of these do you mean: a, b or c?'
    """
    *most, last = names
    return f"Which of these do you mean: {', '.join(most)} or {last}?"


def shall_i(name: str, given: Mapping[str, Any]) -> str:
    """Whether a workflow may be run with this input.

    >>> shall_i("user-profile", {"userId": "3"})
    'Shall I run user-profile with userId "3"?'
    """
    said = ", ".join(f"{key} {shown(each)}" for key, each in given.items())
    return f"Shall I run {name} with {said}?" if said else f"Shall I run {name}?"

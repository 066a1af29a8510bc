"""What a language model is to whoever asks one: which there are, how one is asked, what it used.

Nothing here imports a package of any service, so this may be imported when a process starts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.core.errors import Move, Refused

URL = "https://api.anthropic.com"
MODEL = "claude-haiku-5-5"
"""What is asked where the configuration names no model (TRUST 2.6)."""

OFF = "off"
"""The name of no model: nothing is asked although there is a key."""

MOST_TOKENS = 2_048


@dataclass(frozen=True, slots=True)
class Models:
    """Which model is asked for what: `labels` to suggest labels, `extract` to find inputs in words.

    `key` is a value or a reference (`secret://name`); without one nothing is ever asked, and a
    model called `off` is not asked either.
    """

    key: str = field(default="", repr=False)
    url: str = URL
    labels: str = MODEL
    extract: str = MODEL


class Model(Protocol):
    """A language model that answers with JSON."""

    async def ask(self, system: str, words: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to the task in `system` about `words`, which are data; it fits `schema`.

        Raises Refused `model_...`; its `move` says who can do something about it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Usage:
    """What one question used, in tokens as the service counts them."""

    model: str
    taken: int
    given: int
    request: str = ""


def late(seconds: float) -> Refused:
    """The refusal of a question that was not answered in time."""
    message = f"the language model did not answer within {seconds:g} s"
    hint = "Ask again later; without it nothing else changes."
    return Refused("model_late", message, hint, move=Move.OUTSIDE)

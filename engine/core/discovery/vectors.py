"""What an encoder is: something that turns texts into vectors whose angle tells their likeness.

Here stand the protocol, and which words of a workflow are encoded. Where the numbers come from
(`engine/shell/encoders.py`) and where they are kept (`engine/store/vectors.py`) is not known here.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from engine.core.views import WorkflowInfo

LONGEST = 2_000
"""Characters of a text that are encoded: the head of a description says what it is about."""

_APART = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")


class Encoder(Protocol):
    """Turns texts into vectors. The same text always gives the same vector."""

    @property
    def name(self) -> str:
        """Changes when the vectors would: what another encoder made is thrown away."""
        ...

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        ...

    def encode(self, texts: Sequence[str], /) -> Iterable[Iterable[float]]:
        """A vector for each text, in their order; whole numbers will do. Called on any thread."""
        ...


def encoded_words(info: WorkflowInfo) -> str:
    """The text by which a workflow is encoded: its name and inputs in words, and what it does.

    What the inputs are described as is left out: it drowns the rest, and finds less.
    """
    inputs = " ".join(_spread(field.name) for field in info.inputs)
    return f"{_spread(info.name)} {info.description[:LONGEST]} {inputs}"


def _spread(name: str) -> str:
    return " ".join(filter(None, _APART.split(name)))

"""How much an expression may say and do (TRUST section 4.3).

Every bound is a number of characters, nodes or steps; there is no clock in the language. One
step is one node evaluated, one element looked at by a wildcard, slice, filter or function, or
64 characters of text read or made by a function.
"""

from collections.abc import Callable
from typing import Any

from engine.core.expr.measure import extent
from engine.core.expr.trouble import Trouble

SOURCE_LIMIT = 4_096
"""Characters in one expression."""

DEPTH_LIMIT = 32
"""How deep constructs may nest in one expression."""

NODE_LIMIT = 500
"""Nodes in the tree of one expression."""

STEP_LIMIT = 20_000
"""Steps in one evaluation."""

TEXT_LIMIT = 262_144
"""Characters in a text that an expression or a template makes."""

NUMBER_LIMIT = 2**63
"""Arithmetic may not leave -2^63..2^63; numbers that are only passed on may be larger."""

PATTERN_LIMIT = 1_000
"""Characters in a pattern for `matches`."""

VALUE_DEPTH_LIMIT = 64
"""How deep a value made by `fromJson`, or a value holding templates, may nest."""

PARTS_A_STEP = 32
"""Characters times parts of a pattern that `matches` tries in one step."""


class Budget:
    """Steps that are still allowed. Several evaluations may share one.

    `grow` is asked once, when the steps run out, how many more the circumstances justify.
    """

    __slots__ = ("grow", "left")

    def __init__(self, steps: int = STEP_LIMIT, grow: Callable[[], int] | None = None) -> None:
        self.left = steps
        self.grow = grow

    def spend(self, steps: int) -> None:
        """Take `steps` away; raises `Trouble` when there are none left."""
        self.left -= steps
        if self.left < 0:
            self._exhausted()

    def spend_all(self, value: Any) -> None:
        """Take one step for every value inside `value`, itself included."""
        found = extent(value, self.left)
        if found > self.left and self.grow is not None:
            self._grow()
            found = extent(value, self.left)
        self.spend(found)

    def _grow(self) -> None:
        if self.grow is not None:
            grow, self.grow = self.grow, None
            self.left += grow()

    def _exhausted(self) -> None:
        self._grow()
        if self.left >= 0:
            return
        raise Trouble(
            "too_many_steps",
            "the expression needs more steps than it is allowed",
            "narrow the data first, or split the work into several transform operations",
        )


def check_text(text: str) -> str:
    """The text itself, unless it grew beyond `TEXT_LIMIT`."""
    if len(text) > TEXT_LIMIT:
        raise too_long(len(text))
    return text


def too_long(length: int) -> Trouble:
    """The trouble with a text of `length` characters."""
    return Trouble(
        "text_too_long",
        f"the text would have {length:,} characters; {TEXT_LIMIT:,} are allowed",
        "pass the whole value with `{{ value }}` instead of putting it into a text",
    )

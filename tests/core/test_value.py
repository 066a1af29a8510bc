"""What makes values of classes, and what keeps them as they are."""

from dataclasses import replace

import pytest

from engine.core.events import RunResumed, StepSkipped
from engine.core.value import value


def test_values_are_equal_and_hashed_by_their_fields() -> None:
    assert StepSkipped("a", "b") == StepSkipped("a", "b") != StepSkipped("a", "c")
    assert len({RunResumed(), RunResumed()}) == 1
    assert replace(StepSkipped("a", "b"), reason="c") == StepSkipped("a", "c")


def test_a_value_has_no_room_for_anything_else() -> None:
    @value
    class Point:
        x: int

    with pytest.raises(AttributeError):
        setattr(Point(1), "y", 2)  # noqa: B010 - the type checker refuses the assignment

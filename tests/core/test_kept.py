"""What is kept because it is soon asked for again."""

import gc

from engine.core import kept as module
from engine.core.kept import forget_kept, forgotten_by, kept


def test_what_is_kept_is_worked_out_once_and_again_when_it_was_let_go_of() -> None:
    asked: list[int] = []

    @kept(2)
    def twice(number: int) -> int:
        asked.append(number)
        return 2 * number

    assert [twice(1), twice(1), twice(2)] == [2, 2, 4]
    assert asked == [1, 2]
    forget_kept()
    assert [twice(1), twice(1)] == [2, 2]
    assert asked == [1, 2, 1]


def test_no_more_is_kept_than_was_said() -> None:
    asked: list[int] = []
    once = kept(1)(asked.append)
    for number in (1, 1, 2, 2, 1):
        once(number)
    assert asked == [1, 2, 1]


def test_a_function_that_is_gone_is_not_remembered() -> None:
    before = len(module._KEPT)
    function = kept(1)(lambda: 1)
    assert len(module._KEPT) == before + 1
    del function
    gc.collect()
    assert len(module._KEPT) == before


def test_something_else_is_let_go_of_with_the_rest() -> None:
    other = {1: 2}
    forgotten_by(other.clear)
    forget_kept()
    assert other == {}

"""The world's dice: every piece is drawn once, in every process."""

import gc
import os

import pytest

from engine import collect_rarely
from engine.shell.clock import AT_ONCE, PIECE, WorldClock


def test_no_piece_of_chance_is_given_twice() -> None:
    clock = WorldClock()
    drawn = [clock.bytes(10) for _ in range(AT_ONCE * 3)]
    assert {len(piece) for piece in drawn} == {10}
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("count", [0, 1, PIECE, PIECE + 1, 4096])
def test_as_much_chance_is_given_as_was_asked_for(count: int) -> None:
    assert len(WorldClock().bytes(count)) == count


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_draws_other_chance() -> None:
    clock = WorldClock()
    clock.bytes(1)  # now some is kept
    ours, theirs = os.pipe()
    if not os.fork():
        os.write(theirs, clock.bytes(PIECE))
        os._exit(0)
    os.wait()
    assert os.read(ours, PIECE) != clock.bytes(PIECE)
    os.close(ours)
    os.close(theirs)


def test_rings_are_looked_for_seldom_and_still_found() -> None:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        collect_rarely()
        young, *older = gc.get_threshold()
        assert young > 10_000
        assert older == [10, 10]
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)

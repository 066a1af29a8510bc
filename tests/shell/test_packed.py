"""A packed dictionary does what a dictionary does, in a small part of its memory."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from engine.shell.packed import Packed

KEYS = st.sampled_from([f"shop/order-{n}" for n in range(150)] + ["", "größe", "\udc80", "a", "b"])


@given(st.lists(st.tuples(KEYS, st.binary(max_size=90)), max_size=400))
def test_it_holds_what_a_dictionary_holds(changes: list[tuple[str, bytes]]) -> None:
    packed, known = Packed(), dict[str, bytes]()
    for key, value in changes:
        packed.put(key, value)
        known[key] = value
        assert packed.get(key) == value
    assert {key: packed.get(key) for key in packed} == known
    assert len(packed) == len(known)
    assert packed.get("shop/none") == b""
    assert all(packed.mentions(key) for key in known)
    assert not packed.mentions("shop/none")


def test_what_is_put_in_again_and_again_does_not_make_it_grow() -> None:
    packed = Packed()
    tracemalloc.start()
    try:
        for turn in range(20_000):
            packed.put(f"key-{turn % 50}", bytes(turn % 97))
        assert tracemalloc.get_traced_memory()[0] < 40_000
    finally:
        tracemalloc.stop()
    assert len(list(packed)) == 50

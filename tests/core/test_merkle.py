"""The tree is that of RFC 6962, and its proofs show what they say and nothing else."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.merkle import (
    EMPTY,
    Tree,
    consistency,
    consistent,
    included,
    inclusion,
    needed,
    over,
)

PUBLISHED = (
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
)
"""The leaves and roots that implementations of the RFC are held to."""


def leaf(number: int) -> bytes:
    return sha256(b"\0%d" % number).digest()


def grown(size: int) -> Tree:
    """A tree that has kept every node."""
    places = {(level, index) for level in range(9) for index in range(size + 1)}
    tree = Tree(wanted=places)
    tree.grow(map(leaf, range(size)))
    return tree


def look(tree: Tree):  # type: ignore[no-untyped-def]
    return lambda level, index: tree.kept[level, index]


def test_the_roots_are_those_that_were_published() -> None:
    tree = Tree()
    assert tree.root() == EMPTY
    for data, root in PUBLISHED:
        tree.grow([sha256(b"\0" + bytes.fromhex(data)).digest()])
        assert tree.root().hex() == root


sizes = st.integers(1, 130)


@given(sizes, sizes)
def test_a_tree_that_goes_on_from_its_peaks_is_the_tree_that_was_never_left(
    one: int, two: int
) -> None:
    before = grown(one)
    again = Tree(before.size, before.peaks)
    again.grow(map(leaf, range(one, one + two)))
    assert again.root() == grown(one + two).root()


@given(sizes, st.data())
def test_every_leaf_can_be_proved_and_no_other_in_its_place(size: int, data: st.DataObject) -> None:
    tree, index = grown(size), data.draw(st.integers(0, size - 1))
    proof = inclusion(look(tree), index, size)
    root = tree.root()
    assert over(look(tree), 0, size) == root
    assert included(leaf(index), index, size, proof, root)
    assert not included(leaf(index + 1), index, size, proof, root)
    assert not included(leaf(index), index, size, proof, EMPTY)
    assert not included(leaf(index), index, size, [*proof, EMPTY], root)
    assert not included(leaf(index), size, size, proof, root)
    if proof:
        assert not included(leaf(index), index, size, proof[:-1], root)
        assert not included(leaf(index), index ^ 1, size, proof, root)


@given(sizes, sizes)
def test_a_longer_tree_can_be_proved_to_begin_with_a_shorter_one(one: int, two: int) -> None:
    first, second = sorted((one, two))
    old, new = grown(first).root(), grown(second)
    proof = consistency(look(new), first, second)
    assert consistent(first, second, proof, old, new.root())
    assert consistent(first, second, proof, EMPTY, new.root()) is False
    if first < second:
        assert not consistent(first, second, proof, old, EMPTY)
        assert not consistent(first, second, [*proof, EMPTY], old, new.root())
        assert not consistent(first, second, proof[:-1], old, new.root())
        assert not consistent(second, first, proof, new.root(), old)


def test_the_empty_tree_is_the_beginning_of_every_other() -> None:
    assert consistent(0, 5, [], EMPTY, grown(5).root())
    assert not consistent(0, 5, [EMPTY], EMPTY, grown(5).root())


@pytest.mark.parametrize("index", [0, 41, 99])
def test_only_the_nodes_that_a_proof_needs_have_to_be_kept(index: int) -> None:
    wanted = needed(lambda look: inclusion(look, index, 100))
    tree = Tree(wanted=wanted)
    tree.grow(map(leaf, range(100)))
    assert len(tree.kept) == len(wanted) <= 10
    assert inclusion(look(tree), index, 100) == inclusion(look(grown(100)), index, 100)

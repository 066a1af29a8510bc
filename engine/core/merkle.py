"""The Merkle tree of RFC 6962 over the journal: what a checkpoint signs, and the proofs it allows.

An event's own hash (see `chain.py`) is the hash of its leaf: it is SHA-256 over 0x00 and what the
event says, as the RFC wants it. A node is SHA-256 over 0x01 and its two children. The functions
below ask for nodes by level and place, so that whoever walks along the journal once can keep the
few that are needed; how many events there are and where they lie is not known here.
"""

from collections.abc import Callable, Iterable, Set
from hashlib import sha256

Place = tuple[int, int]
"""A complete node: its level (leaves are 0), and how many of its level stand left of it."""

Look = Callable[[int, int], bytes]
"""Gives the hash of a complete node by its place."""

EMPTY = sha256(b"").digest()
"""The root over nothing."""


def node(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two others."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """Grows leaf by leaf and remembers its peaks: one complete node for each bit of its size.

    The nodes that are `wanted` are kept by place as they become complete.
    """

    def __init__(
        self, size: int = 0, peaks: Iterable[bytes] = (), wanted: Set[Place] = frozenset()
    ) -> None:
        self.size, self.peaks = size, list(peaks)
        self.kept: dict[Place, bytes] = {}
        self._wanted = wanted

    def grow(self, leaves: Iterable[bytes]) -> None:
        """Put the next leaves in, a level of them at a time: a step for each node takes longer."""
        left, row, level, index = list[bytes](), list(leaves), 0, self.size
        self.size += len(row)
        while row:
            self._keep(level, index, row)
            if index & 1:
                row.insert(0, self.peaks.pop())
            if len(row) & 1:
                left.append(row.pop())
            pairs = iter(row)
            row = [
                sha256(b"\1" + one + other).digest()
                for one, other in zip(pairs, pairs, strict=True)
            ]
            level, index = level + 1, index >> 1
        self.peaks += reversed(left)

    def _keep(self, level: int, index: int, row: Iterable[bytes]) -> None:
        if self._wanted:
            found = (((level, place), hash_) for place, hash_ in enumerate(row, index))
            self.kept.update(each for each in found if each[0] in self._wanted)

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self.peaks:
            return EMPTY
        *left, root = self.peaks
        while left:
            root = node(left.pop(), root)
        return root


def over(look: Look, begin: int, end: int) -> bytes:
    """The hash over the leaves from `begin` to before `end`, a subtree of some tree."""
    size = end - begin
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return look(level, begin >> level)
    middle = begin + _half(size)
    return node(over(look, begin, middle), over(look, middle, end))


def inclusion(look: Look, index: int, size: int, begin: int = 0) -> list[bytes]:
    """The proof that the leaf `index` is in the tree of `size` leaves (RFC 6962, 2.1.1)."""
    if size - begin <= 1:
        return []
    middle = begin + _half(size - begin)
    if index < middle:
        return [*inclusion(look, index, middle, begin), over(look, middle, size)]
    return [*inclusion(look, index, size, middle), over(look, begin, middle)]


def consistency(look: Look, first: int, second: int, begin: int = 0) -> list[bytes]:
    """The proof that the tree of `second` leaves begins with that of `first` (RFC 6962, 2.1.2)."""
    if first == second:
        return [over(look, begin, second)] if begin else []
    middle = begin + _half(second - begin)
    if first <= middle:
        proof = consistency(look, first, middle, begin)
        return [*proof, over(look, middle, second)]
    return [*consistency(look, first, second, middle), over(look, begin, middle)]


def needed(ask: Callable[[Look], object]) -> set[Place]:
    """The nodes for which `ask` looks."""
    places: set[Place] = set()

    def look(level: int, index: int) -> bytes:
        places.add((level, index))
        return b""

    ask(look)
    return places


def _half(size: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << (size - 1).bit_length() - 1


# -- whoever is shown a proof --------------------------------------------------------------


def included(leaf: bytes, index: int, size: int, proof: Iterable[bytes], root: bytes) -> bool:
    """Whether the proof shows that `leaf` stands at `index` of the tree with this root.

    >>> a, b, c = (sha256(bytes((0, n))).digest() for n in range(3))
    >>> included(b, 1, 3, [a, c], node(node(a, b), c))
    True
    >>> included(b, 0, 3, [a, c], node(node(a, b), c))
    False
    """
    if not 0 <= index < size:
        return False
    return _climbed(index, size - 1, proof, leaf, leaf)[1] == root


def consistent(first: int, second: int, proof: Iterable[bytes], old: bytes, new: bytes) -> bool:
    """Whether the proof shows that the tree with the root `new` begins with that of `old`."""
    path = list(proof)
    if first == second or not first:
        return not path and (not first or old == new)
    if first & (first - 1) == 0:
        path.insert(0, old)
    if not path or first > second:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    return _climbed(place, last, path[1:], path[0], path[0]) == (old, new)


def _climbed(
    place: int, last: int, proof: Iterable[bytes], before: bytes, after: bytes
) -> tuple[bytes, bytes]:
    """Go up from a node to the root of the smaller tree and that of the larger one.

    A proof of the wrong length ends in nothing, which is no root.
    """
    for other in proof:
        if not last:
            return b"", b""
        if place & 1 or place == last:
            before, after = node(other, before), node(other, after)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            after = node(after, other)
        place, last = place >> 1, last >> 1
    return (b"", b"") if last else (before, after)

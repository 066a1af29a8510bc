"""A dictionary of texts to bytes in little memory: one stretch of bytes, and a number for each.

A hundred thousand entries of a dictionary are two objects each, which take three times what
stands in them; here an entry takes its own bytes and some twenty more. What is put in anew is
written behind the rest unless it is as long as before, and once half of the stretch is of no use
any more, it is written anew. What the bytes mean is not known here.
"""

from array import array
from collections.abc import Iterator
from struct import Struct

_HEAD = Struct("<HI")
"""Lengths of key and value, before both."""
_FEWEST = 64
_FULL = 0.6
"""Part of the places that may be taken: with more, a free one is long to find."""
_LOW = 0xFFFFFFFF


class Packed:
    """Entries are put in and read, never removed. A key has at most 65,535 bytes."""

    __slots__ = ("_bytes", "_count", "_places", "_waste")

    def __init__(self) -> None:
        self._bytes, self._places = bytearray(), _free(_FEWEST)
        self._count = self._waste = 0

    def __len__(self) -> int:
        """How many keys there are."""
        return self._count

    def __iter__(self) -> Iterator[str]:
        """The keys, as they lie there."""
        for behind in sorted(found & _LOW for found in self._places if found):
            yield self._key(behind).decode(errors="surrogatepass")

    def get(self, key: str) -> bytes:
        """What was put in last under a key; nothing where nothing was."""
        own = key.encode(errors="surrogatepass")
        at = (self._places[self._place(own)] & _LOW) - 1
        return b"" if at < 0 else bytes(self._value(at))

    def mentions(self, text: str) -> bool:
        """Whether a text stands in any key; seldom also where it does not. Quick, unlike a walk."""
        return text.encode(errors="surrogatepass") in self._bytes

    def put(self, key: str, value: bytes) -> None:
        """Keep a value under a key, in the place of any other."""
        own = key.encode(errors="surrogatepass")
        place = self._place(own)
        at = (self._places[place] & _LOW) - 1
        if at < 0:
            self._count += 1
        elif len(self._value(at)) == len(value):
            begins = at + _HEAD.size + len(own)
            self._bytes[begins : begins + len(value)] = value
            return
        else:
            self._waste += _HEAD.size + len(own) + len(self._value(at))
        self._places[place] = _tag(own) | len(self._bytes) + 1
        self._bytes += _HEAD.pack(len(own), len(value)) + own + value
        self._settle()

    # -- places --------------------------------------------------------------------------------

    def _place(self, key: bytes) -> int:
        """Where the key is, or the free place where it belongs."""
        tag, last = _tag(key), len(self._places) - 1
        place = tag >> 32 & last
        while (found := self._places[place]) and not (
            found & ~_LOW == tag and self._key(found & _LOW) == key
        ):
            place = place + 1 & last
        return place

    def _settle(self) -> None:
        """Make room: for more keys, or in the place of what is of no use any more."""
        if self._waste > len(self._bytes) // 2:
            fresh = Packed()
            for key in self:
                fresh.put(key, self.get(key))
            self._bytes, self._places = fresh._bytes, fresh._places
            self._waste = 0
        elif self._count > len(self._places) * _FULL:
            before, last = self._places, len(self._places) * 2 - 1
            self._places = _free(last + 1)
            for found in filter(None, before):
                place = found >> 32 & last
                while self._places[place]:
                    place = place + 1 & last
                self._places[place] = found

    # -- entries -------------------------------------------------------------------------------

    def _key(self, behind: int) -> bytes:
        at = behind - 1
        size, _ = _HEAD.unpack_from(self._bytes, at)
        return bytes(self._bytes[at + _HEAD.size : at + _HEAD.size + size])

    def _value(self, at: int) -> bytearray:
        size, more = _HEAD.unpack_from(self._bytes, at)
        begins = at + _HEAD.size + size
        return self._bytes[begins : begins + more]


def _tag(key: bytes) -> int:
    """Half of the hash of a key, where the other half of a place is where its entry begins."""
    return hash(key) << 32 & 0xFFFFFFFF00000000


def _free(places: int) -> "array[int]":
    return array("Q", bytes(8 * places))

"""Cutting a text into the word pieces of a table: pairs are joined, the most usual first (BPE).

It reads the tokenizer of WordLlama (that of Llama 2, as `tokenizers` writes it): a space is a
letter of its own and begins a word, a letter that the table does not have is the bytes that it
has in UTF-8. All is packed, 32,000 pieces and 61,000 pairs in a megabyte, where objects for each
would be twenty. Where the file lies, and what a piece means, is not known here.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
_WORDS = re.compile(f"{_SPACE}+[^{_SPACE}]*|[^{_SPACE}]+")
_MOST_KEPT = 4_096
"""Words whose pieces are remembered."""
_LONGEST_KEPT = 40
_MOST_PAIRS = 2_048
"""Pairs whose rank is remembered: those of letters come up in every word."""
_MOST_PIECES = 1 << 16
_NEVER = 1 << 32
"""The rank of a pair that is not joined."""


class Pieces:
    """A tokenizer. Raises KeyError, TypeError or ValueError for a document that is none."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        model = document["model"]
        known: dict[str, int] = model["vocab"]
        if not all(0 <= number < _MOST_PIECES for number in known.values()):
            raise ValueError("more pieces than two bytes can number")
        self._letters = {piece: n for piece, n in known.items() if len(piece) == 1}
        self._bytes = [known[f"<0x{byte:02X}>"] for byte in range(256)]
        self._marks = {each["content"]: int(each["id"]) for each in document["added_tokens"]}
        self._marked = re.compile(f"({'|'.join(map(re.escape, self._marks)) or '(?!)'})")
        self._first, self._second, self._ranks, self._joined = _packed(known, model["merges"])
        self._kept = lru_cache(_MOST_KEPT)(self._joined_pieces)
        self._rank = lru_cache(_MOST_PAIRS)(self._rank_of)

    def of(self, text: str) -> list[int]:
        """The numbers of the pieces of a text, in its order."""
        found = list[int]()
        for at, part in enumerate(self._marked.split(text)):
            if at % 2:
                found.append(self._marks[part])
            elif part:
                for word in _WORDS.findall(_SPACE + part.replace(" ", _SPACE)):
                    short = len(word) <= _LONGEST_KEPT
                    found += self._kept(word) if short else self._joined_pieces(word)
        return found

    def _joined_pieces(self, word: str) -> "array[int]":
        """A word in pieces: the first pair of the lowest rank is joined, again and again."""
        pieces = [*self._single(word)]
        ranks = [self._rank(*pair) for pair in pairwise(pieces)]
        while ranks and (best := min(ranks)) < _NEVER:
            at = ranks.index(best)
            pieces[at : at + 2] = [self._joined[best]]
            del ranks[at]
            if at:
                ranks[at - 1] = self._rank(pieces[at - 1], pieces[at])
            if at < len(ranks):
                ranks[at] = self._rank(pieces[at], pieces[at + 1])
        return array("H", pieces)

    def _single(self, word: str) -> Iterator[int]:
        for letter in word:
            number = self._letters.get(letter)
            if number is not None:
                yield number
            else:
                yield from (self._bytes[byte] for byte in letter.encode(errors="surrogatepass"))

    def _rank_of(self, one: int, other: int) -> int:
        begin, end = self._first[one], self._first[one + 1]
        at = bisect_left(self._second, other, begin, end)
        there = at < end and self._second[at] == other
        return self._ranks[at] if there else _NEVER


def _packed(
    known: Mapping[str, int], merges: list[Any]
) -> "tuple[array[int], array[int], array[int], array[int]]":
    """The pairs in their order: where those of each first piece begin, the second piece and the
    rank of each; and what the pair of each rank is joined to."""
    every, joined = list[int](), array("H")
    for pair in merges:
        one, other = pair.split(" ") if isinstance(pair, str) else pair
        every.append((known[one] << 16 | known[other]) << 32 | len(every))
        joined.append(known[one + other])
    every.sort()
    begins = [bisect_left(every, one << 48) for one in range(max(known.values(), default=0) + 2)]
    second = array("H", [each >> 32 & 0xFFFF for each in every])
    return array("I", begins), second, array("I", [each & 0xFFFFFFFF for each in every]), joined

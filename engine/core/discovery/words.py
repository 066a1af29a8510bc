"""Texts taken apart into the words that are compared: names split, endings off, small words out.

One way of taking apart holds for what is asked and for what is searched. None of the characters
of a text has a meaning beyond its word; no text is too strange: what has no words gives none.
"""

import re
import unicodedata
from itertools import chain, islice

from engine.core.discovery.stems import stem
from engine.core.value import value

MOST_LETTERS = 4_000
"""Of one text; the rest of a longer one is not looked at."""
MOST_ASKED = 64
"""Different words of a query; the rest of a longer one is not looked at."""

_MOST_PARTS = 20
_MOST_WORDS = 400

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_APART = re.compile(r"[.!?;\n]+(?:\s+|$)|\bthen\b|\balso\b|\bfinally\b|\badditionally\b", re.I)
_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+)")
"""Scripts that put no space between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""

_TOO_SMALL = (
    "a about after all also am an and any are as at be been before being both but by can could did"
    " do does doing done each else find for from get give had has have he help hello her hers hey"
    " hi him his how i if in into is it its just kindly know let like looking m make may me might"
    " my need needs now of okay on once or our out please provide re s shall she should show so"
    " some such t tell than thank thanks that the their them then there these they this those"
    " through to too us ve very want was we were what when where whether which while who whom"
    " whose why will wish with within would you your yours finally additionally ll d don"
)
_SMALL = frozenset(_TOO_SMALL.split())


def pieces(text: str) -> list[str]:
    """The words of a text in small letters, names split where their letters change.

    >>> pieces("getUserByID2, HTTPServer_v2")
    ['get', 'user', 'by', 'id', '2', 'http', 'server', 'v', '2']
    >>> pieces("Übergröße 数据分析")
    ['ubergrosse', '数据', '据分', '分析']
    """
    words = _WORD.findall(_HUMP.sub(" ", _plain(text[:MOST_LETTERS])))
    return [part for word in words for part in _parts(word.casefold())]


def _plain(text: str) -> str:
    if text.isascii():
        return text
    spread = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in spread if not unicodedata.combining(letter))
    return _UNSPACED.sub(r" \1 ", unicodedata.normalize("NFC", bare))


def _parts(word: str) -> list[str]:
    if word.isascii() or len(word) < 3 or not _UNSPACED.fullmatch(word):
        return [word]
    return [word[at : at + 2] for at in range(len(word) - 1)]


def stems(text: str, most: int = _MOST_WORDS, *, small: bool = False) -> list[str]:
    """The words of a text without endings, in their order; small words only if `small`.

    >>> stems("Please look up the invoices of a customer")
    ['look', 'up', 'invoic', 'custom']
    """
    words = pieces(text)
    kept = words if small else [word for word in words if word not in _SMALL]
    return [stem(word) for word in islice(kept, most)]


@value
class Asked:
    """A query taken apart: its words in their order, its sentences, how many values it names."""

    words: tuple[str, ...]
    parts: tuple[frozenset[str], ...]
    values: int


_VALUE = re.compile(r"\d[\d.,:/-]*|'[^']+'|\"[^\"]+\"|(?<=[a-z,] )[A-Z]\w+")


def asked(query: str) -> Asked:
    """A query taken apart. A query of small words alone is searched by them."""
    text = query[:MOST_LETTERS]
    told = [stems(part) for part in _APART.split(unicodedata.normalize("NFC", text))]
    words = list(islice(chain.from_iterable(told), _MOST_WORDS)) or stems(text, small=True)
    kept = frozenset(islice(dict.fromkeys(words), MOST_ASKED))
    parts = [kept.intersection(part) for part in told[:_MOST_PARTS]]
    return Asked(
        tuple(word for word in words if word in kept),
        tuple(part for part in parts if part),
        len(_VALUE.findall(text)),
    )

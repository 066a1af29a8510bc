"""Words without their endings, so that "invoices" finds "invoice": Porter's algorithm of 1980.

Only for words of plain English letters; any other comes back as it is. The steps bear the numbers
that the paper gives them.
"""

import re
from functools import lru_cache

_SHORTEST = 3
_LONGEST = 40
_DOUBLE = re.compile(r"([^aeioulsz])\1$")

_KINDS = {ord(each): "v" if each in "aeiou" else "c" for each in "abcdefghijklmnopqrstuvwxz"}

_STEP_2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize",
    "bli": "ble", "alli": "al", "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize",
    "ation": "ate", "ator": "ate", "alism": "al", "iveness": "ive", "fulness": "ful",
    "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble", "logi": "log",
}  # fmt: skip
_STEP_3 = {
    "icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": "",
}  # fmt: skip
_STEP_4 = (
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ion", "ism", "ate", "iti",
    "ous", "ive", "ize", "al", "er", "ic", "ou",
)  # fmt: skip


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word in small letters without its endings.

    >>> [stem(word) for word in ("invoices", "shipping", "calculation", "relational", "überall")]
    ['invoic', 'ship', 'calcul', 'relat', 'überall']
    """
    if not _SHORTEST <= len(word) <= _LONGEST or not (word.isascii() and word.isalpha()):
        return word
    word = _step_1c(_step_1b(_step_1a(word)))
    word = _replaced(_replaced(word, _STEP_2), _STEP_3)
    return _step_5(_step_4(word))


def _shape(text: str) -> str:
    """A letter for each: v for vowels, c for all others; y is a vowel behind one of the others."""
    shape = text.translate(_KINDS)
    while "y" in shape:
        before, _, after = shape.partition("y")
        shape = before + ("v" if before.endswith("c") else "c") + after
    return shape


def _measure(text: str) -> int:
    return _shape(text).count("vc")


def _short(text: str) -> bool:
    return _shape(text)[-3:] == "cvc" and text[-1] not in "wxy"


def _step_1a(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _step_1b(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    for ending in ("ed", "ing"):
        rest = word.removesuffix(ending)
        if rest != word:
            return _mended(rest) if "v" in _shape(rest) else word
    return word


def _mended(rest: str) -> str:
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if _DOUBLE.search(rest):
        return rest[:-1]
    return rest + "e" if _measure(rest) == 1 and _short(rest) else rest


def _step_1c(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and "v" in _shape(word[:-1]) else word


def _replaced(word: str, endings: dict[str, str]) -> str:
    for length in range(min(7, len(word)), 2, -1):
        better = endings.get(word[-length:])
        if better is not None:
            rest = word[:-length]
            return rest + better if _measure(rest) else word
    return word


def _step_4(word: str) -> str:
    for ending in _STEP_4:
        if word.endswith(ending):
            rest = word.removesuffix(ending)
            fits = ending != "ion" or rest.endswith(("s", "t"))
            return rest if fits and _measure(rest) > 1 else word
    return word


def _step_5(word: str) -> str:
    if word.endswith("e"):
        rest = word[:-1]
        measure = _measure(rest)
        if measure > 1 or (measure == 1 and not _short(rest)):
            word = rest
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word

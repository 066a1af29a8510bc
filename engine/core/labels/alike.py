"""Labels that look like each other: by case, by what stands between words, by number, by a letter.

Each reason has a key under which labels meet, so that ten thousand of them are compared in one
pass; only labels of one length and beginning are compared letter by letter.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations

from engine.core.value import value

_BETWEEN = re.compile(r"[\s_.:/-]+")
SHORTEST = 5
"""Letters of a label from which one other letter may be a slip."""
MOST_TOGETHER = 200
"""Labels of one beginning that are compared letter by letter; more are left alone."""


@value
class Alike:
    """Two labels that may be meant as one: the more used one first. `why` is in a word."""

    label: str
    other: str
    why: str


def alike(labels: Iterable[tuple[str, int]]) -> tuple[Alike, ...]:
    """Pairs of labels that look alike, with their uses, most used first.

    >>> alike([("invoices", 9), ("invoice", 2), ("Invoice", 1), ("e-mail", 4), ("email", 1)])
    ... # doctest: +NORMALIZE_WHITESPACE
    (Alike(label='invoice', other='Invoice', why='case'),
     Alike(label='e-mail', other='email', why='separators'),
     Alike(label='invoices', other='invoice', why='plural'))
    """
    used = dict(labels)
    found: dict[frozenset[str], str] = {}
    order = sorted(used, key=lambda label: (-used[label], label))
    _meet(order, str.casefold, "case", found)
    one_of = {label.casefold(): label for label in reversed(order)}
    order = [label for label in order if one_of[label.casefold()] == label]
    _meet(order, _joined, "separators", found)
    _meet(order, lambda label: _singular(_joined(label)), "plural", found)
    _letters(order, found)
    return tuple(_pair(pair, used, why) for pair, why in found.items())


def _pair(pair: frozenset[str], used: Mapping[str, int], why: str) -> Alike:
    first, other = sorted(pair, key=lambda label: (-used[label], label))
    return Alike(first, other, why)


def _meet(
    order: Sequence[str], key: Callable[[str], str], why: str, found: dict[frozenset[str], str]
) -> None:
    groups: dict[str, list[str]] = {}
    for label in order:
        groups.setdefault(key(label), []).append(label)
    for first, *others in groups.values():
        for other in others:
            found.setdefault(frozenset((first, other)), why)


def _joined(label: str) -> str:
    return _BETWEEN.sub("", label.casefold())


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _letters(order: Sequence[str], found: dict[frozenset[str], str]) -> None:
    """One letter more, less, other or two in each other's place."""
    groups: dict[str, list[str]] = {}
    for label in order:
        word = label.casefold()
        if len(word) >= SHORTEST and not any(char.isdigit() for char in word):
            groups.setdefault(f"a{word[:2]}", []).append(label)
            groups.setdefault(f"z{word[-3:]}", []).append(label)
    for group in groups.values():
        if len(group) > MOST_TOGETHER:
            continue
        for one, other in combinations(group, 2):
            if one_slip(one.casefold(), other.casefold()):
                found.setdefault(frozenset((one, other)), "spelling")


def one_slip(one: str, other: str) -> bool:
    """Whether two words differ by one letter, or by two that changed places.

    >>> one_slip("payments", "paymnets"), one_slip("orders", "ordres"), one_slip("cat", "dog")
    (True, True, False)
    """
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if at is None:
        return True
    if len(one) != len(other):
        short, long = sorted((one, other), key=len)
        return short[at:] == long[at + 1 :]
    swapped = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return swapped or one[at + 1 :] == other[at + 1 :]

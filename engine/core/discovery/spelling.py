"""Words that nobody wrote exactly so: misspelt, cut off, written together, written apart.

Which words there are is asked of whoever keeps them; nothing is guessed beyond one slip.
"""

from collections.abc import Collection, Iterable
from itertools import pairwise

LEAST = 4
"""Letters of a word that can be misspelt; of a shorter one every slip makes another word."""
MOST = 32
"""Letters of a word that is mended; what is longer is no word."""


def joined(words: Iterable[str]) -> list[str]:
    """Neighbours written as one word, for names such as "userinfo".

    >>> joined(["user", "info", "list"])
    ['userinfo', 'infolist']
    """
    return [one + two for one, two in pairwise(words)]


def cuts(word: str) -> list[tuple[str, str]]:
    """A word cut in two wherever both halves are words of some length.

    >>> cuts("userinfo")
    [('use', 'rinfo'), ('user', 'info'), ('useri', 'nfo')]
    """
    return [(word[:at], word[at:]) for at in range(3, len(word) - 2)]


def halves(word: str) -> tuple[str, str]:
    """The beginning and the end of a word: one slip leaves at least one of them as it was.

    >>> halves("invocie"), halves("oder")
    (('inv', 'ocie'), ('ode', 'der'))
    """
    half = max(3, len(word) // 2)
    return word[:half], word[min(half, len(word) - 3) :]


def nearest(word: str, known: Collection[str]) -> str:
    """The word that is one slip away (a letter more, less, other, or two in each other's place),
    or else the shortest that begins so; "" when there is none.

    >>> nearest("invocie", ["invoice", "invite"]), nearest("profil", ["profiles", "profile"])
    ('invoice', 'profile')
    >>> nearest("olivia", ["olive"])
    ''
    """
    near = [one for one in known if abs(len(one) - len(word)) <= 1 and _one_slip(word, one)]
    longer = sorted((len(one), one) for one in known if one.startswith(word))
    return min(near) if near else longer[0][1] if longer else ""


def _one_slip(one: str, two: str) -> bool:
    same = 0
    while same < min(len(one), len(two)) and one[same] == two[same]:
        same += 1
    one, two = one[same:], two[same:]
    swapped = len(one) > 1 and one[:2] == two[1::-1] and one[2:] == two[2:]
    return swapped or one[1:] == two[1:] or one[1:] == two or one == two[1:]


def parted(word: str, known: Collection[str]) -> tuple[str, ...]:
    """The two known words that a word is written together of, or nothing.

    >>> parted("userinfo", {"user", "info", "use"})
    ('user', 'info')
    """
    both = [cut for cut in cuts(word) if cut[0] in known and cut[1] in known]
    return max(both, key=lambda cut: min(map(len, cut)), default=())

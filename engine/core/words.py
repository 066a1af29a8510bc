"""Small things with words: shortening, near misses, and a name made readable.

For messages to people only; no decision of the engine depends on anything here.
"""

import difflib
import re
from collections.abc import Iterable
from itertools import islice

_LONGEST = 64
MOST_OPTIONS = 2_000
"""Looking at one costs microseconds, and a catalogue may hold a hundred thousand names."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def shorten(text: str, limit: int = 80) -> str:
    """`text` with its middle left out when it is longer than `limit` characters.

    >>> shorten("abcdefghij", 7)
    'abc…hij'
    """
    if len(text) <= limit:
        return text
    head = limit // 2
    return f"{text[:head]}…{text[len(text) - (limit - head - 1) :]}"


def suggestions(word: str, options: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The options nearest to `word`, best first. Bounded: long words and lists are cut.

    >>> suggestions("getusr", ["getuser", "getorder", "sendpush"])
    ('getuser',)
    """
    lowered: dict[str, str] = {}
    for option in islice(options, MOST_OPTIONS):
        lowered.setdefault(option.lower()[:_LONGEST], option)
    near = difflib.get_close_matches(word.lower()[:_LONGEST], lowered, n=most, cutoff=0.6)
    return tuple(lowered[key] for key in near)


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A hint such as "did you mean 'taskRef'?", or "" when nothing is near.

    >>> did_you_mean("taskref", ["taskRef", "timeout"])
    "did you mean 'taskRef'?"
    """
    near = suggestions(word, options, most=1)
    return f"did you mean {near[0]!r}?" if near else ""


def listed(options: Iterable[str], most: int = 12) -> str:
    """The options in words, cut after `most`.

    >>> listed(["a", "b"])
    'a, b'
    """
    names = list(options)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def readable(name: str) -> str:
    """A technical name in words.

    >>> readable("userId"), readable("max_HTTPRetries"), readable("données")
    ('user id', 'max HTTP retries', 'données')
    """
    if not name.isascii():
        return name
    words = [
        word if len(word) > 1 and word.isupper() else word.lower() for word in _WORD.findall(name)
    ]
    return " ".join(words) or name

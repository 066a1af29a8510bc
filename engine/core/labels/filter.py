"""What a list or a search is narrowed to: a value, and the one way in which a pattern is matched.

Words are compared without regard to upper and lower case. A pattern has `*` for any characters
and `?` for one, and nothing else: it is never a regular expression, and it takes no longer than
its length times that of the word. Where labels are kept is not known here.
"""

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from engine.core.errors import Refused
from engine.core.model import Effect
from engine.core.value import value

MOST_WORDS = 50
"""Words in one part of a filter."""
LONGEST_WORD = 200
"""Characters of a word in a filter, and of its pattern."""
_EFFECTS = tuple(effect.value for effect in Effect)


@value
class Filter:
    """What to keep; an empty part keeps everything.

    `categories` are enough if one is there, as are `any_tags`; `all_tags` must all be there and
    `exclude_tags` must not. `tag_pattern` must fit one tag, with `*` and `?`.
    """

    categories: tuple[str, ...] = ()
    all_tags: tuple[str, ...] = ()
    any_tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    tag_pattern: str = ""
    namespace: str = ""
    effect: str = ""

    @property
    def empty(self) -> bool:
        """Whether it keeps everything."""
        return not any(getattr(self, each.name) for each in fields(self))

    @property
    def key(self) -> str:
        """The same text for the same filter, whatever the case of its words; raises as `folded`."""
        same = self.folded()
        return json.dumps([getattr(same, each.name) for each in fields(same)])

    def folded(self) -> "Filter":
        """The same filter in the form in which labels are kept; raises Refused `invalid_filter`."""
        _check(self)
        return Filter(
            _folded(self.categories), _folded(self.all_tags), _folded(self.any_tags),
            _folded(self.exclude_tags), fold(self.tag_pattern), self.namespace, self.effect,
        )  # fmt: skip


EVERYTHING = Filter()


def fold(word: str) -> str:
    """A label as it is compared: without blanks around it, without upper and lower case."""
    return word.strip().casefold()


def narrowed(category: str = "", categories: Iterable[str] = (), **parts: Any) -> Filter:
    """A filter where one category may stand beside several."""
    return Filter(tuple(filter(None, (category, *categories))), **parts)


def _folded(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({fold(word) for word in words} - {""}))


def _check(wanted: Filter) -> None:
    if wanted.effect and wanted.effect not in _EFFECTS:
        raise _refusal(f"{wanted.effect[:40]!r} is no effect", f"Use {', '.join(_EFFECTS)}.")
    for name in ("categories", "all_tags", "any_tags", "exclude_tags"):
        words = getattr(wanted, name)
        if len(words) > MOST_WORDS:
            message = f"at most {MOST_WORDS} words in one part of a filter"
            raise _refusal(message, "Use tagPattern for many that look alike.")
        if any(len(word) > LONGEST_WORD for word in words):
            raise _refusal(f"a label has at most {LONGEST_WORD} characters", "Shorten it.")
    if len(wanted.tag_pattern) > LONGEST_WORD:
        raise _refusal(f"a pattern has at most {LONGEST_WORD} characters", "Shorten it.")


def _refusal(message: str, hint: str) -> Refused:
    return Refused("invalid_filter", message, hint)


def matches(pattern: str, word: str) -> bool:
    """Whether a pattern with `*` and `?` fits a whole word; both folded already.

    >>> matches("role::*", "role::program"), matches("?tl", "etl"), matches("a*b*c", "a-b")
    (True, True, False)
    >>> matches("[a-z]*", "b")
    False
    """
    at = here = 0
    star, retry = -1, 0
    while here < len(word):
        if at < len(pattern) and pattern[at] == "*":
            star, retry, at = at, here, at + 1
        elif at < len(pattern) and pattern[at] in ("?", word[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            retry += 1
            at, here = star + 1, retry
        else:
            return False
    return not pattern[at:].strip("*")

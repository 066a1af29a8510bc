"""When two names mean the same input: spellings, and names that a document declares beside its own.

`userId`, `user_id`, `user-id` and `User ID` are one name; two numbers side by side stay two. What
is merely similar is not the same: nothing here measures likeness, because what is found by these
names may be run without anybody looking again.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from engine.core.value import value

_BREAKS = re.compile(r"[\W_]+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_IDS = frozenset({"id", "identifier", "uid", "uuid", "guid"})
_LIKE_IDS = _IDS | {"ids", "key", "number", "code", "no", "ref", "reference"}


def folded(name: str) -> str:
    """A name without its spelling.

    >>> {folded(name) for name in ("userId", "user_id", "user-id", "User ID", "USERID")}
    {'userid'}
    >>> folded("line_1_2") == folded("line_12")
    False
    """
    text = ""
    for part in _BREAKS.split(unicodedata.normalize("NFKC", name).casefold()):
        bound = text[-1:].isdigit() and part[:1].isdigit()
        text += f"_{part}" if bound else part
    return text


def joined(path: tuple[str, ...]) -> str:
    """The name that a path of keys amounts to; a key that repeats the one before stands for both.

    >>> joined(("user", "id")), joined(("user", "userId")), joined(("order", "user", "id"))
    ('userid', 'userid', 'orderuserid')
    """
    parts: list[str] = []
    for key in path:
        if parts and folded(key).startswith(folded(parts[-1])):
            parts.pop()
        parts.append(key)
    return folded(" ".join(parts))


EXACT, RESPELLED, DECLARED, BARE_ID = range(4)
"""How well a name fits, the best first."""


@value
class Names:
    """The names of all inputs: their own, their spellings, what the document calls them besides.

    `bare` is the input that an `id` by itself can only mean; empty when there is none.
    """

    own: frozenset[str]
    spelled: Mapping[str, tuple[str, ...]]
    declared: Mapping[str, tuple[str, ...]]
    bare: str

    def meant(self, path: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """The inputs that a path of keys means, and how well its name fits; mostly one or none."""
        if len(path) == 1 and path[0] in self.own:
            return EXACT, path
        name = joined(path)
        if name in self.spelled:
            return RESPELLED, self.spelled[name]
        if name in self.declared:
            return DECLARED, self.declared[name]
        return BARE_ID, (self.bare,) if self.bare and name == "id" else ()


def names_of(properties: Mapping[str, Mapping[str, Any]]) -> Names:
    """The names of inputs by their schemas: `title` and `aliases` count beside their own."""
    spelled: dict[str, tuple[str, ...]] = {}
    declared: dict[str, tuple[str, ...]] = {}
    for name, part in properties.items():
        _enter(spelled, {folded(name)}, name)
        _enter(declared, _declared(part), name)
    able = [name for name, part in properties.items() if part.get("type") != "boolean"]
    return Names(frozenset(properties), spelled, declared, the_id(able))


def _enter(table: dict[str, tuple[str, ...]], names: set[str], of: str) -> None:
    for name in names - {""}:
        table[name] = (*table.get(name, ()), of)


def _declared(part: Mapping[str, Any]) -> set[str]:
    aliases = part.get("aliases")
    said = [part.get("title"), *(aliases if isinstance(aliases, list) else ())]
    return {folded(each) for each in said if isinstance(each, str)}


def in_words(name: str) -> list[str]:
    """The words of a technical name, in small letters.

    >>> in_words("userId"), in_words("données_2")
    (['user', 'id'], ['données', '2'])
    """
    parts = [part for part in _BREAKS.split(name) if part]
    return [word.lower() for part in parts for word in _split(part)] or [name]


def _split(part: str) -> list[str]:
    return _WORD.findall(part) if part.isascii() else [part]


def last_word(name: str) -> str:
    """The last word of a technical name, in small letters.

    >>> last_word("orderNumber"), last_word("paid"), last_word("user_ID")
    ('number', 'paid', 'id')
    """
    return in_words(name)[-1]


def the_id(names: list[str]) -> str:
    """The one of several inputs that a bare `id` can only mean; empty when there are none or two.

    >>> the_id(["userId", "limit"]), the_id(["userId", "orderNumber"]), the_id(["limit"])
    ('userId', '', '')
    """
    like = [name for name in names if _may_be_id(name)]
    return like[0] if len(like) == 1 and last_word(like[0]) in _IDS else ""


def _may_be_id(name: str) -> bool:
    # `userid` has no last word `id`, but it could be meant: then there are two of them.
    return last_word(name) in _LIKE_IDS or folded(name).endswith("id")

"""Names of documents: how they look, and what a reference to one finds.

A reference is `[namespace/]name[@version]`. Without a namespace it means the document of that
name in the referrer's own namespace, else in `default`, else the only one there is anywhere.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from engine.core.version import Semver
from engine.core.words import shorten

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Key = tuple[str, str]
"""Namespace and name."""

DEFAULT_NAMESPACE = "default"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}\Z")
ID_RULE = "1 to 63 letters, digits, '-' or '_', beginning with a letter or digit"


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference as written; `namespace` and `version` are None when left out."""

    namespace: str | None
    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a reference found nothing that can be used, and what it might have meant.

    `hint` is for when none of `options` is near to `wanted`.
    """

    code: str
    message: str
    hint: str = ""
    wanted: str = ""
    options: Iterable[str] = ()


@lru_cache(maxsize=4_096)
def parse_ref(text: str) -> Ref:
    """Read `[namespace/]name[@version]`. Raises ValueError with what is wrong.

    >>> parse_ref("billing/charge@1.2.0")
    Ref(namespace='billing', name='charge', version='1.2.0')
    """
    whole, _, version = text.partition("@")
    namespace, slash, name = whole.rpartition("/")
    parts = (namespace, name) if slash else (name,)
    if not all(ID.match(part) for part in parts):
        raise ValueError(f"{shorten(text)!r} is not a reference: write [namespace/]name[@version]")
    if "@" in text:
        Semver.parse(version)
    return Ref(namespace if slash else None, name, version or None)


def written(key: Key) -> str:
    """A key as a person writes it.

    >>> written(("shop", "checkout"))
    'shop/checkout'
    """
    return f"{key[0]}/{key[1]}"


class Register(Protocol[T_co]):
    """Where documents of one kind stand. A name is broken when no good document has it."""

    def __getitem__(self, key: Key, /) -> T_co:
        """The document of a name that is good."""
        ...

    def good(self, key: Key) -> bool:
        """Whether a document has the name and can be used."""
        ...

    def broken(self, key: Key) -> bool:
        """Whether a document has the name, and none that has it can be used."""
        ...

    def called(self, name: str) -> tuple[list[Key], list[Key]]:
        """The good and the broken keys of a name, whatever their namespace."""
        ...

    def every(self) -> Iterable[Key]:
        """Every good key, in order of the documents."""
        ...


class Held(Generic[T]):
    """A register over documents that lie in memory."""

    def __init__(self, found: Mapping[Key, T], broken: Iterable[Key] = ()) -> None:
        self._found = found
        self._broken = frozenset(broken) - found.keys()
        self._by_name: dict[str, tuple[list[Key], list[Key]]] = {}
        for place, keys in enumerate((found, sorted(self._broken))):
            for key in keys:
                self._by_name.setdefault(key[1], ([], []))[place].append(key)

    def __getitem__(self, key: Key) -> T:
        return self._found[key]

    def good(self, key: Key) -> bool:
        """Whether the document is there."""
        return key in self._found

    def broken(self, key: Key) -> bool:
        """Whether it is there and cannot be used."""
        return key in self._broken

    def called(self, name: str) -> tuple[list[Key], list[Key]]:
        """The good and the broken keys of a name."""
        return self._by_name.get(name, ([], []))

    def every(self) -> Iterable[Key]:
        """Every good key."""
        return self._found


EVERY = ""
"""As a name that was looked for: all names of the kind, to find what is near to one."""


class Names(Generic[T]):
    """Documents of one kind by name. `asked` gathers the bare names that were looked for."""

    def __init__(self, noun: str, register: Register[T], asked: set[tuple[str, str]]) -> None:
        self.noun = noun
        self._register = register
        self._asked = asked

    def __getitem__(self, key: Key) -> T:
        return self._register[key]

    def find(self, ref: Ref, home: str) -> Key | Miss:
        """The key that `ref` means when it stands in a document of namespace `home`."""
        self._asked.add((self.noun, ref.name))
        places = (ref.namespace,) if ref.namespace is not None else (home, DEFAULT_NAMESPACE)
        for place in places:
            key = (place, ref.name)
            if self._register.good(key):
                return key
            if self._register.broken(key):
                return self._broken_miss(key)
        return self._miss(ref) if ref.namespace is not None else self._anywhere(ref)

    def _anywhere(self, ref: Ref) -> Key | Miss:
        same, broken = self._register.called(ref.name)
        if len(same) == 1:
            return same[0]
        if same:
            named = " or ".join(sorted(written(key) for key in same)[:4])
            message = f"the {self.noun} {ref.name!r} exists in {len(same)} namespaces"
            return Miss("ambiguous_name", message, f"write {named}")
        return self._broken_miss(broken[0]) if len(broken) == 1 else self._miss(ref)

    def _broken_miss(self, key: Key) -> Miss:
        return Miss(
            "broken_reference",
            f"the {self.noun} {written(key)} has errors of its own",
            "put that document right first",
        )

    def _miss(self, ref: Ref) -> Miss:
        self._asked.add((self.noun, EVERY))
        shown = ref.name if ref.namespace is None else f"{ref.namespace}/{ref.name}"
        message = f"there is no {self.noun} {shown!r}"
        options = self._options(whole=ref.namespace is not None)
        return Miss(f"unknown_{self.noun}", message, self._elsewhere(ref), shown, options)

    def _options(self, *, whole: bool) -> Iterable[str]:
        if whole:
            return map(written, self._register.every())
        return dict.fromkeys(name for _, name in self._register.every())

    def _elsewhere(self, ref: Ref) -> str:
        same = sorted(written(key) for key in self._register.called(ref.name)[0])
        return f"there is {same[0]}" if same else f"add a document for this {self.noun}"

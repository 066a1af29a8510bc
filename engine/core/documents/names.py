"""Names of documents: how they look, and what a reference to one finds.

A reference is `[namespace/]name[@version]`. Without a namespace it means the document of that
name in the referrer's own namespace, else in `default`, else the only one there is anywhere.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from engine.core.version import Semver
from engine.core.words import shorten

T = TypeVar("T")
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


class Names(Generic[T]):
    """Documents of one kind by name. `broken` are those that exist but cannot be used."""

    def __init__(self, noun: str, found: Mapping[Key, T], broken: Iterable[Key] = ()) -> None:
        self.noun = noun
        self._found = found
        self._broken = frozenset(broken) - found.keys()
        self._by_name: dict[str, list[Key]] = {}
        for key in found:
            self._by_name.setdefault(key[1], []).append(key)

    def __getitem__(self, key: Key) -> T:
        return self._found[key]

    def find(self, ref: Ref, home: str) -> Key | Miss:
        """The key that `ref` means when it stands in a document of namespace `home`."""
        places = (ref.namespace,) if ref.namespace is not None else (home, DEFAULT_NAMESPACE)
        for place in places:
            key = (place, ref.name)
            if key in self._found:
                return key
            if key in self._broken:
                return self._broken_miss(key)
        return self._miss(ref) if ref.namespace is not None else self._anywhere(ref)

    def _anywhere(self, ref: Ref) -> Key | Miss:
        same = self._by_name.get(ref.name, [])
        if len(same) == 1:
            return same[0]
        if same:
            named = " or ".join(sorted(written(key) for key in same)[:4])
            message = f"the {self.noun} {ref.name!r} exists in {len(same)} namespaces"
            return Miss("ambiguous_name", message, f"write {named}")
        broken = [key for key in self._broken if key[1] == ref.name]
        return self._broken_miss(broken[0]) if len(broken) == 1 else self._miss(ref)

    def _broken_miss(self, key: Key) -> Miss:
        return Miss(
            "broken_reference",
            f"the {self.noun} {written(key)} has errors of its own",
            "put that document right first",
        )

    def _miss(self, ref: Ref) -> Miss:
        shown = ref.name if ref.namespace is None else f"{ref.namespace}/{ref.name}"
        options = self._by_name if ref.namespace is None else map(written, self._found)
        message = f"there is no {self.noun} {shown!r}"
        return Miss(f"unknown_{self.noun}", message, self._elsewhere(ref), shown, options)

    def _elsewhere(self, ref: Ref) -> str:
        same = sorted(written(key) for key in self._by_name.get(ref.name, []))
        return f"there is {same[0]}" if same else f"add a document for this {self.noun}"

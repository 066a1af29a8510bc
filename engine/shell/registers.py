"""What documents look up while they are read: names of others, effects, whole workflows.

The look-ups of `parse_documents`, over papers in the place of objects in memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from engine.core.documents.header import WORKFLOW
from engine.core.documents.names import Key
from engine.core.model import Effect, Workflow
from engine.store.papers import BROKEN, GOOD, Papers

Load = Callable[[str, Key], Any]
"""Reads the good document of a kind and name."""


class Register:
    """Documents of a kind that were read already, as others look them up."""

    def __init__(self, papers: Papers, kind: str, load: Load) -> None:
        self._papers, self._kind, self._load = papers, kind, load

    def __getitem__(self, key: Key) -> Any:
        return self._load(self._kind, key)

    def _states(self, key: Key) -> set[int]:
        found = self._papers.states(self._kind, key[1])
        return {state for namespace, state in found if namespace == key[0]}

    def good(self, key: Key) -> bool:
        """Whether a document of this name can be used."""
        return GOOD in self._states(key)

    def broken(self, key: Key) -> bool:
        """Whether the documents of this name are all unusable."""
        states = self._states(key)
        return BROKEN in states and GOOD not in states

    def called(self, name: str) -> tuple[list[Key], list[Key]]:
        """The good and the broken keys of a bare name."""
        found = dict.fromkeys(namespace for namespace, _ in self._papers.states(self._kind, name))
        keys = [(namespace, name) for namespace in found]
        return [key for key in keys if self.good(key)], sorted(filter(self.broken, keys))

    def every(self) -> Iterable[Key]:
        """Every name that can be used."""
        return dict.fromkeys(self._papers.keys(self._kind, good=True))


class Promised(Register):
    """Workflows count as there while they are read; what they are worth is seen at the end."""

    def __init__(self, papers: Papers) -> None:
        super().__init__(papers, WORKFLOW, lambda kind, key: None)

    def __getitem__(self, key: Key) -> Effect:
        return Effect.PURE

    def good(self, key: Key) -> bool:
        """Whether any document has this name."""
        return bool(self._states(key))

    def broken(self, key: Key) -> bool:
        """None is given up before all were read."""
        return False

    def every(self) -> Iterable[Key]:
        """Every name that a document has."""
        return dict.fromkeys(self._papers.keys(self._kind, good=False))


class Effects(Mapping[Key, Effect]):
    """The effects of workflows that were read."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers

    def __getitem__(self, key: Key) -> Effect:
        found = self._papers.effect(*key)
        if found is None:
            raise KeyError(key)
        return Effect(found)

    def __iter__(self) -> Iterator[Key]:
        raise TypeError("effects are asked for by name")

    def __len__(self) -> int:
        raise TypeError("effects are asked for by name")


class Callees(Mapping[Key, Workflow]):
    """The workflows that were read, for those that start them."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def __getitem__(self, key: Key) -> Workflow:
        found: Workflow = self._load(WORKFLOW, key)
        return found

    def __iter__(self) -> Iterator[Key]:
        raise TypeError("workflows are asked for by name")

    def __len__(self) -> int:
        raise TypeError("workflows are asked for by name")

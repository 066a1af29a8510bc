"""What a folder of documents amounts to: workflows, tasks and connectors by name, and problems.

A catalogue is a value. It holds only what can be used; a document with errors is in `problems`
and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from engine.core.connector import Connector
from engine.core.model import Task, Workflow
from engine.core.views import Problem
from engine.core.words import suggestions

_EMPTY: Mapping[Any, Any] = MappingProxyType({})
Key = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Documents by (namespace, name). Problems are in order of file and line."""

    workflows: Mapping[Key, Workflow] = field(default_factory=lambda: _EMPTY)
    tasks: Mapping[Key, Task] = field(default_factory=lambda: _EMPTY)
    connectors: Mapping[Key, Connector] = field(default_factory=lambda: _EMPTY)
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep a document from being used."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def find(names: Mapping[Key, Any], text: str, home: str = "default") -> Key | tuple[str, ...]:
    """The key that `[namespace/]name` means, or the nearest names when it means none.

    A bare name is looked for in `home`, then in `default`, then anywhere if it is there only once.

    >>> find({("test", "getuser"): 1}, "getuser")
    ('test', 'getuser')
    >>> find({("test", "getuser"): 1}, "getusr")
    ('test/getuser',)
    """
    namespace, slash, name = text.rpartition("/")
    for key in ((namespace, name),) if slash else ((home, name), ("default", name)):
        if key in names:
            return key
    same = [key for key in names if key[1] == name]
    if len(same) == 1 and not slash:
        return same[0]
    if same:
        return tuple(sorted("/".join(key) for key in same))
    by_name: dict[str, list[str]] = {}
    for key in names:
        by_name.setdefault(key[1], []).append("/".join(key))
    return tuple(full for near in suggestions(name, by_name) for full in sorted(by_name[near]))

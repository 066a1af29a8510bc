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

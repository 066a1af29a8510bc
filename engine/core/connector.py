"""What a `Connector` document says about a system outside: where it is and what it can do.

How each operation behaves is declared once, here (`declared.py`), so that a task cannot make a
promise on another system's behalf (SEMANTICS section 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from engine.core.declared import UNDECLARED, Declared, HttpSpec
from engine.core.model import Effect
from engine.core.retry import RetryPolicy

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a system. `firm` tells whether the document names its effect."""

    name: str
    http: HttpSpec
    effect: Effect
    firm: bool = False
    description: str = ""
    declared: Declared = UNDECLARED
    input_schema: Mapping[str, Any] | None = None
    output_schema: Mapping[str, Any] | None = None
    timeout: int | None = None
    retry: RetryPolicy | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """A system outside. `secrets` maps names to references, never to secrets themselves."""

    namespace: str
    name: str
    base_url: str
    operations: Mapping[str, Operation]
    allowed_hosts: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    description: str = ""
    document: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
